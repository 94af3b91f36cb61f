import { askEach, defineTask, nodesParams, sizeText, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the disks of the machines',
  params: z.object(nodesParams),
  examples: ['talos:disks'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), (node) =>
      cluster.operations.disks(node, signal),
    );
    print(
      tableText([
        ['NODE', 'DEVICE', 'SIZE', 'TRANSPORT', 'MODEL', 'SERIAL', 'WWID', 'USE'],
        ...answers.flatMap(({ node, value }) =>
          value.map((disk) => [
            node.name,
            disk.devPath,
            sizeText(disk.sizeBytes),
            disk.transport,
            disk.model,
            disk.serial,
            disk.wwid,
            disk.isSystemDisk ? 'system' : disk.isReadonly ? 'read-only' : '',
          ]),
        ),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, disks: value })) };
  },
});
