import { askEach, defineTask, nodesParams, sizeText, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show what is mounted on the machines, and how full it is',
  params: z.object({ ...nodesParams, all: z.boolean().default(false).describe('also file systems without a size') }),
  examples: ['talos:mounts'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), async (node) => {
      const mounts = await cluster.machines.read(node, (machine) => machine.mounts(signal));
      return mounts.filter((mount) => params.all || mount.sizeBytes > 0);
    });
    print(
      tableText([
        ['NODE', 'FILESYSTEM', 'SIZE', 'USED', 'AVAILABLE', 'PERCENT USED', 'MOUNTED ON'],
        ...answers.flatMap(({ node, value }) =>
          value.map(({ filesystem, sizeBytes, availableBytes, mountedOn }) => [
            node.name,
            filesystem,
            sizeText(sizeBytes),
            sizeText(sizeBytes - availableBytes),
            sizeText(availableBytes),
            sizeBytes === 0 ? '' : `${((1 - availableBytes / sizeBytes) * 100).toFixed(2)}%`,
            mountedOn,
          ]),
        ),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, mounts: value })) };
  },
});
