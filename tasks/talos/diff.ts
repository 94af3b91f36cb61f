import { defineTask, fail, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: 'Compare the machine configs that would be generated with the last ones',
  description:
    'Field by field, whatever the order of documents and keys; keys are redacted. Ends with exit 6 when something differs. With --live the running machines are compared instead of the files.',
  params: z.object({ ...nodeParams, live: z.boolean().default(false).describe('compare with the running machines') }),
  examples: ['talos:diff', 'talos:diff --live'],
  effect: 'read',
  async run({ params, cluster, each, print, differs, signal }) {
    const nodes = new Set(cluster.machines.select(params).map((node) => node.name));
    const { files } = await cluster.machineConfigs.generate(signal);
    const configs = files.flatMap((file) => (file.node !== undefined && nodes.has(file.node.name) ? [{ ...file, node: file.node }] : []));
    const compared = await each(configs, async (file) => ({
      node: file.node.name,
      comparison: await (params.live
        ? cluster.machines.differences(file.node, file.text, signal)
        : cluster.machineConfigs.differences(file)),
    }));
    let count = 0;
    const unknown: string[] = [];
    for (const { node, comparison } of compared) {
      if (comparison.state === 'unknown') unknown.push(`${node}: ${comparison.because}`);
      const lines =
        comparison.state === 'compared'
          ? comparison.differences.map((difference) => lineOf(difference))
          : [comparison.state === 'missing' ? comparison.because : `not compared: ${comparison.because}`];
      if (comparison.state !== 'unknown') count += lines.length;
      if (lines.length > 0) print(`${node}\n${lines.map((line) => `  ${line}\n`).join('')}`);
    }
    const rest = unknown.length > 0 ? `, ${unknown.length} not compared` : '';
    print(`${counted(compared.length, 'node')}, ${counted(count, 'difference')}${rest}\n`);
    if (count > 0) differs();
    if (unknown.length > 0)
      fail(`${counted(unknown.length, 'node')} could not be compared`, { because: unknown.join('; '), help: 'npx tk talos:health' });
    return { nodes: compared.length, differences: count, compared };
  },
});

interface Difference {
  readonly document: string;
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

function lineOf({ document, path, change, before, after }: Difference): string {
  const mark = { added: '+', removed: '-', changed: '~' }[change];
  if (path === '') return `${mark} ${document}`;
  const field = `${mark} ${document} ${path}:`;
  if (change === 'changed') return `${field} ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
  return `${field} ${JSON.stringify(change === 'added' ? after : before)}`;
}

const counted = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? '' : 's'}`;
