import { defineTask, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the kernel log of a node, or of every node',
  params: z.object({ ...nodeParams, follow: z.boolean().default(false).describe('go on until Ctrl-C') }),
  effect: 'read',
  async run({ params, cluster, each, print, stopping }) {
    const nodes = cluster.machines.select(params);
    await each(
      nodes,
      (node) =>
        cluster.machines.read(node, async (machine) => {
          const prefix = nodes.length > 1 ? `${node.name}: ` : '';
          let rest = '';
          for await (const chunk of machine.dmesg({ follow: params.follow }, stopping)) {
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
