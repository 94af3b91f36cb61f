import { askEach, defineTask, nodesParams, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the containers of the machines',
  params: z.object({ ...nodesParams, kubernetes: z.boolean().default(false).describe("the kubelet's instead of Talos's own") }),
  examples: ['talos:containers NODE=cp-1 --kubernetes'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const namespace = params.kubernetes ? 'kubernetes' : 'system';
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), (node) =>
      cluster.machines.read(node, (machine) => machine.containers(namespace, signal)),
    );
    print(
      tableText([
        ['NODE', 'NAMESPACE', 'ID', 'IMAGE', 'PID', 'STATUS'],
        ...answers.flatMap(({ node, value }) =>
          value.map(({ namespace: found, id, podId, image, pid, status }) => [
            node.name,
            found,
            id === podId ? id : `└─ ${id}`,
            image,
            String(pid),
            status,
          ]),
        ),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, containers: value })) };
  },
});
