import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMemoryWorld } from '../../../lib/sim/index.ts';
import { newIdentity, synthesize } from '../../../lib/secrets/index.ts';
import { projectRoot } from '../process.ts';

/** Folders of the repository's own Flux tree that the stories have: every kind of stage, and nothing twice. */
const folders = [
  'kubernetes/flux',
  'kubernetes/components',
  'kubernetes/apps/flux-system',
  'kubernetes/apps/cert-manager',
  'kubernetes/apps/kube-system/cilium/app',
];

const cilium = 'kubernetes/apps/kube-system/cilium/ks.yaml';
const encrypted = 'kubernetes/components/sops/cluster-secrets.sops.yaml';

/**
 * The repository's own Flux tree, cut down to Cilium (until which no node is Ready), cert-manager (definitions and a webhook),
 * flux-operator and flux-instance, with one encrypted Secret and the key that opens it.
 */
export async function fluxTree(): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const folder of folders) {
    for (const entry of readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name).slice(projectRoot.length + 1);
      files[path] = readFileSync(join(projectRoot, path), 'utf8');
    }
  }
  // Of several documents in the file, the networks come after Cilium and bring nothing that another stage does not have.
  files[cilium] =
    readFileSync(join(projectRoot, cilium), 'utf8')
      .split('---\n')
      .find((text) => text.includes('path: ./kubernetes/apps/kube-system/cilium/app')) ?? '';
  files['kubernetes/apps/kube-system/namespace.yaml'] = readFileSync(
    join(projectRoot, 'kubernetes/apps/kube-system/namespace.yaml'),
    'utf8',
  );
  files['kubernetes/apps/kube-system/kustomization.yaml'] =
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ./namespace.yaml\n  - ./cilium/ks.yaml\n';
  for (const path of Object.keys(files))
    if (/\/(?:ks|helmrelease)\.yaml$/.test(path)) files[path] = withoutDependency(files[path] ?? '', 'coredns');
  const { world, kernel } = createMemoryWorld({ seed: 'flux-tree' });
  const identity = await newIdentity(world.random);
  files['age.key'] = `${identity.secretKey.reveal()}\n`;
  files[encrypted] = await synthesize({ file: { path: encrypted, text: files[encrypted] ?? '' }, identity }, world);
  await kernel.close();
  return files;
}

const withoutDependency = (text: string, name: string): string =>
  text.replace(new RegExp(`  dependsOn:\\n    - name: ${name}\\n(?:      namespace: .*\\n)?`), '');
