import { z } from 'zod';

/**
 * What a repository may decide in `tasks.config.ts`. Everything is optional; an empty config is a valid one.
 */
export const settingsSchema = z.strictObject({
  /** Where the talosconfig is, relative to the repository. Default: `talosconfig` beside the generated machine configs. */
  talosconfig: z.string().optional(),
  /** Default: `kubeconfig`. */
  kubeconfig: z.string().optional(),
  bootstrap: z
    .strictObject({
      /**
       * Names of the HelmReleases that bootstrap installs before Flux takes over, whatever their order; `dependsOn` orders them.
       * Default: those of a bootstrap helmfile, else the usual ones that the tree has.
       */
      releases: z.array(z.string()).optional(),
    })
    .optional(),
});

export type Settings = z.output<typeof settingsSchema>;

/** Types a `tasks.config.ts`; returns what it is given. */
export function defineConfig(settings: z.input<typeof settingsSchema>): z.input<typeof settingsSchema> {
  return settings;
}
