import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { checkKubePrism, loadClusterInputs } from '../../../lib/config/index.ts';
import { parseYaml } from '../../../lib/format/index.ts';
import { planTree, renderTree, type TemplateData } from '../../../lib/render/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const root = '/home/user/home-ops';
const templates = 'templates/config';

function textsBelow(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'utf8')]),
  );
}

/** The repository's own templates with some inputs: what `configure` would write, secrets in plain. */
async function rendered(inputs: string, secrets: Record<string, string> = {}) {
  const repository = {
    ...textsBelow(templates),
    'cluster.yaml': readFileSync(join(inputs, 'cluster.yaml'), 'utf8'),
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

const isEncrypted = (path: string) => /\.sops\.ya?ml$/.test(path) && path !== '.sops.yaml';

test('rendering the reference cluster changes no byte of what is committed', async () => {
  const { texts, outputs, warnings } = await rendered('.');
  const committed: Record<string, string> = {
    ...textsBelow('talos'),
    ...textsBelow('kubernetes'),
    '.sops.yaml': readFileSync('.sops.yaml', 'utf8'),
  };
  const generated = (path: string) => path.startsWith('talos/clusterconfig/') || path === 'talos/talsecret.sops.yaml';
  const paths = Object.keys(committed).filter((path) => !generated(path));
  expect(paths.sort()).toEqual([...texts.keys()].sort());
  for (const path of paths) if (!isEncrypted(path)) expect([path, texts.get(path)]).toEqual([path, committed[path]]);
  expect(warnings).toEqual([]);

  const manifest = 'templates/.rendered';
  const repository = { ...committed, [manifest]: readFileSync(manifest, 'utf8') };
  const plan = await planTree({
    files: createMemoryFiles(() => 0, Object.fromEntries(Object.entries(repository).map(([path, text]) => [`${root}/${path}`, text]))),
    root,
    outputs: outputs.map((output) => (isEncrypted(output.path) ? { ...output, content: committed[output.path] as string } : output)),
    manifest: `${root}/${manifest}`,
  });
  expect([plan.written, plan.removed, plan.manifest.isChanged]).toEqual([[], [], false]);
});

test('what is encrypted is encrypted as .sops.yaml says, and holds the keys of its template', async () => {
  const { texts } = await rendered('.');
  const encrypted = [...texts].filter(([path]) => isEncrypted(path));
  expect(encrypted.map(([path]) => path)).toEqual(['kubernetes/components/sops/cluster-secrets.sops.yaml']);
  for (const [path, plain] of encrypted) {
    const [ours, theirs] = [plain, readFileSync(path, 'utf8')].map(
      (text) => parseYaml({ path, text }).documents[0]?.value as Record<string, Record<string, string>>,
    );
    expect(Object.keys(theirs?.['stringData'] ?? {})).toEqual(Object.keys(ours?.['stringData'] ?? {}));
    for (const value of Object.values(theirs?.['stringData'] ?? {})) expect(value).toMatch(/^ENC\[AES256_GCM,/);
  }
});

const clusters = ['.', 'test/golden/reference-cluster/gpu', 'test/golden/reference-cluster/one-node'];
const secrets = { backup_s3_access_key: 'access', backup_s3_secret_key: 'secret' };

test.each(clusters)('every file of %s is YAML without a duplicate key, and Cilium finds KubePrism', async (inputs) => {
  const { texts } = await rendered(inputs, secrets);
  const files = [...texts].map(([path, text]) => ({ path, text }));
  expect(files.flatMap((file) => parseYaml(file).failures)).toEqual([]);
  expect(checkKubePrism(files)).toEqual([]);
});

test.each(clusters)('every file that a kustomization or a talconfig of %s names exists, and none is left out', async (inputs) => {
  const { texts } = await rendered(inputs, secrets);
  const missing: string[] = [];
  const named = new Set<string>();
  for (const [path, text] of texts) {
    const references = path.endsWith('/kustomization.yaml')
      ? kustomizationReferences(path, text)
      : path === 'talos/talconfig.yaml'
        ? patchReferences(text)
        : [];
    for (const reference of references) {
      if (texts.has(reference)) named.add(reference);
      else if (texts.has(`${reference}/kustomization.yaml`)) named.add(`${reference}/kustomization.yaml`);
      else missing.push(`${path}: ${reference}`);
    }
  }
  expect(missing).toEqual([]);
  const unnamed = [...texts.keys()].filter(
    (path) => /^(?:kubernetes\/apps|talos\/patches)\//.test(path) && !path.endsWith('/kustomization.yaml') && !named.has(path),
  );
  expect(unnamed.filter((path) => !isOfAnotherNode(path))).toEqual([]);

  function isOfAnotherNode(path: string): boolean {
    const directory = relative('talos/patches', path).split('/')[0] ?? '';
    return (
      path.startsWith('talos/') &&
      !['global', 'controller'].includes(directory) &&
      !texts.get('talos/talconfig.yaml')?.includes(`hostname: ${directory}\n`) &&
      (directory !== 'worker' || inputs.endsWith('one-node'))
    );
  }
});

function kustomizationReferences(path: string, text: string): string[] {
  const value = parseYaml({ path, text }).documents[0]?.value as { resources?: string[]; components?: string[] };
  return [...(value.resources ?? []), ...(value.components ?? [])].map((reference) => join(path, '..', reference));
}

function patchReferences(text: string): string[] {
  return [...text.matchAll(/"@\.\/(patches\/[^"]+)"/g)].map((match) => `talos/${match[1]}`);
}

test.each(clusters)('the paths of all Flux Kustomizations of %s exist, and their dependencies too', async (inputs) => {
  const { texts } = await rendered(inputs, secrets);
  const kustomizations = [...texts].flatMap(([path, text]) =>
    parseYaml({ path, text })
      .documents.map(
        ({ value }) =>
          value as {
            kind?: string;
            apiVersion?: string;
            metadata: { name: string };
            spec: { path: string; dependsOn?: { name: string }[] };
          },
      )
      .filter(({ kind, apiVersion }) => kind === 'Kustomization' && apiVersion?.startsWith('kustomize.toolkit.fluxcd.io')),
  );
  const names = new Set(kustomizations.map(({ metadata }) => metadata.name));
  for (const { spec } of kustomizations) {
    const folder = spec.path.replace(/^\.\//, '');
    expect([...texts.keys()].some((path) => path.startsWith(`${folder}/`))).toBe(true);
    expect((spec.dependsOn ?? []).filter(({ name }) => !names.has(name))).toEqual([]);
  }
  expect(names.size).toBeGreaterThan(8);
});

test('a GPU worker, VLANs, BGP, a private repository and the backup change exactly their part', async () => {
  const { texts } = await rendered(clusters[1] as string, secrets);
  expect(texts.get('talos/talconfig.yaml')).toMatchSnapshot();
  expect(texts.get('kubernetes/apps/kube-system/cilium/networks/networks.yaml')).toMatchSnapshot();
  expect(texts.get('kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml')).toMatchSnapshot();
  expect(texts.get('kubernetes/apps/system-upgrade/talos-backup/app/cronjob.yaml')).toMatchSnapshot();
  expect(texts.get('kubernetes/apps/system-upgrade/talos-backup/app/secret.sops.yaml')).toMatchSnapshot();
});

test('one node of an older Talos gets the older form of everything, no spegel and no floating address', async () => {
  const { texts } = await rendered(clusters[2] as string);
  expect(texts.get('talos/talconfig.yaml')).toMatchSnapshot();
  expect(texts.get('talos/patches/controller/kubernetes.yaml')).toMatchSnapshot();
  expect(texts.get('talos/patches/global/kubelet.yaml')).toMatchSnapshot();
  expect([...texts.keys()].filter((path) => path.includes('spegel') || path.includes('backup'))).toEqual([]);
});
