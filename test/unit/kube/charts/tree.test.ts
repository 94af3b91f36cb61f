import { expect, test } from 'vitest';
import type { Env } from '../../../../lib/base/index.ts';
import { findReleases, type ReleasePlan, resolveValues } from '../../../../lib/kube/index.ts';
import { createMemoryFiles } from '../../../../lib/sim/index.ts';
import { engine } from '../../wasm/engine.ts';
import { signal } from './rig.ts';

const helm = engine();
const env: Env = { get: () => undefined, home: '/home/x', platform: 'linux' };
const find = (files: Readonly<Record<string, string>>) =>
  findReleases(
    {
      files: createMemoryFiles(() => 0, Object.fromEntries(Object.entries(files).map(([path, text]) => [`/repo/${path}`, text]))),
      engine: helm,
      env,
    },
    '/repo',
    'kubernetes',
    signal,
  );
const valuesOf = async (plan: ReleasePlan | undefined, read: Parameters<typeof resolveValues>[2] = () => Promise.resolve(undefined)) =>
  plan && (await resolveValues(plan, helm, read, signal)).reveal();

const flux = (name: string, path: string, more = '') =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: ${name}, namespace: flux-system }\nspec:\n  path: ${path}\n${more}`;
const kustomize = (text: string, kind = 'Kustomization') =>
  `apiVersion: kustomize.config.k8s.io/v1${kind === 'Component' ? 'alpha' : 'beta'}1\nkind: ${kind}\n${text}`;
const release = (name: string, spec: string) =>
  `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: ${name} }\nspec:\n${spec}`;
const source = (name: string, spec: string) =>
  `apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const root = { 'kubernetes/flux/cluster/ks.yaml': flux('cluster-apps', './kubernetes/apps') };
const chart = '  chartRef: { kind: OCIRepository, name: web }\n';

test('patches of a kustomization.yaml, of a component and of Kustomizations above change a release in that order', async () => {
  const { releases, broken } = await find({
    'kubernetes/flux/cluster/ks.yaml': flux(
      'cluster-apps',
      './kubernetes/apps',
      `  patches:
    - target: { kind: Kustomization, labelSelector: "substitution notin (off)" }
      patch: |
        - { op: add, path: /spec/postBuild, value: { substitute: { PORT: "8080" } } }
        - { op: add, path: /spec/patches, value: [ { target: { kind: HelmRelease, name: "w.*" }, patch: "- { op: add, path: /spec/values/order/-, value: above }" } ] }
`,
    ),
    'kubernetes/apps/web/kustomization.yaml': kustomize('namespace: web\nresources: [./ks.yaml]\n'),
    'kubernetes/apps/web/ks.yaml': flux('web', './kubernetes/apps/web/app'),
    'kubernetes/apps/web/app/kustomization.yaml': kustomize(
      `resources: [./helmrelease.yaml, ./ocirepository.yaml]
components: [../../../components/probe]
patches:
  - path: ./patch.yaml
    target: { kind: HelmRelease }
  - patch: |
      apiVersion: helm.toolkit.fluxcd.io/v2
      kind: HelmRelease
      metadata: { name: web }
      spec: { timeout: 9m, values: { gone: null, port: "\${PORT}" } }
patchesStrategicMerge:
  - |
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: OCIRepository
    metadata: { name: web }
    spec: { ref: { tag: 2.0.0 } }
`,
    ),
    'kubernetes/apps/web/app/patch.yaml': '- { op: add, path: /spec/values/order/-, value: own }\n',
    'kubernetes/apps/web/app/helmrelease.yaml': release('web', `${chart}  values: { order: [file], gone: x, list: [{ name: a }] }\n`),
    'kubernetes/apps/web/app/ocirepository.yaml': source('web', '{ url: oci://ghcr.io/x/web, ref: { tag: 1.0.0 } }'),
    'kubernetes/components/probe/kustomization.yaml': kustomize(
      'patches:\n  - target: { kind: HelmRelease }\n    patch: |\n      - { op: add, path: /spec/values/order/-, value: component }\n      - { op: replace, path: /spec/values/list/0/name, value: b }\n',
      'Component',
    ),
  });
  expect(broken).toEqual([]);
  expect(releases.map(({ name, namespace, source: from, timeoutMs }) => [name, namespace, from, timeoutMs])).toEqual([
    ['web', 'web', { kind: 'oci', repository: 'ghcr.io/x/web', tag: '2.0.0' }, 540_000],
  ]);
  expect(await valuesOf(releases[0])).toEqual({ order: ['file', 'component', 'own', 'above'], list: [{ name: 'b' }], port: 8080 });
});

test('a component that several namespaces take in is there once for each; what nobody takes in is switched off', async () => {
  const app = (namespace: string) => ({
    [`kubernetes/apps/${namespace}/kustomization.yaml`]: kustomize(
      `namespace: ${namespace}\ncomponents: [../../components/repos]\nresources: [./web/ks.yaml]\n`,
    ),
    [`kubernetes/apps/${namespace}/web/ks.yaml`]: flux(
      'web',
      `./kubernetes/apps/${namespace}/web/app`,
      `  targetNamespace: ${namespace}\n  components: [../../../../components/proxy]\n  postBuild: { substitute: { APP: web-${namespace} } }\n`,
    ),
    [`kubernetes/apps/${namespace}/web/app/helmrelease.yaml`]: release('web', chart),
  });
  const { releases, broken } = await find({
    ...root,
    ...app('one'),
    ...app('two'),
    'kubernetes/components/repos/kustomization.yaml': kustomize('resources: [./web]\n', 'Component'),
    'kubernetes/components/repos/web/kustomization.yaml': kustomize('resources: [./ocirepository.yaml]\n'),
    'kubernetes/components/repos/web/ocirepository.yaml': source(
      'web',
      '{ url: oci://ghcr.io/x/web, ref: { semver: 1.x, semverFilter: "^1" } }',
    ),
    'kubernetes/components/proxy/kustomization.yaml': kustomize('resources: [./helmrelease.yaml]\n', 'Component'),
    'kubernetes/components/proxy/helmrelease.yaml': release('"${APP}-proxy"', `${chart}  values: { upstream: "\${APP}" }\n`),
    'kubernetes/components/unused/kustomization.yaml': kustomize('resources: [./helmrelease.yaml]\n', 'Component'),
    'kubernetes/components/unused/helmrelease.yaml': release('unused', chart),
    'kubernetes/apps/one/off/ks.yaml': flux('off', './kubernetes/apps/one/off/app'),
    'kubernetes/apps/one/off/app/helmrelease.yaml': release('off', '  chartRef: { kind: OCIRepository, name: gone }\n'),
  });
  expect(broken).toEqual([]);
  expect(releases.map(({ name, namespace, source: from }) => [namespace, name, from.kind === 'oci' && from.range])).toEqual([
    ['one', 'web', '1.x'],
    ['two', 'web', '1.x'],
    ['one', 'web-one-proxy', '1.x'],
    ['two', 'web-two-proxy', '1.x'],
  ]);
  expect(await valuesOf(releases[3])).toEqual({ upstream: 'web-two' });
});

test('only a broken file of Flux is told, and a release that cannot be read does not hide the others', async () => {
  const { releases, broken, failures } = await find({
    'kubernetes/charts/own/Chart.yaml': 'name: own\n',
    'kubernetes/charts/own/templates/a.yaml': '{{ if .x }}\nkind: HelmRelease\n{{ end }}\n',
    'kubernetes/apps/a/app/config/widgets.yaml': 'key: {{ VALUE }}\n',
    'kubernetes/apps/a/app/good.yaml': release(
      'good',
      `${chart}  values:\n    controllers:\n      &app main: {}\n      other: { *app: x }\n`,
    ),
    'kubernetes/apps/a/app/bad.yaml': release('bad', `${chart}  values: [\n`),
    'kubernetes/apps/a/app/patched.yaml': release('patched', chart),
    'kubernetes/apps/a/app/source.yaml': source('web', '{ url: oci://ghcr.io/x/web }'),
    'kubernetes/apps/a/app/kustomization.yaml': kustomize(
      'resources: [good.yaml, bad.yaml, patched.yaml, source.yaml]\npatches: [{ target: { name: patched }, patch: "- { op: remove, path: /spec/nope }" }, { target: { name: good }, patch: "- { op: replace, path: /spec/values/new, value: 1 }" }]\n',
    ),
    'kubernetes/flux/ks.yaml': flux('a', './kubernetes/apps/a/app'),
  });
  expect(failures).toEqual([]);
  expect(releases.map(({ name, source: from }) => [name, from.kind === 'oci' && from.tag])).toEqual([['good', 'latest']]);
  expect(await valuesOf(releases[0])).toEqual({ controllers: { main: {}, other: { main: 'x' } }, new: 1 });
  expect(broken.map(({ name, namespace, failures: [first] }) => [namespace, name, first?.code, first?.facts.reason])).toEqual([
    ['a', 'bad', 'format/syntax', undefined],
    ['a', 'patched', 'release/patch', 'a patch does not fit HelmRelease patched: `/spec/nope` does not exist'],
  ]);
});

test('sources with logins, layers and digests; charts with their own values files; what an upgrade does otherwise', async () => {
  const { releases, broken } = await find({
    ...root,
    'kubernetes/apps/a/kustomization.yaml': kustomize('namespace: a\nresources: [all.yaml]\n'),
    'kubernetes/apps/a/all.yaml': [
      source(
        'private',
        '{ url: oci://registry.example/x/one, ref: { digest: "sha256:ab", tag: 1.0.0 }, secretRef: { name: login }, certSecretRef: { name: ca }, layerSelector: { mediaType: application/x } }',
      ),
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: { name: classic }\nspec: { url: https://charts.example/, secretRef: { name: basic }, passCredentials: true }\n',
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: { name: oci }\nspec: { type: oci, url: "oci://registry.example/charts/", insecure: true }\n',
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmChart\nmetadata: { name: template }\nspec: { chart: four, version: 1.2.3, sourceRef: { kind: HelmRepository, name: oci }, valuesFiles: [values.yaml, values-prod.yaml], ignoreMissingValuesFiles: true }\n',
      release('one', '  chartRef: { kind: OCIRepository, name: private }\n  postRenderStrategy: nohooks\n'),
      release(
        'two',
        '  chart: { spec: { chart: two, version: 1.x, sourceRef: { kind: HelmRepository, name: classic } } }\n  timeout: 7m\n  install: { crds: Skip, disableSchemaValidation: true }\n  upgrade: { crds: CreateReplace, disableHooks: true, disableWait: true, timeout: 1m }\n',
      ),
      release('three', '  chart: { spec: { chart: three, version: ">=2", sourceRef: { kind: HelmRepository, name: oci } } }\n'),
      release('four', '  chartRef: { kind: HelmChart, name: template }\n'),
    ].join('---\n'),
  });
  expect(broken).toEqual([]);
  const [one, two, three, four] = releases;
  expect(one?.source).toEqual({
    kind: 'oci',
    repository: 'registry.example/x/one',
    digest: 'sha256:ab',
    tag: '1.0.0',
    layer: 'application/x',
    access: { login: { name: 'login', namespace: 'a' }, trust: { name: 'ca', namespace: 'a' } },
  });
  expect(one?.areHooksPostRendered).toBe(false);
  expect(two?.source).toEqual({
    kind: 'index',
    url: 'https://charts.example',
    chart: 'two',
    version: '1.x',
    access: { login: { name: 'basic', namespace: 'a' }, isLoginForAllHosts: true },
  });
  expect(two).toMatchObject({
    crds: 'skip',
    isSchemaSkipped: true,
    timeoutMs: 420_000,
    upgrade: { crds: 'create-replace', areHooksDisabled: true, shouldWait: false, timeoutMs: 60_000 },
  });
  expect(three?.source).toEqual({ kind: 'oci', repository: 'registry.example/charts/three', range: '>=2', isPlainHttp: true });
  expect(four?.source).toEqual({ kind: 'oci', repository: 'registry.example/charts/four', tag: '1.2.3', isPlainHttp: true });
  expect(four?.valuesFiles).toEqual({ paths: ['values.yaml', 'values-prod.yaml'], isMissingIgnored: true });
});
