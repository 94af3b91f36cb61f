import { askEach, defineTask, nodesParams, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show how busy the processors of the machines are',
  params: z.object({
    ...nodesParams,
    seconds: z.number().int().min(1).max(60).default(1).describe('time between the two looks'),
  }),
  examples: ['talos:cpu --seconds 2'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), (node) =>
      cluster.operations.cpu(node, { overMs: params.seconds * 1000 }, signal),
    );
    print(
      tableText([
        ['NODE', 'BUSY', 'THREADS', 'LOAD 1', 'LOAD 5', 'LOAD 15', 'MODEL'],
        ...answers.map(({ node, value }) => [
          node.name,
          `${(value.busy * 100).toFixed(1)}%`,
          String(value.processors),
          ...value.load.map((load) => load.toFixed(2)),
          value.model,
        ]),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, ...value })) };
  },
});
