import { defineTask, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: 'Show the services of a node, or of every node',
  params: z.object(nodeParams),
  effect: 'read',
  async run({ params, cluster, each, print, signal }) {
    const nodes = cluster.machines.select(params);
    const rows = await each(nodes, async (node) => {
      const services = await cluster.machines.read(node, (machine) => machine.services(signal));
      return services.map((service) => [node.name, service.id, service.state, service.health, service.events.at(-1)?.message ?? '']);
    });
    print(table([['NODE', 'SERVICE', 'STATE', 'HEALTH', 'LAST EVENT'], ...rows.flat()]));
    return { services: rows.flat().length };
  },
});

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
