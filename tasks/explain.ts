import { type ClusterView, defineTask, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: 'Show what a field of a machine config is, and every layer that set it',
  description:
    'A field of the old document is named by its path (machine.network.hostname), one of a newer document after its kind (KubeletConfig.extraArgs, UserVolumeConfig/data.provisioning). Keys are redacted.',
  params: z.object({ path: z.string().min(1).describe('machine.kubelet.extraArgs, HostnameConfig.hostname'), ...nodeParams }),
  positional: ['path'],
  examples: ['explain HostnameConfig.hostname NODE=cp-1'],
  effect: 'read',
  async run({ params, cluster, print, signal }) {
    const answers = await cluster.machineConfigs.explain(cluster.machines.select(params), params.path, signal);
    // Nodes that are told the same are told it once.
    const nodesOf = new Map<string, string[]>();
    for (const answer of answers) {
      const text = textOf(answer);
      nodesOf.set(text, [...(nodesOf.get(text) ?? []), answer.node.name]);
    }
    print([...nodesOf].map(([text, nodes]) => `${nodes.join(', ')}\n${text}`).join('\n'));
    return { fields: answers.map((answer) => ({ ...answer, node: answer.node.name })) };
  },
});

type Answer = Awaited<ReturnType<ClusterView['machineConfigs']['explain']>>[number];

function textOf({ document, path, value, layers, movedTo }: Answer): string {
  if (layers.length === 0) {
    const hint = movedTo.length > 0 ? `; in this version it belongs to ${movedTo.join(', ')}` : '';
    return `  ${path} is not set by anything${hint}\n`;
  }
  const field = document === 'v1alpha1' ? path : `${document} ${path}`.trimEnd();
  const rows = layers.map((layer, index) => [
    String(index + 1),
    layer.origin,
    layer.where ?? '',
    layer.value === undefined ? '(deleted)' : JSON.stringify(layer.value),
    index === layers.length - 1 ? 'wins' : `shadowed by ${index + 2}`,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) => `    ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`);
  return `  ${field} = ${value === undefined ? '(not set)' : JSON.stringify(value)}\n${lines.join('')}`;
}
