import { askEach, defineTask, nodesParams, sizeText, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the processes of the machines',
  params: z.object({
    ...nodesParams,
    sort: z.enum(['rss', 'cpu', 'pid']).default('rss').describe('by resident memory, by processor time, by number'),
  }),
  examples: ['talos:processes NODE=cp-1 --sort cpu'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), async (node) => {
      const processes = await cluster.machines.read(node, (machine) => machine.processes(signal));
      const by = { rss: 'residentBytes', cpu: 'cpuSeconds' } as const;
      return params.sort === 'pid' ? processes : processes.toSorted((a, b) => b[by[params.sort as 'rss']] - a[by[params.sort as 'rss']]);
    });
    print(
      tableText([
        ['NODE', 'PID', 'STATE', 'THREADS', 'CPU-TIME', 'VIRTMEM', 'RESMEM', 'LABEL', 'COMMAND'],
        ...answers.flatMap(({ node, value }) =>
          value.map((process) => [
            node.name,
            String(process.pid),
            process.state,
            String(process.threads),
            process.cpuSeconds.toFixed(2),
            sizeText(process.virtualBytes),
            sizeText(process.residentBytes),
            process.label,
            process.command,
          ]),
        ),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, processes: value })) };
  },
});
