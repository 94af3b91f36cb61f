import { defineTask, z } from 'talos-tk';
import configure from '../configure.ts';

export default defineTask({
  summary: 'Generate a machine config for each node, and the talosconfig',
  description:
    'The talconfig is found in talos/, kubernetes/bootstrap/talos/, setup/talos/, iac/talos/ and the root, or named with --talconfig. A certificate that is still good is kept. talos:diff shows what would change, field by field.',
  params: z.object({
    secrets: z
      .string()
      .optional()
      .meta({ path: true })
      .describe('the secrets bundle (default: talsecret.sops.yaml or talsecret.yaml beside the talconfig)'),
    out: z
      .string()
      .optional()
      .meta({ path: true })
      .describe('folder for the configs and the talosconfig (default: clusterconfig beside the talconfig)'),
  }),
  effect: 'write',
  needs: { configure: configure() },
  probe: ({ params, cluster, signal }) => cluster.machineConfigs.generate(signal, params),
  plan: (_context, generated) =>
    generated === undefined
      ? [{ decision: 'unknown', title: 'generate', reason: 'not worked out with --offline' }]
      : generated.files.map((file) =>
          file.isEqual
            ? { decision: 'skip', title: file.path, reason: 'equal' }
            : { decision: 'run', title: file.path, calls: [{ target: file.path, call: 'write file' }] },
        ),
  async run({ params, cluster, step, log, detail, skip, signal }) {
    const generated = await step.pure('generate', () => cluster.machineConfigs.generate(signal, params));
    for (const warning of generated.warnings) log.warn(warning);
    const changed = generated.files.filter((file) => !file.isEqual);
    const nodes = generated.files.filter((file) => file.node !== undefined).length;
    if (changed.length === 0 && generated.newSecrets === undefined) {
      skip(`${nodes} machine configs are equal`);
      return generated;
    }
    await step('write', async (handle) => {
      await cluster.machineConfigs.write(generated, handle.signal);
      const names = changed.map((file) => file.path.split('/').at(-1));
      handle.detail(names.length <= 20 ? names.join(' ') : `${names.slice(0, 5).join(' ')} and ${names.length - 5} more`);
    });
    detail(`${nodes} machine configs`);
    return generated;
  },
});
