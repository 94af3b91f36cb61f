import { defineTask, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the log of a service of a node, or of every node',
  params: z.object({
    ...nodeParams,
    service: z.string().default('machined').describe('etcd, kubelet, apid, …'),
    tail: z.number().int().min(0).default(100).describe('lines from the end'),
    follow: z.boolean().default(false).describe('go on until Ctrl-C'),
  }),
  positional: ['service'],
  effect: 'read',
  async run({ params, cluster, each, print, stopping }) {
    const nodes = cluster.machines.select(params);
    await each(
      nodes,
      (node) =>
        cluster.machines.read(node, async (machine) => {
          const prefix = nodes.length > 1 ? `${node.name}: ` : '';
          let rest = '';
          for await (const chunk of machine.logs({ service: params.service, follow: params.follow, tailLines: params.tail }, stopping)) {
            // A chunk may end in the middle of a line.
            const lines = (rest + chunk).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) print(`${prefix}${line}\n`);
          }
          if (rest !== '') print(`${prefix}${rest}\n`);
        }),
      { parallel: nodes.length },
    );
  },
});
