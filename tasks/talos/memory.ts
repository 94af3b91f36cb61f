import { askEach, defineTask, nodesParams, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the memory of the machines, in MiB',
  params: z.object(nodesParams),
  examples: ['talos:memory'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), (node) =>
      cluster.machines.read(node, (machine) => machine.memory(signal)),
    );
    const mebibytes = (bytes: number) => String(Math.floor(bytes / 2 ** 20));
    print(
      tableText([
        ['NODE', 'TOTAL', 'USED', 'FREE', 'SHARED', 'BUFFERS', 'CACHE', 'AVAILABLE'],
        ...answers.map(({ node, value }) => [
          node.name,
          ...[
            value.totalBytes,
            value.usedBytes,
            value.freeBytes,
            value.sharedBytes,
            value.buffersBytes,
            value.cachedBytes,
            value.availableBytes,
          ].map(mebibytes),
        ]),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, ...value })) };
  },
});
