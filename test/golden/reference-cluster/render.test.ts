import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { checkKubePrism } from '../../../lib/config/index.ts';
import { parseYaml } from '../../../lib/format/index.ts';
import { planTree } from '../../../lib/render/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';
import {
  acceptedVersions,
  inputSecrets,
  machineConfigsOf,
  referenceClusters,
  renderCluster,
  root,
  textsBelow,
} from '../../rig/reference-cluster.ts';

const isEncrypted = (path: string) => /\.sops\.ya?ml$/.test(path) && path !== '.sops.yaml';

test('rendering the reference cluster changes no byte of what is committed', async () => {
  const { texts, outputs, warnings } = await renderCluster('.');
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
  const { texts } = await renderCluster('.');
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

test.each(referenceClusters)('every file of %s is YAML without a duplicate key, and Cilium finds KubePrism', async (inputs) => {
  const { texts } = await renderCluster(inputs, { secrets: inputSecrets });
  const files = [...texts].map(([path, text]) => ({ path, text }));
  expect(files.flatMap((file) => parseYaml(file).failures)).toEqual([]);
  expect(checkKubePrism(files)).toEqual([]);
});

test.each(referenceClusters)('every file that a kustomization or a talconfig of %s names exists, and none is left out', async (inputs) => {
  const { texts } = await renderCluster(inputs, { secrets: inputSecrets });
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

test.each(referenceClusters)('the paths of all Flux Kustomizations of %s exist, and their dependencies too', async (inputs) => {
  const { texts } = await renderCluster(inputs, { secrets: inputSecrets });
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
  const { texts } = await renderCluster(referenceClusters[1], { secrets: inputSecrets });
  expect(texts.get('talos/talconfig.yaml')).toMatchSnapshot();
  expect(texts.get('kubernetes/apps/kube-system/cilium/networks/networks.yaml')).toMatchSnapshot();
  expect(texts.get('kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml')).toMatchSnapshot();
  expect(texts.get('kubernetes/apps/system-upgrade/talos-backup/app/cronjob.yaml')).toMatchSnapshot();
  expect(texts.get('kubernetes/apps/system-upgrade/talos-backup/app/secret.sops.yaml')).toMatchSnapshot();
  expect(texts.get('bootstrap/deploy-key.sops.yaml')).toMatchSnapshot();
});

test('one node of an older Talos gets the older form of everything, no spegel and no floating address', async () => {
  const { texts } = await renderCluster(referenceClusters[2]);
  expect(texts.get('talos/talconfig.yaml')).toMatchSnapshot();
  expect(texts.get('talos/patches/controller/kubernetes.yaml')).toMatchSnapshot();
  expect(texts.get('talos/patches/global/kubelet.yaml')).toMatchSnapshot();
  expect([...texts.keys()].filter((path) => path.includes('spegel') || path.includes('backup'))).toEqual([]);
});

test('talosctl of each version accepted the machine configurations of every reference cluster, byte for byte these', async () => {
  const recorded = JSON.parse(readFileSync('test/conformance/reference-cluster/accepted.json', 'utf8')) as Record<
    string,
    { sha256: string; said: string }
  >;
  const made: Record<string, { sha256: string; said: string }> = {};
  for (const versions of acceptedVersions) {
    for (const inputs of referenceClusters) {
      const { texts } = await renderCluster(inputs, { secrets: inputSecrets, versions });
      for (const [name, text] of Object.entries(await machineConfigsOf(texts))) {
        made[`${versions.talos} ${inputs} ${name}`] = {
          sha256: createHash('sha256').update(text).digest('hex'),
          said: `${name} is valid for metal mode`,
        };
      }
    }
  }
  // A change of templates or generator needs a new recording: test/oracle/reference-cluster/record.ts
  expect(made).toEqual(recorded);
});
