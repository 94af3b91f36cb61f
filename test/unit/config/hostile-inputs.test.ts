import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadClusterInputs } from '../../../lib/config/index.ts';
import { editYaml, parseYaml } from '../../../lib/format/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';
import { renderFailure } from '../../../lib/ui/index.ts';

const clusterText = `${readFileSync('cluster.yaml', 'utf8')}cilium_loadbalancer_mode: dsr\ncluster_pod_cidr: 10.42.0.0/16\nnode_dns_servers: [1.1.1.1]\nextra: { a: 1 }\n`;
const nodesText = readFileSync('nodes.yaml', 'utf8');

const load = (cluster: string, nodes: string) =>
  loadClusterInputs(
    createMemoryFiles(() => 0, { '/r/cluster.yaml': cluster, '/r/nodes.yaml': nodes }),
    '/r',
  );

/** Whatever stands in the files: a model or failures with places, words for each of them, and never an exception. */
async function checkOutcome(cluster: string, nodes: string): Promise<void> {
  const { model, templateData, failures, warnings } = await load(cluster, nodes);
  expect(model === undefined).toBe(failures.length > 0);
  expect(templateData === undefined).toBe(failures.length > 0);
  for (const failure of [...failures, ...warnings]) {
    expect([failure.code, failure.where?.kind]).toEqual([failure.code, 'file']);
    expect(renderFailure(failure)).not.toContain('undefined');
  }
  // What was taken once is taken again, in the same way.
  if (model)
    expect((await load(cluster, nodes)).model?.nodes.map(({ address }) => address)).toEqual(model.nodes.map(({ address }) => address));
}

const lines = (text: string) => text.split(/(?<=\n)/);

const mutation = fc.record({
  kind: fc.constantFrom('drop', 'twice', 'cut', 'insert', 'indent'),
  at: fc.nat(),
  text: fc.constantFrom(
    ':',
    '- ',
    '[',
    '"',
    '&a ',
    '*a',
    '!!int ',
    '\t',
    '\u0000',
    '\uFEFF',
    '{}',
    '~',
    'null',
    '0x',
    '<<: ',
    '---\n',
    '# ',
  ),
});

function mutated(text: string, mutations: readonly { kind: string; at: number; text: string }[]): string {
  return mutations.reduce((current, { kind, at, text: piece }) => {
    const all = lines(current);
    const index = at % all.length;
    const line = all[index] as string;
    const column = at % line.length;
    const changed = {
      drop: '',
      twice: line + line,
      cut: line.slice(0, column),
      insert: line.slice(0, column) + piece + line.slice(column),
      indent: `  ${line}`,
    }[kind] as string;
    return [...all.slice(0, index), changed, ...all.slice(index + 1)].join('');
  }, text);
}

test('mutilated files are told about, never thrown about', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), fc.array(mutation, { maxLength: 4 }), async (ofCluster, ofNodes) => {
      await checkOutcome(mutated(clusterText, ofCluster), mutated(nodesText, ofNodes));
    }),
    { numRuns: 70 },
  );
});

const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e99,
    '',
    ' ',
    '0',
    'yes',
    '10.0.0.0/8',
    '192.168.42.10',
    '::1',
    'fd00::/64',
    '0.0.0.0/0',
    '10.42.0.0/16,fd00::/48',
    [],
    {},
    [[]],
    [null],
    { a: null },
    2n ** 70n,
    '__proto__',
    '💥',
    'a'.repeat(300),
  ),
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }),
);

test('any value in any place is told about, never thrown about', async () => {
  const clusterPaths = Object.keys(parseYaml({ path: 'cluster.yaml', text: clusterText }).documents[0]?.value as object).map((key) => [
    key,
  ]);
  const nodePaths = Array.from({ length: 6 }, (_, index) => index).flatMap((index) =>
    ['name', 'address', 'controller', 'disk', 'mac_addr', 'mtu', 'labels', 'taints', 'extensions', 'kernel_modules', 'schematic_id'].map(
      (key) => ['nodes', index, key],
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...clusterPaths),
      strange,
      fc.constantFrom(...nodePaths),
      strange,
      async (clusterPath, clusterValue, nodePath, nodeValue) => {
        const cluster = editYaml({ path: 'cluster.yaml', text: clusterText }, [{ op: 'set', path: clusterPath, value: clusterValue }]);
        const nodes = editYaml({ path: 'nodes.yaml', text: nodesText }, [{ op: 'set', path: nodePath, value: nodeValue }]);
        await checkOutcome(cluster, nodes);
      },
    ),
    { numRuns: 70 },
  );
});
