import { askEach, defineTask, nodesParams, tableText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the network links of the machines',
  params: z.object({ ...nodesParams, all: z.boolean().default(false).describe('also links that are made in software') }),
  examples: ['talos:links NODE=cp-1 --all'],
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const { answers, failures } = await askEach({ each }, cluster.operations.nodes(params), async (node) => {
      const links = await cluster.operations.links(node, signal);
      return links.filter((link) => params.all || link.isPhysical);
    });
    print(
      tableText([
        ['NODE', 'LINK', 'KIND', 'STATE', 'MAC', 'MTU', 'DRIVER', 'BUS'],
        ...answers.flatMap(({ node, value }) =>
          value.map((link) => [
            node.name,
            link.name,
            link.kind === '' ? (link.isPhysical ? 'ether' : '') : link.kind,
            link.isUp ? 'up' : 'down',
            link.mac,
            String(link.mtu),
            link.driver,
            link.busPath,
          ]),
        ),
      ]),
    );
    throwIfAny(failures);
    return { nodes: answers.map(({ node, value }) => ({ node: node.name, links: value })) };
  },
});
