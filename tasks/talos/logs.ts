import { askEach, defineTask, nodesParams, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the log of a service of a node, or of every node',
  description:
    'With --follow it goes on until Ctrl-C, also over a reboot of the machine. Lines of several nodes begin with the name of theirs.',
  params: z.object({
    ...nodesParams,
    service: z.string().default('machined').describe('etcd, kubelet, apid, …'),
    tail: z.number().int().min(0).default(100).describe('lines from the end'),
    follow: z.boolean().default(false).describe('go on until Ctrl-C'),
  }),
  positional: ['service'],
  examples: ['talos:logs etcd NODE=cp-1', 'talos:logs kubelet --follow'],
  effect: 'read',
  async run({ params, cluster, each, print, log, signal, stopping }) {
    const nodes = cluster.operations.nodes(params);
    const { service, tail: tailLines, follow: follows } = params;
    const width = Math.max(0, ...nodes.map((node) => node.name.length));
    const { answers, failures } = await askEach(
      { each },
      nodes,
      async (node) => {
        const prefix = nodes.length > 1 ? `${`${node.name}:`.padEnd(width + 1)} ` : '';
        const lines: string[] = [];
        const request = { service, tailLines, follows, lost: (failure: Parameters<typeof log.warn>[0]) => log.warn(failure) };
        for await (const line of cluster.operations.log(node, request, stopping)) {
          print(`${prefix}${line}\n`);
          if (!follows) lines.push(line);
        }
        return { node: node.name, lines };
      },
      { parallel: nodes.length },
    );
    // A word that means nothing means nothing on every machine: said once, with what it may mean.
    const [silent] = failures.filter(({ code }) => code === 'talos/not-found');
    const first = nodes.find((node) => node.name === silent?.facts['node']);
    if (answers.length === 0 && first !== undefined)
      cluster.operations.checkService(service, await cluster.machines.read(first, (machine) => machine.services(signal)));
    // Not every machine has every service: etcd is none of a worker's.
    const isAsked = [params.node, params.ip, params.hostname, params.nodes].some((named) => named !== undefined);
    throwIfAny(isAsked || answers.length === 0 ? failures : failures.filter(({ code }) => code !== 'talos/not-found'));
    return { logs: answers.map(({ value }) => value) };
  },
});
