import { expect, test } from 'vitest';
import { Secret } from '../../../lib/base/index.ts';
import { pluginFacts, templateSetup } from '../../../lib/cluster/makejinja.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const open = (files: Readonly<Record<string, string>>) =>
  createMemoryFiles(() => 0, Object.fromEntries(Object.entries(files).map(([path, text]) => [`/home/${path}`, text])));

const clusterTemplate = `[makejinja]
inputs = ["./templates/overrides","./templates/config"]
output = "./"
exclude_patterns = ["*.partial.yaml.j2"]
data = ["./cluster.yaml", "./nodes.yaml"]
import_paths = ["./templates/scripts"]
loaders = ["plugin:Plugin"]
jinja_suffix = ".j2"
copy_metadata = true
force = true
undefined = "chainable"

[makejinja.delimiter]
block_start = "#%"
block_end = "%#"
comment_start = "#|"
comment_end = "#|"
variable_start = "#{"
variable_end = "}#"
`;

test("a repository's makejinja.toml decides over folders, delimiters and what is undefined", async () => {
  const files = open({ 'makejinja.toml': clusterTemplate, 'templates/config/a.yaml.j2': '', 'templates/overrides/b.yaml': '' });
  expect(await templateSetup(files, '/home')).toEqual({
    inputs: ['/home/templates/overrides', '/home/templates/config'],
    suffix: '.j2',
    exclude: ['*.partial.yaml.j2'],
    keepEmpty: false,
    hasPlugin: true,
    isShipped: false,
    engine: {
      undefined: 'chainable',
      delimiters: { blockStart: '#%', blockEnd: '%#', commentStart: '#|', commentEnd: '#|', variableStart: '#{', variableEnd: '}#' },
      trimBlocks: true,
      lstripBlocks: true,
      keepTrailingNewline: true,
    },
  });
});

test('without one our own folder is strict, and one that asks for too much is told', async () => {
  expect(await templateSetup(open({ 'templates/config/a': '' }), '/home')).toMatchObject({
    inputs: ['/home/templates/config'],
    hasPlugin: false,
    engine: { undefined: 'strict' },
  });
  expect((await templateSetup(open({ 'cluster.yaml': '' }), '/home')).inputs).toEqual([]);
  for (const [line, key] of [
    ['output = "./rendered"', 'output'],
    ['undefined = "silent"', 'undefined'],
  ])
    await expect(templateSetup(open({ 'makejinja.toml': `[makejinja]\n${line}\n` }), '/home')).rejects.toMatchObject({
      failure: { code: 'cluster/makejinja', facts: { key } },
    });
  await expect(templateSetup(open({ 'makejinja.toml': '[makejinja\n' }), '/home')).rejects.toMatchObject({
    failure: { code: 'format/syntax' },
  });
});

test("the plugin's functions get the repository's keys; a sandbox gets made-up ones", async () => {
  const files = open({
    'makejinja.toml': clusterTemplate,
    'github-deploy.key': 'KEY\n',
    'cloudflare-tunnel.json': '{"AccountTag":"a","TunnelID":"t","TunnelSecret":"s"}',
    'templates/config/talos/patches/global/b.yaml.j2': '',
    'templates/config/talos/patches/global/a.yaml.j2': '',
    'templates/config/talos/patches/global/README.md': '',
  });
  const key = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';
  const vault = { ageKey: async () => new Secret(`${key}\n`) } as never;
  const setup = await templateSetup(files, '/home');
  expect(await pluginFacts({ files, root: '/home', vault, isSandbox: false, setup })).toEqual({
    ageKey: { public: 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj', private: key },
    deployKey: 'KEY',
    cloudflareTunnel: { AccountTag: 'a', TunnelID: 't', TunnelSecret: 's' },
    talosPatches: {
      global: ['/home/templates/config/talos/patches/global/a.yaml.j2', '/home/templates/config/talos/patches/global/b.yaml.j2'],
    },
  });
  const made = await pluginFacts({ files, root: '/home', vault, isSandbox: true, setup });
  expect({ deployKey: made.deployKey, webhookToken: made.webhookToken }).toEqual({
    deployKey: 'sandbox-deploy-key',
    webhookToken: 'sandbox-webhook-token',
  });
});
