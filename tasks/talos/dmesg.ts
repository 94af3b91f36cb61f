import { askEach, defineTask, nodesParams, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the kernel log of a node, or of every node',
  description: 'With --follow it goes on until Ctrl-C, also over a reboot of the machine.',
  params: z.object({
    ...nodesParams,
    tail: z.number().int().min(0).optional().describe('lines from the end; absent: all'),
    follow: z.boolean().default(false).describe('go on until Ctrl-C'),
  }),
  examples: ['talos:dmesg NODE=cp-1 --tail 50', 'talos:dmesg --follow'],
  effect: 'read',
  async run({ params, cluster, each, print, log, stopping }) {
    const nodes = cluster.operations.nodes(params);
    const width = Math.max(0, ...nodes.map((node) => node.name.length));
    const { answers, failures } = await askEach(
      { each },
      nodes,
      async (node) => {
        const prefix = nodes.length > 1 ? `${`${node.name}:`.padEnd(width + 1)} ` : '';
        const lines: string[] = [];
        const request = {
          follows: params.follow,
          ...(params.tail === undefined ? {} : { tailLines: params.tail }),
          lost: (failure: Parameters<typeof log.warn>[0]) => log.warn(failure),
        };
        for await (const line of cluster.operations.log(node, request, stopping)) {
          print(`${prefix}${line}\n`);
          if (!params.follow) lines.push(line);
        }
        return { node: node.name, lines };
      },
      { parallel: nodes.length },
    );
    throwIfAny(failures);
    return { logs: answers.map(({ value }) => value) };
  },
});
