import { askEach, defineTask, nodesParams, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the services of a node, or of every node',
  params: z.object({ service: z.string().optional().describe('this one, with all that it says about itself'), ...nodesParams }),
  positional: ['service'],
  examples: ['talos:services', 'talos:services kubelet NODE=worker-1'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), async (node) => {
      return cluster.machines.read(node, (machine) => machine.services(signal));
    });
    const known = answers.flatMap(({ value }) => value);
    if (params.service !== undefined && failures.length === 0) cluster.operations.checkService(params.service, known);
    const isShown = ({ id }: { readonly id: string }) => params.service === undefined || id === params.service;
    print(
      tableText([
        ['NODE', 'SERVICE', 'STATE', 'HEALTH', params.service === undefined ? 'LAST EVENT' : 'EVENTS'],
        ...answers.flatMap(({ node, value }) =>
          value.filter(isShown).flatMap((service) => {
            const head = [node.name, service.id, service.state, service.health];
            if (params.service === undefined) return [[...head, service.events.at(-1)?.message ?? '']];
            const [newest, ...older] = service.events.toReversed().map((event) => `${event.state}: ${event.message}`);
            return [[...head, newest ?? ''], ...older.map((event) => ['', '', '', '', event])];
          }),
        ),
      ]),
    );
    throwIfAny(failures);
    return { services: answers.flatMap(({ node, value }) => value.filter(isShown).map((service) => ({ node: node.name, ...service }))) };
  },
});
