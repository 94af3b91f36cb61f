import { expect, test } from 'vitest';
import { findRepository, renderedMark, talconfigPaths } from '../../../lib/config/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const root = '/home/user/home-ops';

const find = (paths: readonly string[] | Record<string, string>, from = root, options = {}) => {
  const contents: Record<string, string> = Array.isArray(paths)
    ? Object.fromEntries(paths.map((path: string) => [path, '']))
    : { ...(paths as Record<string, string>) };
  const files = Object.fromEntries(Object.entries(contents).map(([path, text]) => [`${root}/${path}`, text]));
  return findRepository(
    createMemoryFiles(() => 0, files),
    from,
    options,
  );
};

test('the first directory upwards that says what the cluster is', async () => {
  expect(await find(['cluster.yaml', 'nodes.yaml', 'kubernetes/apps/x/ks.yaml'], `${root}/kubernetes/apps/x`)).toEqual({
    root,
    source: { kind: 'cluster.yaml' },
  });
  expect(await find(['tasks.config.ts', 'kubernetes/x.yaml'], `${root}/kubernetes`)).toEqual({
    root,
    source: { kind: 'none' },
    tasksConfig: 'tasks.config.ts',
  });
  expect(await find(['talos/talconfig.yaml'])).toEqual({
    root,
    source: { kind: 'talconfig.yaml', path: 'talos/talconfig.yaml', besides: false },
  });
  expect((await find(['iac/talos/talconfig.yaml', 'tasks.config.ts'])).source).toEqual({
    kind: 'talconfig.yaml',
    path: 'iac/talos/talconfig.yaml',
    besides: false,
  });
});

test('a talconfig of its own wins over cluster.yaml, a rendered one does not', async () => {
  const inputs = { 'cluster.yaml': '', 'nodes.yaml': '' };
  expect((await find({ ...inputs, 'talos/talconfig.yaml': 'clusterName: x\n' })).source).toEqual({
    kind: 'talconfig.yaml',
    path: 'talos/talconfig.yaml',
    besides: true,
  });
  expect((await find({ ...inputs, 'talos/talconfig.yaml': `${renderedMark} from x\n` })).source).toEqual({ kind: 'cluster.yaml' });
  expect((await find({ ...inputs, 'talos/talconfig.yaml': '', 'templates/config/talos/talconfig.yaml.j2': '' })).source).toEqual({
    kind: 'cluster.yaml',
  });
});

test('two talconfigs are named both', async () => {
  await expect(find(['talos/talconfig.yaml', 'setup/talos/talconfig.yaml'])).rejects.toMatchObject({
    failures: [{ code: 'config/ambiguous-cluster', facts: { first: 'talos/talconfig.yaml', second: 'setup/talos/talconfig.yaml' } }],
  });
});

test('one input without the other, and nothing at all, are told apart', async () => {
  await expect(find({ 'cluster.yaml': 'node_cidr: 10.0.0.0/24\n' })).rejects.toMatchObject({
    failures: [{ code: 'config/missing-file', facts: { path: 'nodes.yaml', neededBy: 'cluster.yaml' } }],
  });
  await expect(find({ 'nodes.yaml': 'nodes: []\n' })).rejects.toMatchObject({
    failures: [{ code: 'config/missing-file', facts: { path: 'cluster.yaml', neededBy: 'nodes.yaml' } }],
  });
  await expect(find({ 'cluster.yaml': 'apiVersion: postgresql.cnpg.io/v1\n' })).rejects.toMatchObject({
    failures: [{ code: 'config/no-repository', facts: { from: root, elsewhere: [] } }],
  });
});

test('a named directory is taken as it is, without a look upwards', async () => {
  await expect(find(['cluster.yaml', 'nodes.yaml'], `${root}/talos`, { exactly: true })).rejects.toMatchObject({
    failures: [{ code: 'config/no-repository' }],
  });
});

test('a rendered talconfig does not stand in for an input that has gone', async () => {
  const inputs = { 'cluster.yaml': 'node_cidr: 10.0.0.0/24\n', 'talos/talconfig.yaml': `${renderedMark}\nclusterName: x\n` };
  await expect(find(inputs)).rejects.toMatchObject({
    failures: [{ code: 'config/missing-file', facts: { path: 'nodes.yaml', neededBy: 'cluster.yaml' } }],
  });
  expect((await find({ 'talos/talconfig.yaml': `${renderedMark}\nclusterName: x\n` })).source).toMatchObject({ kind: 'talconfig.yaml' });
});

test('the folder of a talconfig in a known place is no repository of its own', async () => {
  expect(await find(['talos/talconfig.yaml'], `${root}/talos`)).toEqual({
    root,
    source: { kind: 'talconfig.yaml', path: 'talos/talconfig.yaml', besides: false },
  });
  expect((await find(['kubernetes/bootstrap/talos/talconfig.yaml'], `${root}/kubernetes/bootstrap/talos/patches`)).root).toBe(root);
  expect((await find(['talos/talconfig.yaml'], `${root}/talos`, { exactly: true })).root).toBe(`${root}/talos`);
});

test('a talconfig that is named wins, with the repository around it as the root', async () => {
  const files = ['.git/HEAD', 'talos/talconfig.yaml', 'clusters/two/talconfig.yaml', 'tasks.config.ts'];
  expect(await find(files, root, { talconfig: `${root}/clusters/two/talconfig.yaml` })).toEqual({
    root,
    tasksConfig: 'tasks.config.ts',
    source: { kind: 'talconfig.yaml', path: 'clusters/two/talconfig.yaml', besides: false },
  });
  expect((await find(['a/b/talconfig.yaml'], `${root}/a`, { talconfig: `${root}/a/b/talconfig.yaml` })).root).toBe(`${root}/a`);
  expect((await find(['a/b/talconfig.yaml'], '/elsewhere', { talconfig: `${root}/a/b/talconfig.yaml` })).root).toBe(`${root}/a/b`);
  await expect(find(files, root, { talconfig: `${root}/none.yaml` })).rejects.toMatchObject({
    failures: [{ code: 'config/missing-file', facts: { path: `${root}/none.yaml`, neededBy: '--talconfig' } }],
  });
});

test("another program's inputs are named where tk finds none of its own", async () => {
  for (const [files, path] of [
    [{ 'talos/topf.yaml': 'clusterName: home\n', 'cluster.toml': '[network]\nnode_cidr = "10.0.0.0/24"\n' }, 'talos/topf.yaml'],
    [{ 'cluster.toml': '[network]\nnode_cidr = "10.0.0.0/24"\n' }, 'cluster.toml'],
    [{ 'talos/machineconfig.yaml.j2': 'machine: {}\n' }, 'talos/machineconfig.yaml.j2'],
    [{ 'talos/main/machineconfig.yaml.j2': 'machine: {}\n', 'talos/test/machineconfig.yaml.j2': '' }, 'talos/main/machineconfig.yaml.j2'],
    [{ 'clusters/home/topf.yaml': 'clusterName: home\n', 'templates/talos/topf.yaml': '' }, 'clusters/home/topf.yaml'],
    [
      { 'config.sample.yaml': 'bootstrap_node_network: 10.0.0.0/24\n', 'makejinja.toml': 'data = ["./config.yaml"]\n' },
      'config.sample.yaml',
    ],
  ] as const)
    await expect(find(files)).rejects.toMatchObject({ failures: [{ code: 'config/other-inputs', facts: { path }, where: { line: 1 } }] });
  await expect(find({ 'cluster.toml': '[[shards]]\nid = 1\n' })).rejects.toMatchObject({ failures: [{ code: 'config/no-repository' }] });
  await expect(find({ 'config.yaml': 'theme: dark\n' })).rejects.toMatchObject({ failures: [{ code: 'config/no-repository' }] });
  expect((await find({ 'talos/topf.yaml': '', 'talconfig.yaml': 'clusterName: x\n' })).source).toMatchObject({ kind: 'talconfig.yaml' });
});

test('templates whose inputs are not here say which file they need', async () => {
  await expect(find({ 'makejinja.toml': '[makejinja]\ndata = ["./cluster.yaml", "./nodes.yaml"]\n' })).rejects.toMatchObject({
    failures: [{ code: 'config/missing-file', facts: { path: 'cluster.yaml', neededBy: 'makejinja.toml' }, where: { line: 2, column: 9 } }],
  });
  const rendered = { 'templates/config/talos/talconfig.yaml.j2': '', 'talos/talconfig.yaml': '' };
  expect((await find({ 'makejinja.toml': 'data = ["./cluster.yaml"]\n', ...rendered })).source).toMatchObject({ kind: 'talconfig.yaml' });
  await expect(find({ 'makejinja.toml': '[makejinja]\ndata = ["./values.yaml"]\n' })).rejects.toMatchObject({
    failures: [{ code: 'config/no-repository' }],
  });
});

test('talconfigs in other places are named, nearest first', async () => {
  await expect(
    find(['talos/b/talconfig.yaml', 'talos/a/talconfig.yaml', 'x/y/z/q/talconfig.yml', '.git/talconfig.yaml']),
  ).rejects.toMatchObject({
    failures: [{ facts: { elsewhere: ['talos/a/talconfig.yaml', 'talos/b/talconfig.yaml', 'x/y/z/q/talconfig.yml'] } }],
  });
  expect((await find(['infrastructure/talos/talconfig.yaml'])).source).toMatchObject({ path: 'infrastructure/talos/talconfig.yaml' });
  expect((await find(['kubernetes/talos/talconfig.yaml'])).source).toMatchObject({ path: 'kubernetes/talos/talconfig.yaml' });
});

test('kubernetes/ is a Flux tree when it has applications, or a helmfile bootstraps it', async () => {
  const treeOf = async (...paths: readonly string[]) => {
    const files = createMemoryFiles(() => 0, Object.fromEntries(paths.map((path) => [`${root}/${path}`, ''])));
    return (await talconfigPaths(files, root, `${root}/talos/talconfig.yaml`)).kubernetes;
  };
  expect(await treeOf('kubernetes/apps/web/a.yaml')).toBe(`${root}/kubernetes`);
  expect(await treeOf('kubernetes/base/web/a.yaml', 'bootstrap/helmfile.d/01-apps.yaml')).toBe(`${root}/kubernetes`);
  expect(await treeOf('kubernetes/base/web/a.yaml', 'kubernetes/bootstrap/helmfile.yaml')).toBe(`${root}/kubernetes`);
  expect(await treeOf('kubernetes/talos/a.yaml', 'bootstrap/notes.md')).toBeUndefined();
  expect(await treeOf('bootstrap/helmfile.yaml')).toBeUndefined();
  expect(await treeOf('kubernetes/apps/web/Chart.yaml')).toBeUndefined();
  expect(await treeOf('kubernetes/apps/web/Chart.yaml', 'kubernetes/flux/cluster/ks.yaml')).toBe(`${root}/kubernetes`);
});
