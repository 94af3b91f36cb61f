import { defineTask, holds, minutes, nodeParams, notYet, seconds, z } from 'talos-tk';

const calls = { start: 'ServiceStart', stop: 'ServiceStop', restart: 'ServiceRestart' } as const;

export default defineTask({
  summary: 'Start, stop or restart a service of one node',
  description:
    'Talos lets the kubelet be started and restarted, and services of extensions be stopped too; it refuses for all others. `talos:services` shows them.',
  params: z.object({
    service: z.string().describe('kubelet, ext-tailscale, …'),
    action: z.enum(['start', 'stop', 'restart']).describe('what to do with it'),
    ...nodeParams,
  }),
  positional: ['service', 'action'],
  examples: ['talos:service kubelet restart NODE=worker-1'],
  effect: 'mutate',
  locks: ({ ip, node, hostname }) => [`machine ${ip ?? node ?? hostname ?? ''}`],
  probe: async ({ params, cluster, signal }) => {
    const services = await cluster.machines.read(cluster.find(params), (machine) => machine.services(signal));
    cluster.operations.checkService(params.service, services);
    return { state: services.find((service) => service.id === params.service)?.state };
  },
  plan({ params, cluster }, facts) {
    const node = cluster.find(params).name;
    const title = `${params.action} ${params.service}`;
    if (facts === undefined) return [{ decision: 'unknown', title, node, reason: 'the machine was not asked' }];
    if (isDone(params.action, facts.state)) return [{ decision: 'skip', title, node, reason: `it is ${facts.state}` }];
    const calls_ = [{ target: node, call: `machine.MachineService/${calls[params.action]}` }];
    return [{ decision: 'run', title, node, reason: `it is ${facts.state ?? 'not registered'}`, calls: calls_ }];
  },
  async run({ params, cluster, step, wait, skip, detail, signal: runs }) {
    const node = cluster.find(params);
    const { service, action } = params;
    cluster.operations.checkService(service, await cluster.machines.read(node, (machine) => machine.services(runs)));
    const stateOf = async (signal: AbortSignal) =>
      (await cluster.machines.read(node, (machine) => machine.services(signal))).find((one) => one.id === service);
    const result = await step.probeAct(`${action} ${service}`, {
      node: node.name,
      async probe({ signal }) {
        const state = (await stateOf(signal))?.state ?? 'not registered';
        return isDone(action, state)
          ? { state: 'done', seen: `it is ${state}`, value: undefined }
          : { state: 'not-done', seen: `it is ${state}` };
      },
      act: ({ signal }) => cluster.operations.service(node, service, action, signal),
    });
    if (result.state === 'already-done') {
      skip(result.seen);
      return { node: node.name, service, changed: false };
    }
    const state = await wait({
      description: `${service} on ${node.name} to ${action === 'stop' ? 'end' : 'run'}`,
      deadlineMs: minutes(5),
      intervalMs: seconds(1),
      see: `npx tk talos:logs NODE=${node.name} SERVICE=${service}`,
      async check(signal) {
        const seen = await stateOf(signal);
        const isThere = action === 'stop' ? seen?.state === 'Finished' : seen?.state === 'Running' && seen.health !== 'unhealthy';
        return isThere ? holds(seen?.state ?? '') : notYet([seen?.state, seen?.events.at(-1)?.message].filter(Boolean).join(': '));
      },
    });
    detail(`${service} on ${node.name} is ${state}`);
    return { node: node.name, service, changed: true };
  },
});

const isDone = (action: 'start' | 'stop' | 'restart', state: string | undefined): boolean =>
  (action === 'start' && state === 'Running') || (action === 'stop' && state === 'Finished');
