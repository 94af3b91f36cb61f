import { defineTask } from 'talos-tk';
import configure from '../configure.ts';

export default defineTask({
  summary: 'Generate a machine config for each node, and the talosconfig',
  effect: 'write',
  needs: { configure: configure() },
  probe: ({ cluster, signal }) => cluster.machineConfigs.generate(signal),
  plan: (_context, generated) =>
    generated === undefined
      ? [{ decision: 'unknown', title: 'generate', reason: 'the inputs could not be read' }]
      : generated.files.map((file) =>
          file.isEqual
            ? { decision: 'skip', title: file.path, reason: 'equal' }
            : { decision: 'run', title: file.path, calls: [{ target: file.path, call: 'write file' }] },
        ),
  async run({ cluster, step, log, detail, skip, signal }) {
    const generated = await step.pure('generate', () => cluster.machineConfigs.generate(signal));
    for (const warning of generated.warnings) log.warn(warning);
    const changed = generated.files.filter((file) => !file.isEqual);
    const nodes = generated.files.filter((file) => file.node !== undefined).length;
    if (changed.length === 0 && generated.newSecrets === undefined) {
      skip(`${nodes} machine configs are equal`);
      return generated;
    }
    await step('write', async (handle) => {
      await cluster.machineConfigs.write(generated, handle.signal);
      handle.detail(changed.map((file) => file.path.split('/').at(-1)).join(' '));
    });
    detail(`${nodes} machine configs`);
    return generated;
  },
});
