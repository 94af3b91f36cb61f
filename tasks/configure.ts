import { defineTask } from 'talos-tk';

export default defineTask({
  summary: 'Render cluster.yaml and nodes.yaml into talos/ and kubernetes/',
  description:
    'Validates the inputs, renders templates/, encrypts secrets and checks the result. Only files that tk wrote before are touched.',
  effect: 'write',
  probe: ({ cluster, signal }) => cluster.configuration.plan(signal),
  plan: (_context, facts) =>
    facts === undefined
      ? [{ decision: 'unknown', title: 'render', reason: 'not worked out with --offline' }]
      : facts.changes.length === 0
        ? [{ decision: 'skip', title: 'render', reason: facts.renders ? 'every file is equal' : 'nothing to render in this repository' }]
        : facts.changes.map((change) => ({
            decision: 'run',
            title: `${change.change} ${change.path}`,
            ...(facts.edited.includes(change.path) ? { reason: 'changed by hand since it was rendered' } : {}),
            calls: [{ target: change.path, call: change.change === 'delete' ? 'remove file' : 'write file' }],
          })),
  async run({ cluster, step, log, detail, skip, report, signal }) {
    const planned = await step.pure('validate and render', () => cluster.configuration.plan(signal));
    for (const path of planned.notVerified) log.warn(`${path} is kept without a look inside: there is no key for it here`);
    for (const warning of planned.warnings) log.warn(warning);
    if (planned.placeholders.length > 0) report({ rows: { Placeholders: planned.placeholders.join(' · ') } });
    if (planned.changes.length === 0) {
      // What lies there is remembered as rendered, so that a change by hand is known as one.
      await cluster.configuration.apply(planned, signal);
      skip(planned.renders ? 'nothing changed' : 'nothing to render in this repository');
      return planned;
    }
    await step('write', async (handle) => {
      await cluster.configuration.apply(planned, handle.signal);
      handle.detail(`${planned.changes.length} files`);
    });
    detail(`${planned.changes.length} files changed, ${planned.equal} equal`);
    return planned;
  },
});
