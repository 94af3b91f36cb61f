import { bootedWith, defineTask, disruptionOptions, disruptionParams, nodeParams, takeAway, untilItAnswers, whichNode, z } from 'talos-tk';
import preflight from './preflight.ts';

export default defineTask({
  summary: 'Apply the machine config of one node',
  description:
    'Without TLS identity while the machine is in maintenance mode, over mutual TLS afterwards. An equal config is skipped. A machine of a running cluster that would reboot for it goes through the gates of a reboot.',
  params: z.object({
    ...nodeParams,
    mode: z.enum(['auto', 'no-reboot', 'staged', 'try', 'reboot']).default('auto').describe('how the machine takes the config'),
    tryFor: z
      .string()
      .regex(/^[1-9]\d{0,3}[sm]$/, 'expected seconds or minutes, as in 30s, 5m')
      .default('1m')
      .describe('with --mode=try: when the machine goes back by itself'),
    ...disruptionParams,
  }),
  questions: whichNode,
  examples: ['talos:apply-node NODE=worker-1', 'talos:apply-node NODE=worker-1 --mode try --try-for 5m'],
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
  async run(context) {
    const { params, cluster, step, wait, skip, detail, log } = context;
    const node = cluster.find(params);
    const isApplied = async (signal: AbortSignal) => (await cluster.machines.compareConfig(node, signal)).state === 'equal';
    const applied = await step.probeAct('apply config', {
      node: node.name,
      retry: untilItAnswers,
      async probe(handle) {
        const comparison = await cluster.machines.compareConfig(node, handle.signal);
        if (comparison.state === 'equal') return { state: 'done', seen: 'the running config is equal', value: undefined };
        return { state: 'not-done', seen: comparison.state === 'differs' ? comparison.changed.join(', ') : comparison.because };
      },
      async act(handle) {
        const tryForMs = Number.parseInt(params.tryFor, 10) * (params.tryFor.endsWith('m') ? 60_000 : 1000);
        const apply = (signal: AbortSignal) => cluster.machines.apply(node, params.mode, signal, { tryForMs });
        // Up to 1.13 a machine may reboot for a config. Before etcd runs nothing is lost with it.
        const answer = await cluster.machines.dryRun(node, params.mode, handle.signal);
        const isCluster = async () =>
          (await cluster.lifecycle.etcd(handle.signal)).views.some((view) => view.state === 'answered' && view.leader !== 0n);
        if (answer?.mode === 'reboot' && (await isCluster())) {
          await takeAway({ ...context, step: handle.step, log: handle.log }, [node], {
            kind: 'reboot',
            title: 'apply and reboot',
            etcd: 'away',
            ...disruptionOptions(params, cluster.gates),
            act: async (_target, inner) => void (await apply(inner.signal)),
            comesBack: (target, bootId, version) => cluster.lifecycle.back(target, { afterBoot: bootId, noOlderThan: version }),
            happened: (target, bootId, inner, intent) =>
              bootedWith(cluster, { node: target, bootId, what: 'the config', has: isApplied }, inner, intent),
          });
          handle.detail(answer.mode);
          return answer;
        }
        const result = await apply(handle.signal);
        for (const warning of result.warnings) handle.log.warn(warning);
        handle.detail(result.mode);
        return result;
      },
    });
    if (params.mode !== 'staged' && params.mode !== 'try') await wait(cluster.machines.installed(node));
    if (params.mode === 'try' && applied.state === 'acted')
      log(`${node.name} goes back after ${params.tryFor}; for good: npx tk talos:apply-node NODE=${node.name}`);
    if (applied.state === 'already-done') skip('the running config is equal');
    else detail(node.name);
    return { node: node.name, changed: applied.state === 'acted' };
  },
});
