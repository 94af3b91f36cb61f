import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadClusterInputs } from '../../../lib/config/index.ts';
import { renderTree } from '../../../lib/render/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const answers = {
  tk_version: '0.1.0',
  node_version: '24.21.0',
  cluster_name: 'home-ops',
  talos_version: 'v1.14.1',
  kubernetes_version: 'v1.37.0',
  node_cidr: '192.168.1.0/24',
  cluster_api_addr: '192.168.1.100',
  repository_name: 'owner/home-ops',
  sops_age_recipients: ['age156y603qa43frkk3u3v9r987xns3avgjsrhgf8wr0gwvukprjre6sft0spg'],
  nodes: [
    { name: 'cp-1', address: '192.168.1.10', controller: true, disk: '/dev/sda', mac_addr: '02:00:00:00:01:10' },
    { name: 'worker-1', address: '192.168.1.20', controller: false, disk: '0123456789', mac_addr: '02:00:00:00:01:20' },
  ],
};

async function written(data: Record<string, unknown>) {
  const folder = 'templates/repository';
  const sources = readdirSync(folder).map((name) => [`/tk/${folder}/${name}`, readFileSync(join(folder, name), 'utf8')] as const);
  const tree = await renderTree({
    files: createMemoryFiles(() => 0, Object.fromEntries(sources)),
    inputs: [`/tk/${folder}`],
    data: data as never,
    engine: { dialect: 'makejinja', undefined: 'strict' },
  });
  if (tree.state === 'failed') throw new Error(JSON.stringify(tree.failures, null, 2));
  return Object.fromEntries(
    tree.outputs.map(({ path, content }) => [path, typeof content === 'string' ? content : new TextDecoder().decode(content)]),
  );
}

test('a new repository holds its inputs, its settings and what git must not take', async () => {
  const files = await written(answers);
  expect(Object.keys(files).sort()).toEqual(['.gitignore', 'README.md', 'cluster.yaml', 'nodes.yaml', 'package.json', 'tasks.config.ts']);
  expect(files).toMatchSnapshot();
  expect(JSON.parse(files['package.json'] as string).dependencies).toEqual({ 'talos-tk': '0.1.0' });
});

test('its inputs are valid as they were written', async () => {
  const { repository_name: _, ...withoutRepository } = answers;
  for (const data of [answers, withoutRepository]) {
    const files = await written(data);
    const memory = createMemoryFiles(() => 0, Object.fromEntries(Object.entries(files).map(([path, text]) => [`/home/${path}`, text])));
    const { failures, warnings, model } = await loadClusterInputs(memory, '/home');
    expect([failures, warnings]).toEqual([[], []]);
    expect(model?.nodes.map(({ disk }) => disk)).toEqual([
      { by: 'path', path: '/dev/sda' },
      { by: 'selector', selector: { serial: '0123456789' } },
    ]);
  }
});
