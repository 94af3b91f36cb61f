import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadClusterInputs } from '../../../lib/config/index.ts';
import { parseYaml, stringifyYaml } from '../../../lib/format/index.ts';
import { renderTree, type TemplateData } from '../../../lib/render/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';
import { root, textsBelow } from '../../rig/reference-cluster.ts';

const templates = textsBelow('templates/config/talos');

/** Text as people write it into inputs, and as nobody should: everything but empty text, which is the same as none. */
const text = fc.oneof(
  fc.constantFrom(
    '*.home.arpa',
    'yes',
    '0644',
    '12:30',
    'a: b',
    '- x',
    '# c',
    '&a',
    '*a',
    '{',
    '"',
    "'",
    '\\',
    '#{ x }#',
    '#% if %#',
    '@x',
    '<b>',
    'null',
    '1e3',
  ),
  fc.string({ minLength: 1, unit: fc.constantFrom(...'abc019 :#-*&!|>%@`"\'\\{}[],?=<~ü') }),
);

test('free text of the inputs is the same text in what is rendered', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 3 }),
      fc.array(text, { maxLength: 3 }),
      text,
      fc.array(text, { maxLength: 2 }),
      fc.dictionary(text, text, { maxKeys: 2 }),
      async (names, times, disk, modules, taints) => {
        const inputs = {
          'cluster.yaml': stringifyYaml({
            node_cidr: '10.0.0.0/24',
            cluster_api_addr: '10.0.0.100',
            cluster_api_tls_sans: names,
            node_ntp_servers: times,
          }),
          'nodes.yaml': stringifyYaml({
            nodes: [
              {
                name: 'cp-1',
                address: '10.0.0.10',
                controller: true,
                disk,
                mac_addr: '02:00:00:00:00:01',
                kernel_modules: modules,
                taints,
              },
            ],
          }),
        };
        const files = createMemoryFiles(
          () => 0,
          Object.fromEntries(Object.entries({ ...templates, ...inputs }).map(([path, content]) => [`${root}/${path}`, content])),
        );
        const { templateData, failures } = await loadClusterInputs(files, root);
        expect(failures).toEqual([]);
        const tree = await renderTree({
          files,
          inputs: [`${root}/templates/config/talos`],
          data: { ...templateData, patch_files: {} } as unknown as TemplateData,
          engine: { dialect: 'makejinja', undefined: 'strict' },
          filter: (path) => /talconfig|time/.test(path),
        });
        if (tree.state === 'failed') throw new Error(JSON.stringify(tree.failures));
        const [time, talconfig] = ['patches/global/time.yaml', 'talconfig.yaml'].map((path) => {
          const output = tree.outputs.find((one) => one.path === path);
          const parsed = parseYaml({ path, text: String(output?.content) });
          expect(parsed.failures).toEqual([]);
          return parsed.documents[0]?.value as Record<string, unknown>;
        });
        const [node] = (talconfig?.['nodes'] ?? []) as Record<string, unknown>[];
        expect(talconfig?.['additionalApiServerCertSans']).toEqual(['127.0.0.1', '10.0.0.100', ...names]);
        expect((time?.['ntp'] as { servers?: unknown } | undefined)?.servers ?? []).toEqual(times);
        expect(
          disk.startsWith('/') ? node?.['installDisk'] : (node?.['installDiskSelector'] as Record<string, unknown> | undefined)?.['serial'],
        ).toBe(disk);
        expect(((node?.['kernelModules'] as { name: string }[] | undefined) ?? []).map(({ name }) => name)).toEqual(modules);
        expect(node?.['nodeTaints'] ?? {}).toEqual(taints);
      },
    ),
    { numRuns: 50 },
  );
});
