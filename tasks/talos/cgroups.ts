import { askEach, defineTask, nodesParams, sizeText, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show what the control groups of the machines use',
  params: z.object({
    ...nodesParams,
    depth: z.number().int().min(0).max(10).default(2).describe('levels below the root'),
  }),
  examples: ['talos:cgroups NODE=cp-1 --depth 1'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), async (node) => {
      const groups = await cluster.machines.read(node, (machine) => machine.cgroups(signal));
      return groups.filter(({ path }) => path === '' || path.split('/').length <= params.depth);
    });
    const bytes = (amount: number | undefined) => (amount === undefined ? '' : sizeText(amount));
    const seconds = (amount: number | undefined) => (amount === undefined ? '' : `${amount.toFixed(1)}s`);
    print(
      tableText([
        ['NODE', 'CGROUP', 'MEMORY', 'PEAK', 'LIMIT', 'SWAP', 'CPU', 'THROTTLED', 'PROCESSES'],
        ...answers.flatMap(({ node, value }) =>
          value.map((group) => [
            node.name,
            group.path === '' ? '/' : `${'  '.repeat(group.path.split('/').length - 1)}${group.path.split('/').at(-1)}`,
            bytes(group.memoryBytes),
            bytes(group.memoryPeakBytes),
            bytes(group.memoryLimitBytes),
            bytes(group.swapBytes),
            seconds(group.cpuSeconds),
            seconds(group.throttledSeconds),
            group.processes === undefined ? '' : String(group.processes),
          ]),
        ),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, cgroups: value })) };
  },
});
