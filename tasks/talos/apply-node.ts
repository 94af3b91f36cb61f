import { defineTask, nodeParams, untilItAnswers, whichNode, z } from 'talos-tk';
import preflight from './preflight.ts';

export default defineTask({
  summary: 'Apply the machine config of one node',
  description: 'Without TLS identity while the machine is in maintenance mode, over mutual TLS afterwards. An equal config is skipped.',
  params: z.object({
    ...nodeParams,
    mode: z.enum(['auto', 'no-reboot', 'staged', 'try', 'reboot']).default('auto').describe('how the machine takes the config'),
  }),
  questions: whichNode,
  effect: 'mutate',
  needs: { preflight: preflight() },
  locks: ({ ip, node, hostname }) => [`machine ${ip ?? node ?? hostname ?? ''}`],
  async probe({ params, cluster, mode, signal }) {
    const node = cluster.find(params);
    const comparison = await cluster.machines.compareConfig(node, signal);
    const isAsked = mode === 'dry-run' && comparison.state === 'differs';
    return { comparison, answer: isAsked ? await cluster.machines.dryRun(node, params.mode, signal) : undefined };
  },
  plan({ params, cluster }, facts) {
    const comparison = facts?.comparison;
    const node = cluster.find(params).name;
    if (comparison === undefined || comparison.state === 'unknown')
      return [{ decision: 'unknown', title: 'apply config', node, reason: comparison?.because ?? 'the machine was not asked' }];
    if (comparison.state === 'equal') return [{ decision: 'skip', title: 'apply config', node, reason: 'equal' }];
    return [
      {
        decision: 'run',
        title: 'apply config',
        node,
        reason: [
          comparison.changed.join(', '),
          ...(facts?.answer ? [`the machine would apply it as ${facts.answer.mode}`, ...facts.answer.warnings] : []),
        ].join('; '),
        calls: [{ target: node, call: 'machine.MachineService/ApplyConfiguration' }],
      },
    ];
  },
  async run({ params, cluster, step, wait, skip, detail }) {
    const node = cluster.find(params);
    const applied = await step.probeAct('apply config', {
      node: node.name,
      retry: untilItAnswers,
      async probe(handle) {
        const comparison = await cluster.machines.compareConfig(node, handle.signal);
        if (comparison.state === 'equal') return { state: 'done', seen: 'the running config is equal', value: undefined };
        return { state: 'not-done', seen: comparison.state === 'differs' ? comparison.changed.join(', ') : comparison.because };
      },
      async act(handle) {
        const result = await cluster.machines.apply(node, params.mode, handle.signal);
        for (const warning of result.warnings) handle.log.warn(warning);
        handle.detail(result.mode);
        return result;
      },
    });
    if (params.mode !== 'staged' && params.mode !== 'try') await wait(cluster.machines.installed(node));
    if (applied.state === 'already-done') skip('the running config is equal');
    else detail(node.name);
    return { node: node.name, changed: applied.state === 'acted' };
  },
});
