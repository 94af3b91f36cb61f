import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatorInput } from '../../lib/cluster/generator-input.ts';
import { loadClusterInputs, loadTalconfig } from '../../lib/config/index.ts';
import { renderTree, type TemplateData } from '../../lib/render/index.ts';
import { createMemoryFiles } from '../../lib/sim/index.ts';
import { generateMachineConfigs, parseSecretsBundle } from '../../lib/talos/machine-config.ts';

export const root = '/home/user/home-ops';
const templates = 'templates/config';

/** Folders with a cluster.yaml and a nodes.yaml, all rendered by the repository's own templates. */
export const referenceClusters = ['.', 'test/golden/reference-cluster/gpu', 'test/golden/reference-cluster/one-node'] as const;

export const inputSecrets = {
  backup_s3_access_key: 'access',
  backup_s3_secret_key: 'secret',
  github_deploy_key: '-----BEGIN OPENSSH PRIVATE KEY-----\nof a test\n-----END OPENSSH PRIVATE KEY-----\n',
};

export function textsBelow(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'utf8')]),
  );
}

export interface RenderOptions {
  readonly secrets?: Readonly<Record<string, string>>;
  /** Lines that replace those of cluster.yaml. */
  readonly versions?: { readonly talos: string; readonly kubernetes: string };
}

/** What `configure` would write, secrets in plain. */
export async function renderCluster(inputs: string, { secrets = {}, versions }: RenderOptions = {}) {
  const cluster = readFileSync(join(inputs, 'cluster.yaml'), 'utf8');
  const repository = {
    ...textsBelow(templates),
    'cluster.yaml': versions
      ? `${cluster.replace(/^(?:talos|kubernetes)_version: .*\n/gm, '')}talos_version: ${versions.talos}\nkubernetes_version: ${versions.kubernetes}\n`
      : cluster,
    'nodes.yaml': readFileSync(join(inputs, 'nodes.yaml'), 'utf8'),
  };
  const files = createMemoryFiles(() => 0, Object.fromEntries(Object.entries(repository).map(([path, text]) => [`${root}/${path}`, text])));
  const { templateData, failures, warnings } = await loadClusterInputs(files, root);
  if (!templateData) throw new Error(JSON.stringify(failures));
  const render = async (data: object, filter: (path: string) => boolean) => {
    const tree = await renderTree({
      files,
      inputs: [`${root}/${templates}`],
      data: data as TemplateData,
      engine: { dialect: 'makejinja', undefined: 'strict' },
      filter,
    });
    if (tree.state === 'failed') throw new Error(JSON.stringify(tree.failures, null, 2));
    return tree.outputs;
  };
  // As configure does it: a patch that comes out empty is left out, so which ones there are is known only after a first pass.
  const patch_files: Record<string, string[]> = {};
  for (const { path } of await render(templateData, (path) => path.startsWith('talos/patches/'))) {
    const [, , folder = '', name = ''] = path.split('/');
    (patch_files[folder] ??= []).push(name);
  }
  const outputs = await render({ ...templateData, ...secrets, patch_files }, () => true);
  const texts = new Map(
    outputs.map(({ path, content }) => [path, typeof content === 'string' ? content : new TextDecoder().decode(content)]),
  );
  return { texts, outputs, warnings };
}

/** Machine configurations by file name, with recorded secrets: the same bytes every time. */
export async function machineConfigsOf(texts: ReadonlyMap<string, string>): Promise<Record<string, string>> {
  const files = createMemoryFiles(() => 0, Object.fromEntries([...texts].map(([path, text]) => [`${root}/${path}`, text])));
  const talconfig = await loadTalconfig(files, { root, path: `${root}/talos/talconfig.yaml`, decrypt: async (file) => file.text });
  if (talconfig.warnings.length > 0) throw new Error(JSON.stringify(talconfig.warnings));
  const bundle = parseSecretsBundle({
    path: 'talsecret.yaml',
    text: readFileSync('test/conformance/machineconfig/bundles/talosctl-1.13.yaml', 'utf8'),
  });
  const configs = await generateMachineConfigs({ cluster: generatorInput(talconfig, { hardening: true }), bundle });
  return Object.fromEntries(configs.map(({ fileName, text }) => [fileName, text]));
}

export const acceptedVersions = [
  { talos: 'v1.12.11', kubernetes: 'v1.35.0' },
  { talos: 'v1.13.9', kubernetes: 'v1.36.0' },
  { talos: 'v1.14.1', kubernetes: 'v1.37.0' },
] as const;
