import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { TkError } from '../../../../lib/base/index.ts';
import { packTar } from '../../../../lib/format/index.ts';
import {
  diffRelease,
  installRelease,
  type KubeObject,
  type KubeWriter,
  type ReleasePlan,
  type ReleasePorts,
  releaseState,
} from '../../../../lib/kube/index.ts';
import { type ChartFolder, createRegistry, type RegistryOptions, type SimRegistry } from '../../../../lib/sim/index.ts';
import { renderFailure } from '../../../../lib/ui/index.ts';
import { type KubeRig, kubeRig } from '../../sim/kube/rig.ts';
import { engine } from '../../wasm/engine.ts';
import { oddArchive } from '../../wasm/odd-archives.ts';
import { pullPorts, signal } from './rig.ts';

const planOf = (name: string, more: Partial<ReleasePlan> = {}): ReleasePlan => ({
  name,
  namespace: 'kube-system',
  storageNamespace: 'kube-system',
  source: { kind: 'oci', repository: `ghcr.io/home/charts/${name}`, tag: '1.2.3' },
  chart: name,
  version: '1.2.3',
  needs: [],
  role: 'release',
  isBootstrap: true,
  values: [],
  crds: 'create',
  origin: { name, namespace: 'kube-system' },
  areHooksDisabled: false,
  timeoutMs: 300_000,
  place: { kind: 'file', path: 'kubernetes/apps/x.yaml', line: 1, column: 1 },
  hooks: [],
  ...more,
});

const withValues = (values: object): Pick<ReleasePlan, 'values'> => ({
  values: [{ kind: 'inline', origin: 'test', values: values as never }],
});

interface Rig extends KubeRig {
  readonly ports: ReleasePorts;
  readonly registry: SimRegistry;
}

const sharedEngine = engine(new Map());

async function rig(cni: 'flannel' | 'none' = 'flannel'): Promise<Rig> {
  const cluster = await kubeRig({ cni });
  cluster.up({ name: 'cp-1' }, { name: 'worker-1' }, { name: 'worker-2' });
  const registry = createRegistry({ clock: cluster.world.clock });
  const ports: ReleasePorts = {
    engine: sharedEngine,
    clock: cluster.world.clock,
    pull: pullPorts(registry.handler, cluster.world.files),
    readReference: () => Promise.resolve(undefined),
  };
  return { ...cluster, ports, registry };
}

const records = async (kube: KubeWriter) => {
  const { items } = await kube.list({ apiVersion: 'v1', kind: 'Secret' }, { labelSelector: 'owner=helm' }, signal);
  return items.map(({ metadata }) => `${metadata.name} ${metadata.labels?.status}`);
};

const contentOf = (secret: KubeObject | undefined) => {
  const { release } = (secret?.data ?? {}) as { release: string };
  return JSON.parse(gunzipSync(Buffer.from(Buffer.from(release, 'base64').toString(), 'base64')).toString()) as {
    name: string;
    version: number;
    config: object;
    info: { status: string; description: string };
    hooks?: { name: string; last_run: { phase: string } }[];
  };
};

test('a release is installed with hooks, waits and a record, and a second look finds it equal', async () => {
  const { client, ports } = await rig('none');
  await installRelease(planOf('cilium'), client, ports, {}, signal);
  const plan = planOf('cert-manager', {
    ...withValues({ crds: { enabled: true } }),
    namespace: 'cert-manager',
    storageNamespace: 'cert-manager',
  });
  expect(await releaseState(plan, client, ports, signal)).toEqual({ state: 'absent' });
  const seen: string[] = [];
  const installed = await installRelease(plan, client, ports, { observe: (text) => seen.push(text) }, signal);
  expect(installed).toEqual({ state: 'installed', revision: 1, objects: 21 });
  expect(await releaseState(plan, client, ports, signal)).toEqual({ state: 'equal', revision: 1 });
  expect(await records(client)).toEqual(['sh.helm.release.v1.cert-manager.v1 deployed', 'sh.helm.release.v1.cilium.v1 deployed']);

  const deployment = await client.get(
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'cert-manager', name: 'cert-manager' },
    signal,
  );
  expect(deployment?.metadata.labels).toMatchObject({
    'app.kubernetes.io/managed-by': 'Helm',
    'helm.toolkit.fluxcd.io/name': 'cert-manager',
    'helm.toolkit.fluxcd.io/namespace': 'kube-system',
  });
  expect(deployment?.metadata.annotations).toMatchObject({
    'meta.helm.sh/release-name': 'cert-manager',
    'meta.helm.sh/release-namespace': 'cert-manager',
  });
  expect(deployment?.metadata.managedFields).toContainEqual(
    expect.objectContaining({
      manager: 'helm-controller',
      operation: 'Apply',
    }),
  );
  // The hook's policy is hook-succeeded, so nothing of it is left but its trace in the record.
  expect(
    await client.get({ apiVersion: 'batch/v1', kind: 'Job', namespace: 'cert-manager', name: 'cert-manager-startupapicheck' }, signal),
  ).toBeUndefined();
  const record = contentOf(
    await client.get({ apiVersion: 'v1', kind: 'Secret', namespace: 'cert-manager', name: 'sh.helm.release.v1.cert-manager.v1' }, signal),
  );
  expect(record).toMatchObject({
    name: 'cert-manager',
    version: 1,
    config: { crds: { enabled: true } },
    info: { status: 'deployed', description: 'Install complete' },
  });
  expect(record.hooks?.map(({ name, last_run }) => `${name} ${last_run.phase}`)).toEqual([
    'cert-manager-startupapicheck Succeeded',
    'cert-manager-startupapicheck:create-cert Succeeded',
    'cert-manager-startupapicheck:create-cert Succeeded',
    'cert-manager-startupapicheck Succeeded',
  ]);
  expect(seen.at(-1)).toBe('writing the release record');
});

test('an equal release is left alone: no request changes anything', async () => {
  const { client, ports } = await rig();
  const plan = planOf('flux-operator', withValues({ web: { enabled: false } }));
  await installRelease(plan, client, ports, {}, signal);
  const mutations: string[] = [];
  const watched = counting(client, (verb) => mutations.push(verb));
  expect(await installRelease(plan, watched, ports, {}, signal)).toEqual({ state: 'equal', revision: 1, objects: 0 });
  expect(mutations).toEqual([]);
});

test('changed values make a new revision, which removes what the chart drops', async () => {
  const { client, ports } = await rig();
  await installRelease(planOf('cilium', withValues({ hubble: { relay: { enabled: true } } })), client, ports, {}, signal);
  const relay = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'kube-system', name: 'hubble-relay' };
  const agent = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'kube-system', name: 'cilium' };
  const before = await client.get(agent, signal);
  expect(await client.get(relay, signal)).toBeDefined();
  const plan = planOf('cilium', withValues({ operator: { replicas: 1 } }));
  expect(await releaseState(plan, client, ports, signal)).toEqual({ state: 'differs', revision: 1, because: 'values changed' });
  expect(await installRelease(plan, client, ports, {}, signal)).toMatchObject({ state: 'upgraded', revision: 2 });
  expect(await client.get(relay, signal)).toBeUndefined();
  const after = await client.get(agent, signal);
  expect([after?.metadata.uid, after?.metadata.generation]).toEqual([before?.metadata.uid, before?.metadata.generation]);
  expect(await records(client)).toEqual(['sh.helm.release.v1.cilium.v1 superseded', 'sh.helm.release.v1.cilium.v2 deployed']);
});

test("post-renderers that change make a new revision; one of Flux's own is left to Flux", async () => {
  const { client, ports } = await rig();
  const patched = (replicas: number) =>
    planOf('flux-operator', {
      values: [
        {
          kind: 'helm-release',
          text: '',
          firstLine: 1,
          place: { kind: 'file', path: 'kubernetes/apps/x.yaml', line: 1, column: 1 },
          patched: JSON.stringify({
            spec: {
              values: { web: { enabled: false } },
              postRenderers: [
                {
                  kustomize: {
                    patches: [
                      {
                        patch: `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: flux-operator }\nspec: { replicas: ${replicas} }`,
                      },
                    ],
                  },
                },
              ],
            },
          }),
        },
      ],
    });
  await installRelease(patched(1), client, ports, {}, signal);
  expect(await releaseState(patched(1), client, ports, signal)).toEqual({ state: 'equal', revision: 1 });
  expect(await releaseState(patched(2), client, ports, signal)).toEqual({
    state: 'differs',
    revision: 1,
    because: 'post-renderers changed',
  });
  expect(await installRelease(patched(2), client, ports, {}, signal)).toMatchObject({ state: 'upgraded', revision: 2 });
  const operator = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'kube-system', name: 'flux-operator' };
  expect((await client.get(operator, signal))?.spec).toMatchObject({ replicas: 2 });
  const record = { apiVersion: 'v1', kind: 'Secret', namespace: 'kube-system', name: 'sh.helm.release.v1.flux-operator.v2' };
  await client.patch(record, { type: 'merge', value: { metadata: { annotations: null } }, fieldManager: 'helm-controller' }, signal);
  expect(await releaseState(patched(1), client, ports, signal)).toEqual({ state: 'equal', revision: 2 });
});

test('a diff tells what an install would change, with the contents of secrets left out, and changes nothing', async () => {
  const { client, ports } = await rig();
  await installRelease(planOf('cilium', withValues({ hubble: { relay: { enabled: true } } })), client, ports, {}, signal);
  expect(await diffRelease(planOf('cilium', withValues({ hubble: { relay: { enabled: true } } })), client, ports, signal)).toEqual({
    release: 'cilium',
    namespace: 'kube-system',
    version: '1.2.3',
    revision: 1,
    objects: [],
  });
  await client.patch(
    { apiVersion: 'v1', kind: 'Secret', namespace: 'kube-system', name: 'cilium-ca' },
    { type: 'merge', value: { data: null, metadata: { labels: { x: 'y' } } } },
    signal,
  );
  await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'cilium-config' }, {}, signal);
  const mutations: string[] = [];
  const { objects: changes } = await diffRelease(
    planOf('cilium', withValues({ operator: { replicas: 3 } })),
    counting(client, (verb) => mutations.push(verb)),
    ports,
    signal,
  );
  expect(mutations).toEqual([]);
  const ref = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, namespace: 'kube-system', name });
  expect(changes).toEqual([
    { change: 'update', ref: ref('v1', 'Secret', 'cilium-ca'), fields: [{ path: 'data', after: '[redacted]' }] },
    { change: 'create', ref: ref('v1', 'ConfigMap', 'cilium-config') },
    { change: 'update', ref: ref('apps/v1', 'Deployment', 'cilium-operator'), fields: [{ path: 'spec.replicas', before: 2, after: 3 }] },
    { change: 'delete', ref: ref('apps/v1', 'Deployment', 'hubble-relay') },
    { change: 'delete', ref: ref('v1', 'Service', 'hubble-relay') },
  ]);
  expect(JSON.stringify(changes)).not.toMatch(/LS0tLS1/);
});

test('an object that somebody deleted comes back', async () => {
  const { client, ports } = await rig();
  await installRelease(planOf('cilium'), client, ports, {}, signal);
  await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'cilium-config' }, {}, signal);
  expect(await releaseState(planOf('cilium'), client, ports, signal)).toEqual({
    state: 'differs',
    revision: 1,
    because: 'configmap cilium-config is missing',
  });
  expect(await installRelease(planOf('cilium'), client, ports, {}, signal)).toMatchObject({ state: 'upgraded', revision: 2 });
  expect(await releaseState(planOf('cilium'), client, ports, signal)).toEqual({ state: 'equal', revision: 2 });
});

test('whatever is wrong with a chart or its values is told with its place, and nothing is applied', async () => {
  const { client, world } = await rig();
  const chart = (files: Readonly<Record<string, string>>): ChartFolder => ({ name: 'web', version: '1.2.3', description: '', files });
  const text =
    'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: web }\nspec:\n  values:\n    port: eighty\n    host: x\n';
  const place = { kind: 'file', path: 'kubernetes/apps/web/helmrelease.yaml', line: 5, column: 3 } as const;
  const broken = (kind: string, point: string): Partial<RegistryOptions> => ({
    fault: (asked) => (asked === point ? { kind, facts: {} } : undefined),
  });
  /** An archive that no packer would make. */
  const serving = (files: Readonly<Record<string, string | Uint8Array>>): Partial<RegistryOptions> => ({
    cached: () => Promise.resolve(gzipSync(packTar(Object.entries(files).map(([path, content]) => ({ path: `web/${path}`, content }))))),
  });
  const cases: readonly (readonly [string, Partial<RegistryOptions>])[] = [
    ['a missing chart', { hasStandIns: false }],
    ['a missing tag', broken('missing-tag', 'registry/manifest')],
    ['a wrong digest', broken('wrong-digest', 'registry/blob')],
    ['a layer of 2 GB', broken('huge-layer', 'registry/manifest')],
    ['bad credentials', { credential: { username: 'robot', password: 'hunter22' } }],
    ['a schema', { charts: [chart({ 'values.schema.json': '{"properties":{"port":{"type":"integer"}},"required":["name"]}' })] }],
    ['a template', { charts: [chart({ 'crds/x.yaml': 'kind: X\n', 'templates/a.yaml': 'a: b\nb: {{ .Values.a.b }}\n' })] }],
    ['a required value', { charts: [chart({ 'templates/a.yaml': 'a: {{ required "name it" .Values.name }}\n' })] }],
    ['not YAML', { charts: [chart({ 'templates/a.yaml': 'a: b\n c: d\n' })] }],
    ['a newer Kubernetes', serving({ 'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.2.3\nkubeVersion: ">=1.99"\n' })],
    ['an archive that reaches outside', serving({ 'Chart.yaml': 'name: web\n', '../../etc/cron.d/x': 'x' })],
    ['an archive that grows', serving({ 'Chart.yaml': 'name: web\n', 'templates/big.yaml': Buffer.alloc(6 * 1024 * 1024) })],
    ['an archive with an absolute path', { cached: () => Promise.resolve(gzipSync(packTar([{ path: '/etc/cron.d/x', content: 'x' }]))) }],
    ...(['symbolic link', 'hard link', 'character device', 'block device', 'pipe'] as const).map(
      (type) =>
        [
          `an archive with a ${type}`,
          { cached: () => Promise.resolve(oddArchive(type, 'apiVersion: v2\nname: web\nversion: 1.2.3\n')) },
        ] as const,
    ),
    ['not an archive', { cached: () => Promise.resolve(Buffer.from('<html>')) }],
    ['a chart of a kind that is yet to come', serving({ 'Chart.yaml': 'apiVersion: v3\nname: web\nversion: 1.2.3\n' })],
    ['a trap', { charts: [chart({ 'templates/a.yaml': '{{ repeat 4000000000 "x" }}' })] }],
  ];
  const told: string[] = [];
  for (const [name, options] of cases) {
    const registry = createRegistry({ clock: world.clock, ...options });
    const ports: ReleasePorts = {
      engine: engine(),
      clock: world.clock,
      pull: pullPorts(registry.handler, world.files, { cache: '/cache' }),
      readReference: () => Promise.resolve(undefined),
    };
    const plan = planOf('web', { place, values: [{ kind: 'helm-release', text, firstLine: 1, place }] });
    const mutations: string[] = [];
    const error = await installRelease(
      plan,
      counting(client, (verb) => mutations.push(verb)),
      ports,
      {},
      signal,
    ).catch((thrown: unknown) => thrown);
    const failures = error instanceof TkError ? error.failures.map((failure) => renderFailure(failure)) : [String(error)];
    told.push(`## ${name}\n\n${failures.join('\n\n')}\n`);
    expect(mutations, name).toEqual([]);
    // Only what is a chart by itself is kept; it is what stands around it that has to change then.
    const kept = (await world.files.list('/cache')).length > 0;
    expect(kept, name).toBe(
      failures.some((text) => /chart\/(?:template|manifest|kubernetes-version|invalid|engine-trapped)|values-schema/.test(text)),
    );
    await world.files.removeTree('/cache');
  }
  await expect(told.join('\n').replace(/[0-9a-f]{64}|\d+(?= in use)/g, '…')).toMatchFileSnapshot(
    '../../../golden/charts/install-failures.md',
  );
});

test('manifests that were rendered before stand in for a chart, hooks and definitions included', async () => {
  const { client, ports, world } = await rig();
  const write = (replicas: number) =>
    world.files.write(
      '/repo/rendered/kube-system/web.yaml',
      `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web, annotations: { text: "{{ .Values.kept }}" } }\ndata: { replicas: "${replicas}" }\n---\napiVersion: batch/v1\nkind: Job\nmetadata: { name: web-check, annotations: { helm.sh/hook: post-install } }\nspec: { template: { spec: { restartPolicy: Never, containers: [{ name: check, image: busybox }] } } }\n---\napiVersion: example.com/v1\nkind: Thing\nmetadata: { name: thing }\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: things.example.com }\nspec:\n  group: example.com\n  scope: Namespaced\n  names: { kind: Thing, plural: things, singular: thing, listKind: ThingList }\n  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }]\n`,
    );
  await write(1);
  const plan = planOf('web', {
    source: { kind: 'rendered', root: '/repo', path: 'rendered/kube-system/web.yaml', chart: 'web' },
    version: 'rendered',
  });
  expect(await installRelease(plan, client, ports, {}, signal)).toEqual({ state: 'installed', revision: 1, objects: 3 });
  expect(await releaseState(plan, client, ports, signal)).toEqual({ state: 'equal', revision: 1 });
  const map = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'web' };
  expect((await client.get(map, signal))?.metadata.annotations).toMatchObject({
    text: '{{ .Values.kept }}',
    'meta.helm.sh/release-name': 'web',
  });
  expect(await client.get({ apiVersion: 'batch/v1', kind: 'Job', namespace: 'kube-system', name: 'web-check' }, signal)).toBeDefined();
  await write(2);
  expect((await diffRelease(plan, client, ports, signal)).objects).toEqual([
    { change: 'update', ref: map, fields: [{ path: 'data.replicas', before: '1', after: '2' }] },
  ]);
  expect(await installRelease(plan, client, ports, {}, signal)).toMatchObject({ state: 'upgraded', revision: 2 });
  expect((await client.get(map, signal))?.data).toEqual({ replicas: '2' });
});

test('a release that somebody began is waited for, and taken over when nobody goes on', async () => {
  const { client, ports, pass } = await rig();
  const plan = planOf('spegel');
  await installRelease(plan, client, ports, {}, signal);
  const ref = { apiVersion: 'v1', kind: 'Secret', namespace: 'kube-system', name: 'sh.helm.release.v1.spegel.v1' };
  const labels = { status: 'pending-install', modifiedAt: String(Math.floor(ports.clock.now() / 1000)) };
  await client.patch(ref, { type: 'merge', value: { metadata: { labels } } }, signal);
  await pass(60_000);
  const refused = await installRelease(plan, client, ports, {}, signal).catch((error: TkError) => error.failure);
  expect(refused).toMatchObject({
    code: 'release/pending',
    facts: { release: 'spegel', revision: 1, status: 'pending-install', staleAfterMs: 300_000 },
  });
  await pass(300_000);
  expect(await installRelease(plan, client, ports, {}, signal)).toMatchObject({ state: 'installed', revision: 2 });
  expect((await records(client)).filter((line) => line.includes('spegel'))).toEqual([
    'sh.helm.release.v1.spegel.v1 failed',
    'sh.helm.release.v1.spegel.v2 deployed',
  ]);
});

test('killed before any of its changes or files, a second run converges with one release and no lost record', async () => {
  const plan = planOf('cert-manager', {
    ...withValues({ crds: { enabled: true } }),
    namespace: 'cert-manager',
    storageNamespace: 'cert-manager',
  });
  const whole = await rig();
  let changes = 0;
  await installRelease(
    plan,
    counting(whole.client, () => (changes += 1)),
    keeping(whole.ports, () => (changes += 1)),
    {},
    signal,
  );
  const wanted = await inventory(whole.client);
  expect(changes).toBeGreaterThan(25);
  for (let kill = 0; kill < changes; kill += 1) {
    const { client, ports } = await rig();
    let count = 0;
    const orDie = () => {
      if (count === kill) throw new Error('killed');
      count += 1;
    };
    await expect(installRelease(plan, counting(client, orDie), keeping(ports, orDie), {}, signal)).rejects.toThrow();
    await installRelease(
      plan,
      client,
      keeping(ports, () => {}),
      {},
      signal,
    );
    expect(await inventory(client), `killed before change ${kill + 1} of ${changes}`).toEqual(wanted);
    expect(await releaseState(plan, client, ports, signal)).toEqual({ state: 'equal', revision: 1 });
  }
});

/** Every object of the release's kinds with the marks that matter; pods and what controllers make are left out. */
async function inventory(kube: KubeWriter): Promise<readonly string[]> {
  const kinds = [
    ['v1', 'Namespace'],
    ['v1', 'Secret'],
    ['v1', 'ServiceAccount'],
    ['v1', 'Service'],
    ['apps/v1', 'Deployment'],
    ['batch/v1', 'Job'],
    ['rbac.authorization.k8s.io/v1', 'Role'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
    ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
  ] as const;
  const found: string[] = [];
  for (const [apiVersion, kind] of kinds) {
    for (const { metadata } of (await kube.list({ apiVersion, kind }, {}, signal)).items) {
      found.push(
        `${kind} ${metadata.namespace ?? ''} ${metadata.name} ${metadata.labels?.status ?? metadata.labels?.['app.kubernetes.io/managed-by'] ?? ''}`,
      );
    }
  }
  return found.sort();
}

/** With a cache on the disk; tells each file before it is written. */
function keeping(ports: ReleasePorts, told: () => void): ReleasePorts {
  const { files } = ports.pull;
  const write: typeof files.write = (...args) => {
    told();
    return files.write(...args);
  };
  return { ...ports, pull: { ...ports.pull, cache: '/cache', files: { ...files, write } } };
}

/** Tells each change before it is sent. */
function counting(kube: KubeWriter, told: (verb: string) => void): KubeWriter {
  return {
    ...kube,
    apply(...args) {
      told(`apply ${args[0].kind}`);
      return kube.apply(...args);
    },
    create(...args) {
      told('create');
      return kube.create(...args);
    },
    patch(...args) {
      told('patch');
      return kube.patch(...args);
    },
    delete(...args) {
      told('delete');
      return kube.delete(...args);
    },
  };
}
