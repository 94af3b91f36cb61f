import { expect, test } from 'vitest';
import type { Env } from '../../../../lib/base/index.ts';
import { findReleases, type ReleasePlan, resolveValues } from '../../../../lib/kube/index.ts';
import { createMemoryFiles } from '../../../../lib/sim/index.ts';
import { renderFailure } from '../../../../lib/ui/index.ts';
import { engine } from '../../wasm/engine.ts';
import { signal } from './rig.ts';

const repository = (files: Readonly<Record<string, string>>) =>
  createMemoryFiles(() => 0, Object.fromEntries(Object.entries(files).map(([path, text]) => [`/repo/${path}`, text])));

const environment = (known: Readonly<Record<string, string>> = {}): Env => ({
  get: (name) => known[name],
  home: '/home/x',
  platform: 'linux',
});
const helm = engine();

/** No tree of these tests needs the engine unless its helmfile holds templates that are asked for. */
const find = (files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) =>
  findReleases({ files: repository(files), engine: helm, env: environment(env) }, '/repo', 'kubernetes', signal);

/** Where plans stand is asserted on its own; here only what they say. */
const brief = ({ name, namespace, source, needs, isBootstrap, role, crds, timeoutMs, values }: ReleasePlan) => ({
  name,
  namespace,
  source,
  needs,
  isBootstrap,
  role,
  crds,
  timeoutMs,
  values: values.map(({ kind }) => kind),
});

const ociRepository = (name: string, url: string, ref: string) =>
  `---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata:\n  name: ${name}\nspec:\n  interval: 15m\n  layerSelector: { mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy }\n  ref: ${ref}\n  url: ${url}\n`;
const helmRelease = (name: string, spec: string) =>
  `---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: ${name}\nspec:\n  interval: 1h\n${spec}`;
const kustomization = (name: string, path: string, more = '') =>
  `---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: ${name}\nspec:\n  path: ${path}\n  sourceRef: { kind: GitRepository, name: flux-system, namespace: flux-system }\n${more}`;

/** The layout of cluster-template. */
const template: Readonly<Record<string, string>> = {
  'kubernetes/flux/cluster/ks.yaml': kustomization(
    'cluster-apps',
    './kubernetes/apps',
    `  patches:
    - patch: |-
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: { name: _ }
        spec:
          decryption: { provider: sops, secretRef: { name: sops-age } }
          postBuild: { substituteFrom: [{ kind: Secret, name: cluster-secrets }] }
          patches:
            - patch: |-
                apiVersion: helm.toolkit.fluxcd.io/v2
                kind: HelmRelease
                metadata: { name: _ }
                spec: { install: { crds: CreateReplace, timeout: 10m } }
              target: { group: helm.toolkit.fluxcd.io, kind: HelmRelease }
      target: { group: kustomize.toolkit.fluxcd.io, kind: Kustomization }
`,
  ),
  'kubernetes/apps/kube-system/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: kube-system\nresources: [./cilium/ks.yaml, ./coredns/ks.yaml]\n',
  'kubernetes/apps/kube-system/cilium/ks.yaml': kustomization(
    'cilium',
    './kubernetes/apps/kube-system/cilium/app',
    '  targetNamespace: kube-system\n  postBuild: { substitute: { POD_CIDR: 10.42.0.0/16, PORT: "7445" } }\n',
  ),
  'kubernetes/apps/kube-system/cilium/app/ocirepository.yaml': ociRepository(
    'cilium',
    'oci://quay.io/cilium/charts/cilium',
    '{ tag: 1.19.6 }',
  ),
  'kubernetes/apps/kube-system/cilium/app/helmrelease.yaml': helmRelease(
    'cilium',
    '  chartRef: { kind: OCIRepository, name: cilium }\n  values:\n    ipv4NativeRoutingCIDR: "${POD_CIDR}"\n    k8sServicePort: "${PORT}"\n    domain: ${SECRET_DOMAIN:=example.invalid}\n    defaultMode: 0400\n',
  ),
  'kubernetes/apps/kube-system/coredns/ks.yaml': kustomization(
    'coredns',
    './kubernetes/apps/kube-system/coredns/app',
    '  targetNamespace: kube-system\n',
  ),
  'kubernetes/apps/kube-system/coredns/app/ocirepository.yaml': ociRepository(
    'coredns',
    'oci://ghcr.io/coredns/charts/coredns',
    '{ semver: ">=1.45.0 <2" }',
  ),
  'kubernetes/apps/kube-system/coredns/app/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [./helmrelease.yaml]\nconfigMapGenerator:\n  - name: coredns-values\n    files: [values.yaml=./helm/values.yaml]\n',
  'kubernetes/apps/kube-system/coredns/app/helm/values.yaml': 'replicaCount: 2\nservice: { clusterIP: 10.43.0.10 }\n',
  'kubernetes/apps/kube-system/coredns/app/helmrelease.yaml': helmRelease(
    'coredns',
    '  chartRef: { kind: OCIRepository, name: coredns }\n  valuesFrom:\n    - { kind: ConfigMap, name: coredns-values }\n    - { kind: Secret, name: coredns-secret, valuesKey: token, targetPath: auth.token }\n    - { kind: ConfigMap, name: not-there, optional: true }\n  values: { replicaCount: 3 }\n',
  ),
  'kubernetes/apps/cert-manager/cert-manager/app/helmrelease.yaml': helmRelease(
    'cert-manager',
    '  chart:\n    spec: { chart: cert-manager, version: v1.20.4, sourceRef: { kind: HelmRepository, name: jetstack, namespace: flux-system } }\n  dependsOn: [{ name: coredns, namespace: kube-system }]\n',
  ),
  'kubernetes/flux/repositories/jetstack.yaml':
    'apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: { name: jetstack, namespace: flux-system }\nspec: { interval: 2h, url: https://charts.jetstack.io }\n',
  'kubernetes/apps/default/own/helmrelease.yaml': helmRelease(
    'own',
    '  targetNamespace: apps\n  chart: { spec: { chart: ./charts/own, sourceRef: { kind: GitRepository, name: flux-system } } }\n',
  ),
};

test('HelmReleases of a tree become plans with sources, needs and the defaults that patches give', async () => {
  const { releases, failures } = await find(template);
  expect(failures).toEqual([]);
  await expect(JSON.stringify(releases.map(brief), null, 2)).toMatchFileSnapshot('../../../golden/charts/plans.json');
  expect(releases[0]?.place).toMatchObject({ path: 'kubernetes/apps/kube-system/cilium/app/helmrelease.yaml', line: 2 });
});

test('values come from the same places, in the same order, with the same types as Flux gives them', async () => {
  const { releases, readReference } = await find(template);
  const read: typeof readReference = async (reference, inner) => {
    if (reference.name === 'cluster-secrets') return { SECRET_DOMAIN: 'home.example', OTHER: 'x' };
    if (reference.name === 'coredns-secret') return { token: 's3cret,with=marks' };
    return readReference(reference, inner);
  };
  const valuesOf = async (name: string) => {
    const plan = releases.find((candidate) => candidate.name === name);
    if (plan === undefined) throw new Error(name);
    return (await resolveValues(plan, helm, read, signal)).reveal();
  };
  // Flux substitutes in what kustomize wrote without quotes, so a port becomes a number there too.
  expect(await valuesOf('cilium')).toEqual({
    ipv4NativeRoutingCIDR: '10.42.0.0/16',
    k8sServicePort: 7445,
    domain: 'home.example',
    defaultMode: 256,
  });
  expect(await valuesOf('coredns')).toEqual({
    replicaCount: 3,
    service: { clusterIP: '10.43.0.10' },
    auth: { token: 's3cret' },
    with: 'marks',
  });
});

test('a helmfile decides what bootstrap installs and in which order; HelmReleases say what', async () => {
  const { releases, failures } = await find({
    ...template,
    'bootstrap/helmfile.d/00-crds.yaml':
      'releases:\n  - { name: prometheus-operator-crds, namespace: observability, chart: oci://ghcr.io/prometheus-community/charts/prometheus-operator-crds, version: 25.0.0 }\n',
    'bootstrap/helmfile.d/01-apps.yaml': `helmDefaults: { cleanupOnFail: true, wait: true }
repositories:
  - { name: jetstack, url: https://charts.jetstack.io }
templates:
  default:
    values: [ "./templates/values.yaml.gotmpl" ]
releases:
  - name: cert-manager
    namespace: cert-manager
    chart: jetstack/cert-manager
    version: v1.20.4
    inherit: [{ template: default }]
    needs: [kube-system/coredns]
  - name: coredns
    namespace: kube-system
    chart: oci://ghcr.io/coredns/charts/coredns
    version: 1.45.0
    inherit: [{ template: default }]
    needs: ["kube-system/cilium"]
    hooks:
      - { events: [postsync], command: kubectl, args: [wait, --for=create, crd/x] }
  - name: cilium
    namespace: kube-system
    chart: oci://quay.io/cilium/charts/cilium
    version: 1.19.6
    inherit: [{ template: default }]
  - name: external-secrets
    namespace: external-secrets
    chart: oci://ghcr.io/external-secrets/charts/external-secrets
    version: 1.0.0
    values: [{ installCRDs: true }]
    needs: [cert-manager/cert-manager]
`,
  });
  expect(failures).toEqual([]);
  const bootstrap = releases.filter((plan) => plan.isBootstrap);
  expect(
    bootstrap.map(({ name, needs, source, hooks }) => [name, needs, source.kind === 'oci' ? source.repository : source.kind, hooks]),
  ).toEqual([
    ['cilium', [], 'quay.io/cilium/charts/cilium', []],
    ['coredns', ['cilium'], 'ghcr.io/coredns/charts/coredns', ['postsync: kubectl wait --for=create crd/x']],
    ['cert-manager', ['coredns'], 'index', []],
    ['external-secrets', ['cert-manager'], 'ghcr.io/external-secrets/charts/external-secrets', []],
  ]);
  expect(releases.filter(({ role }) => role === 'crds').map(({ name }) => name)).toEqual(['prometheus-operator-crds']);
});

test('helmfile pulls with the logins of the person, so what a source of Flux takes from a Secret that is made later is done without', async () => {
  const { releases, failures } = await find({
    'bootstrap/helmfile.yaml': 'releases:\n  - { name: a, namespace: a, chart: oci://ghcr.io/x/a, version: 1.0.0 }\n',
    'kubernetes/apps/a/a/helmrelease.yaml': helmRelease('a', '  chartRef: { kind: OCIRepository, name: a }\n'),
    'kubernetes/apps/a/a/ocirepository.yaml':
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: { name: a }\nspec: { url: oci://ghcr.io/x/a, ref: { tag: 1.0.0 }, secretRef: { name: later } }\n',
  });
  expect(failures).toEqual([]);
  expect(releases.map(({ source }) => source.access)).toEqual([{ login: { name: 'later', namespace: 'a' }, isOptional: true }]);
});

test('everything that is wrong in a tree is told at once, with its place', async () => {
  const { failures, broken } = await find({
    'kubernetes/apps/a/a/helmrelease.yaml': helmRelease('a', '  chartRef: { kind: OCIRepository, name: nope }\n'),
    'kubernetes/apps/a/b/helmrelease.yaml': helmRelease('b', '  values: {}\n'),
    'kubernetes/apps/a/c/helmrelease.yaml': helmRelease(
      'c',
      '  chart: { spec: { chart: charts/x, sourceRef: { kind: GitRepository, name: other } } }\n',
    ),
    'kubernetes/apps/a/d/helmrelease.yaml': 'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: d\n',
    'bootstrap/helmfile.yaml':
      'releases:\n  - name: one\n    namespace: x\n    chart: oci://ghcr.io/x/one\n    needs: [x/two, x/gone]\n  - name: two\n    namespace: x\n    chart: unknown/two\n    needs: [x/one]\n    values: [./values.yaml.gotmpl]\n  - namespace: x\n',
  });
  expect(broken.map(({ namespace, name, isBootstrap }) => `${namespace}/${name} ${isBootstrap}`)).toEqual([
    'a/d false',
    'a/a false',
    'a/b false',
    'a/c false',
  ]);
  const all = [...broken.flatMap((release) => release.failures), ...failures];
  await expect(all.map((failure) => renderFailure(failure)).join('\n\n')).toMatchFileSnapshot('../../../golden/charts/tree-failures.txt');
});
