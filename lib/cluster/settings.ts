import { z } from 'zod';
import type { ConfiguredGate } from './lifecycle/gates/define-gate.ts';

const gateSchema = z.custom<ConfiguredGate>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<ConfiguredGate>).name === 'string' &&
    ['function', 'undefined'].includes(typeof (value as Partial<ConfiguredGate>).check),
  'expected a gate: gates.ceph(), gates.cnpg(), defineGate({ … })',
);

/**
 * What a repository may decide in `tasks.config.ts`. Everything is optional; an empty config is a valid one.
 */
export const settingsSchema = z.strictObject({
  /** Where the talosconfig is, relative to the repository. Default: `talosconfig` beside the generated machine configs. */
  talosconfig: z.string().optional(),
  /** Answers to questions by their names, for what is always answered alike here. The command line and `--answers` go before them. */
  answers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(),
  /** Default: `kubeconfig`. */
  kubeconfig: z.string().optional(),
  bootstrap: z
    .strictObject({
      /**
       * Names of the HelmReleases that bootstrap installs before Flux takes over, whatever their order; `dependsOn` orders them.
       * Default: those of a bootstrap helmfile, else the usual ones that the tree has.
       */
      releases: z.array(z.string()).optional(),
      /**
       * A folder of manifests that were rendered before, relative to the repository: `NAMESPACE/RELEASE.yaml`, or a folder of that name, takes
       * the place of the release's chart; `tk charts:render --all --out FOLDER` writes one. `charts:diff` and `charts:crds` read it too. Default:
       * charts are pulled and rendered.
       */
      rendered: z.string().optional(),
    })
    .optional(),
  /** Further questions before a machine is taken away, and the storage gates as they should ask: `gates.ceph({ … })`, `defineGate`. */
  gates: z.array(gateSchema).optional(),
  upgrade: z
    .strictObject({
      workers: z
        .strictObject({
          /** How many workers may be away at once: a number, or a share of them (`25%`, rounded up). Default 1. */
          parallel: z.union([z.number().int().min(1), z.string().regex(/^[1-9]\d*%?$/, 'a number or a share like 25%')]).optional(),
        })
        .optional(),
      /** The worker that is upgraded first and alone. Default: the first that needs it. */
      canary: z.string().optional(),
    })
    .optional(),
});

export type Settings = z.output<typeof settingsSchema>;

/** Types a `tasks.config.ts`; returns what it is given. */
export function defineConfig(settings: z.input<typeof settingsSchema>): z.input<typeof settingsSchema> {
  return settings;
}
