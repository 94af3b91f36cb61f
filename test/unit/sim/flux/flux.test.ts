import { expect, test } from 'vitest';
import type { KubeObject } from '../../../../lib/kube/index.ts';
import { ensureFluxKinds } from '../../../../lib/sim/flux/flux-kinds.ts';
import { createMemoryFiles, repositoryOfFiles } from '../../../../lib/sim/index.ts';
import { never } from '../kube/rig.ts';
import { definition, deployment, fluxRig, groups, releaseRecord } from './rig.ts';

const root = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: cluster-apps, namespace: flux-system }
spec:
  interval: 1h
  path: ./kubernetes/apps
  prune: true
  sourceRef: { kind: GitRepository, name: flux-system }
  patches:
    - target: { group: kustomize.toolkit.fluxcd.io, kind: Kustomization }
      patch: |-
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: { name: all }
        spec:
          decryption: { provider: sops, secretRef: { name: sops-age } }
          postBuild: { substituteFrom: [{ kind: Secret, name: cluster-secrets }] }
`;
const child = (name: string, more = '') => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: ${name}, namespace: flux-system }
spec:
  interval: 1h
  path: ./kubernetes/apps/${name}/app
  sourceRef: { kind: GitRepository, name: flux-system }
  targetNamespace: demo
${more}`;
const release = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web }
spec:
  chartRef: { kind: OCIRepository, name: web }
  interval: 1h
`;
const chart = `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: web }
spec: { interval: 15m, url: oci://ghcr.io/demo/web, ref: { tag: 1.0.0 } }
`;
const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: demo }\n';
const listOf = (...resources: string[]) => `resources:\n${resources.map((one) => `  - ${one}\n`).join('')}`;

const repository = {
  '.git/HEAD': 'ref: refs/heads/main\n',
  '.git/refs/heads/main': '0000000000000000000000000000000000000001\n',
  'kubernetes/flux/cluster/ks.yaml': root,
  'kubernetes/apps/kustomization.yaml': listOf('./namespace.yaml', './web/ks.yaml'),
  'kubernetes/apps/namespace.yaml': namespace,
  'kubernetes/apps/web/ks.yaml': child('web'),
  'kubernetes/apps/web/app/kustomization.yaml': listOf('./release.yaml', './chart.yaml', './settings.yaml'),
  'kubernetes/apps/web/app/release.yaml': release,
  'kubernetes/apps/web/app/chart.yaml': chart,
  'kubernetes/apps/web/app/settings.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { host: "web.${SECRET_DOMAIN}" }\n',
};

const secret = (name: string, stringData: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'flux-system' },
  stringData,
});
const ownManager = { fieldManager: 'tk' };

test('the tree is reconciled down to a release that was there before, which is adopted', async () => {
  const { client, install, verdict, kernel } = await fluxRig(repository);
  const events: string[] = [];
  kernel.onEvent(({ kind, facts }) => {
    if (/^flux\/release-(adopted|installed)$/.test(kind)) events.push(`${kind} ${String(facts.name)} v${String(facts.revision)}`);
  });
  await client.apply(secret('sops-age', { 'age.agekey': 'AGE-SECRET-KEY-1' }), ownManager, never);
  await client.apply(secret('cluster-secrets', { SECRET_DOMAIN: 'example.org' }), ownManager, never);
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } }, ownManager, never);
  await client.apply(releaseRecord('web', 'demo'), { fieldManager: 'helm-controller' }, never);
  await install();
  expect(await verdict('GitRepository', 'flux-system')).toMatch(
    /^Succeeded: stored artifact for revision 'refs\/heads\/main@sha1:[0-9a-f]{40}'$/,
  );
  expect(await verdict('Kustomization', 'flux-system')).toMatch(
    /^ReconciliationSucceeded: Applied revision: refs\/heads\/main@sha1:[0-9a-f]{40}$/,
  );
  expect(await verdict('Kustomization', 'cluster-apps')).toMatch(/^ReconciliationSucceeded: /);
  expect(await verdict('Kustomization', 'web')).toMatch(/^ReconciliationSucceeded: /);
  expect(await verdict('HelmRelease', 'web', 'demo')).toBe(
    'UpgradeSucceeded: Helm upgrade succeeded for release demo/web.v2 with chart web@1.0.0',
  );
  expect((await client.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'settings', namespace: 'demo' }, never))?.data).toEqual({
    host: 'web.example.org',
  });
  const records = await client.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace: 'demo', labelSelector: 'owner=helm' }, never);
  expect(records.items.map(({ metadata }) => `${metadata.name} ${metadata.labels?.status}`)).toEqual([
    'sh.helm.release.v1.web.v1 superseded',
    'sh.helm.release.v1.web.v2 deployed',
  ]);
  expect(events).toEqual(['flux/release-adopted web v2']);
});

test('an adopted release changes no object that was installed as helm-controller does it, and says how many others', async () => {
  const { client, install, verdict, kernel } = await fluxRig(repository);
  const adopted: unknown[] = [];
  kernel.onEvent(({ kind, facts }) => {
    if (kind === 'flux/release-adopted') adopted.push(facts);
  });
  await client.apply(secret('sops-age', { 'age.agekey': 'AGE-SECRET-KEY-1' }), ownManager, never);
  await client.apply(secret('cluster-secrets', {}), ownManager, never);
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } }, ownManager, never);
  const [same, other] = [deployment('same', 'demo', 1), deployment('other', 'demo', 1)];
  const made = await client.apply(same, { fieldManager: 'helm-controller' }, never);
  await client.apply(deployment('other', 'demo', 2), { fieldManager: 'helm-controller' }, never);
  await client.apply(
    releaseRecord('web', 'demo', `---\n${JSON.stringify(same)}\n---\n${JSON.stringify(other)}\n`),
    { fieldManager: 'helm-controller' },
    never,
  );
  await install();
  expect(await verdict('HelmRelease', 'web', 'demo')).toMatch(/^UpgradeSucceeded: /);
  expect(adopted).toEqual([{ namespace: 'demo', name: 'web', revision: 2, changed: 1 }]);
  const after = await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'demo', name: 'same' }, never);
  expect(after?.metadata).toMatchObject({
    uid: made.metadata.uid,
    generation: 1,
    labels: { 'app.kubernetes.io/managed-by': 'Helm', 'helm.toolkit.fluxcd.io/name': 'web', 'helm.toolkit.fluxcd.io/namespace': 'demo' },
    annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'demo' },
  });
});

test('a wrong branch, a missing secret, a missing kind and a missing folder show in the words of Flux', async () => {
  const broken = {
    ...repository,
    'kubernetes/apps/kustomization.yaml': listOf('./namespace.yaml', './web/ks.yaml', './kindless/ks.yaml', './folderless/ks.yaml'),
    'kubernetes/apps/kindless/ks.yaml': child('kindless'),
    'kubernetes/apps/kindless/app/gateway.yaml':
      'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: external }\nspec: {}\n',
    'kubernetes/apps/folderless/ks.yaml': child('folderless'),
  };
  const { client, install, verdict, pass } = await fluxRig(broken);
  await install('refs/heads/master');
  expect(await verdict('GitRepository', 'flux-system')).toBe(
    "GitOperationFailed: failed to checkout and determine revision: unable to clone 'https://git.example.org/home-ops.git': couldn't find remote ref \"refs/heads/master\"",
  );
  await client.patch(
    { apiVersion: groups.GitRepository, kind: 'GitRepository', name: 'flux-system', namespace: 'flux-system' },
    { type: 'merge', value: { spec: { ref: { name: 'refs/heads/main' } } } },
    never,
  );
  await pass(60_000);
  expect(await verdict('Kustomization', 'cluster-apps')).toMatch(/^ReconciliationSucceeded/);
  expect(await verdict('Kustomization', 'web')).toBe(
    'BuildFailed: cannot get decryption Secret \'flux-system/sops-age\': secrets "sops-age" not found',
  );
  await client.apply(secret('sops-age', { 'age.agekey': 'AGE-SECRET-KEY-1' }), ownManager, never);
  await pass(3_600_000);
  expect(await verdict('Kustomization', 'web')).toBe(
    'BuildFailed: post build failed: substitute from \'Secret/cluster-secrets\' error: secrets "cluster-secrets" not found',
  );
  await client.apply(secret('cluster-secrets', { SECRET_DOMAIN: 'example.org' }), ownManager, never);
  await pass(3_600_000);
  expect(await verdict('Kustomization', 'kindless')).toBe(
    'ReconciliationFailed: Gateway/demo/external dry-run failed: no matches for kind "Gateway" in version "gateway.networking.k8s.io/v1"',
  );
  const folderless = await client.get(
    { apiVersion: groups.Kustomization, kind: 'Kustomization', name: 'folderless', namespace: 'flux-system' },
    never,
  );
  expect(folderless?.status).toMatchObject({
    conditions: [
      {
        reason: 'ArtifactFailed',
        message: 'kustomization path not found: stat /tmp/kustomization/kubernetes/apps/folderless/app: no such file or directory',
      },
    ],
  });
});

test('a SOPS file that the planted key does not open fails the Kustomization, the right key plants the secret', async () => {
  const encrypted = 'apiVersion: v1\nkind: Secret\nmetadata: { name: token }\nstringData: { token: "ENC[...]" }\nsops: { age: [] }\n';
  const files = { ...repository, 'kubernetes/apps/web/app/settings.yaml': encrypted };
  const { client, install, verdict, pass } = await fluxRig(files, {
    decrypt: async (file, keys) => {
      if (!keys.includes('AGE-SECRET-KEY-RIGHT'))
        throw new Error('cannot get sops data key: Error getting data key: 0 successful groups required, got 0');
      expect(file).toBe('kubernetes/apps/web/app/settings.yaml');
      return [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' }, stringData: { token: 'secret' } }];
    },
  });
  await client.apply(secret('sops-age', { 'age.agekey': 'AGE-SECRET-KEY-WRONG' }), ownManager, never);
  await client.apply(secret('cluster-secrets', {}), ownManager, never);
  await install();
  expect(await verdict('Kustomization', 'web')).toBe(
    "BuildFailed: decryption failed for 'token': cannot get sops data key: Error getting data key: 0 successful groups required, got 0",
  );
  await client.apply(secret('sops-age', { 'age.agekey': 'AGE-SECRET-KEY-RIGHT' }), ownManager, never);
  await pass(3_600_000);
  expect(await verdict('Kustomization', 'web')).toMatch(/^ReconciliationSucceeded/);
  expect((await client.get({ apiVersion: 'v1', kind: 'Secret', name: 'token', namespace: 'demo' }, never))?.data).toEqual({
    token: Buffer.from('secret').toString('base64'),
  });
  expect(await verdict('HelmRelease', 'web', 'demo')).toBe(
    'InstallSucceeded: Helm install succeeded for release demo/web.v1 with chart web@1.0.0',
  );
});

test('generated ConfigMaps are named by their content, and so by whatever kustomize knows to refer to them', async () => {
  const files = createMemoryFiles(() => 0, {
    '/repo/app/kustomization.yaml':
      'resources: [objects.yaml]\nconfigMapGenerator: [{ name: web-values, files: [values.yaml] }]\nconfigurations: [names.yaml]\n',
    '/repo/app/names.yaml':
      'nameReference: [{ kind: ConfigMap, version: v1, fieldSpecs: [{ path: spec/valuesFrom/name, kind: HelmRelease }] }]\n',
    '/repo/app/values.yaml': 'a: 1\n',
    '/repo/app/objects.yaml': `kind: HelmRelease
metadata: { name: web }
spec: { valuesFrom: [{ kind: ConfigMap, name: web-values }, { kind: Secret, name: web-values }] }
---
kind: Deployment
metadata: { name: web }
spec: { template: { spec: { containers: [{ name: web, envFrom: [{ configMapRef: { name: web-values } }] }], volumes: [{ configMap: { name: web-values } }, { configMap: { name: other } }] } } }
---
kind: Widget
metadata: { name: web }
spec: { configMap: { name: web-values } }
`,
  });
  const objects = (await repositoryOfFiles(files, '/repo').renderKustomization('app')).objects.map(({ object }) => object);
  const name = String((objects[3]?.metadata as { name?: string } | undefined)?.name);
  expect(name).toMatch(/^web-values-[0-9a-f]{10}$/);
  expect(objects.slice(0, 3).map(({ spec }) => spec)).toEqual([
    {
      valuesFrom: [
        { kind: 'ConfigMap', name },
        { kind: 'Secret', name: 'web-values' },
      ],
    },
    {
      template: {
        spec: {
          containers: [{ name: 'web', envFrom: [{ configMapRef: { name } }] }],
          volumes: [{ configMap: { name } }, { configMap: { name: 'other' } }],
        },
      },
    },
    { configMap: { name: 'web-values' } },
  ]);
});

test('a Namespace gets the name that its kustomization puts everything into', async () => {
  const files = createMemoryFiles(() => 0, {
    '/repo/app/kustomization.yaml': 'namespace: web\nresources: [objects.yaml]\n',
    '/repo/app/objects.yaml': 'kind: Namespace\nmetadata: { name: _ }\n---\nkind: ConfigMap\nmetadata: { name: a }\n',
  });
  expect((await repositoryOfFiles(files, '/repo').renderKustomization('app')).objects.map(({ object }) => object.metadata)).toEqual([
    { name: 'web' },
    { name: 'a', namespace: 'web' },
  ]);
});

test('kinds of charts of which only the name is known, secrets of stores outside, and places outside stand in, and are told', async () => {
  const elsewhere = `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: { name: other, namespace: flux-system }
spec: { interval: 1h, url: https://git.example.org/other.git, ref: { branch: trunk } }
---
${child('other').replace('sourceRef: { kind: GitRepository, name: flux-system }', 'sourceRef: { kind: GitRepository, name: other }')}`;
  const { client, install, verdict, pass, model } = await fluxRig(
    {
      ...repository,
      'kubernetes/apps/kustomization.yaml': listOf('./namespace.yaml', './widgets/ks.yaml', './policies/ks.yaml', './other.yaml'),
      'kubernetes/apps/other.yaml': elsewhere,
      'kubernetes/apps/widgets/ks.yaml': child('widgets'),
      'kubernetes/apps/widgets/app/a.yaml':
        'apiVersion: widgets.example.org/v1\nkind: Widget\nmetadata: { name: a }\n---\napiVersion: widgets.example.org/v1beta1\nkind: Widget\nmetadata: { name: b }\n',
      'kubernetes/apps/policies/ks.yaml': child('policies'),
      'kubernetes/apps/policies/app/a.yaml':
        'apiVersion: admissionregistration.k8s.io/v1beta1\nkind: MutatingAdmissionPolicy\nmetadata: { name: a }\nspec: {}\n',
    },
    { standInCharts: () => ['widget-operator'] },
  );
  await client.apply(secret('sops-age', { 'age.agekey': 'AGE-SECRET-KEY-1' }), ownManager, never);
  await client.apply(secret('cluster-secrets', {}), ownManager, never);
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } }, ownManager, never);
  await install();
  for (const name of ['widgets', 'policies', 'other']) expect(await verdict('Kustomization', name)).toMatch(/^ReconciliationSucceeded/);
  expect(model.standIns()).toEqual(['Widget.widgets.example.org']);
  expect(model.absent()).toEqual(['https://git.example.org/other.git']);

  const made = { apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret', metadata: { name: 'login', namespace: 'demo' } };
  await client.apply(definition('external-secrets.io', 'ExternalSecret', 'externalsecrets', 'v1'), ownManager, never);
  await pass(10_000);
  await client.apply({ ...made, spec: { data: [{ secretKey: 'DB_HOST' }], target: { name: 'login-secret' } } }, ownManager, never);
  await pass(30_000);
  const wanted = { apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: 'login-secret' };
  expect(await client.get(wanted, never)).toBeUndefined();
  await client.apply(deployment('external-secrets', 'demo'), ownManager, never);
  await pass(60_000);
  expect(Object.keys((await client.get(wanted, never))?.data as object)).toEqual(['DB_HOST']);
});

test('an instance that asks for an older Flux gets the versions of its kinds that were there', async () => {
  const served = async (distribution: string) => {
    const { kube, client } = await fluxRig({});
    ensureFluxKinds(kube.state, distribution);
    const versionsOf = async (name: string) => {
      const found = await client.get({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name }, never);
      const spec = found?.['spec'] as { readonly versions: readonly { readonly name: string }[] } | undefined;
      return spec?.versions.map(({ name: version }) => version);
    };
    return [await versionsOf('helmrepositories.source.toolkit.fluxcd.io'), await versionsOf('helmreleases.helm.toolkit.fluxcd.io')];
  };
  expect(await served('2.6.1')).toEqual([
    ['v1', 'v1beta2'],
    ['v2', 'v2beta2', 'v2beta1'],
  ]);
  expect(await served('v2.7.x')).toEqual([
    ['v1', 'v1beta2'],
    ['v2', 'v2beta2'],
  ]);
  expect(await served('2.x')).toEqual([['v1'], ['v2']]);
});
