import { expect, test } from 'vitest';
import { minutes, type TkError, waitFor } from '../../../lib/base/index.ts';
import {
  conditionTrue,
  createKubeClient,
  createKubeReader,
  crdsServed,
  objectGone,
  type WatchEvent,
  workloadReady,
} from '../../../lib/kube/index.ts';
import { addresses, configMap, kubeRig, never } from '../sim/kube/rig.ts';
import { definition, deployment } from '../sim/flux/rig.ts';

const tk = { fieldManager: 'tk' };
const map = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'one' };
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: TkError) => `${error.failure.code} ${JSON.stringify(error.failure.facts)}`,
  );

test('an object is applied, read, previewed, patched and deleted', async () => {
  const { client } = await kubeRig();
  const made = await client.apply(configMap('one', { a: '1' }), tk, never);
  expect((await client.apply(made, tk, never)).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  expect((await client.preview(configMap('one', { a: '2' }), tk, never)).data).toEqual({ a: '2' });
  expect((await client.get(map, never))?.data).toEqual({ a: '1' });
  expect((await client.patch(map, { type: 'merge', value: { data: { b: '2' } } }, never)).data).toEqual({ a: '1', b: '2' });
  expect(await client.delete(map, {}, never)).toBe(true);
  expect(await client.delete(map, {}, never)).toBe(false);
  expect(await client.get(map, never)).toBeUndefined();
  expect(await client.get({ apiVersion: 'nothing.example.org/v1', kind: 'Thing', name: 'x' }, never)).toBeUndefined();
});

test('failures carry what the API server said as facts', async () => {
  const { client, clientOf } = await kubeRig();
  const facts = '"verb":"apply","kind":"ConfigMap","name":"one","namespace":"default","server":"https://10.5.0.11:6443"';
  await client.apply(configMap('one', { a: '1', b: '2' }), { fieldManager: 'helm-controller' }, never);
  expect(await codeOf(client.apply(configMap('one', { a: '2', b: '3' }), tk, never))).toBe(
    `kube/conflict {${facts},"conflicts":[{"manager":"helm-controller","field":".data.a"},{"manager":"helm-controller","field":".data.b"}]}`,
  );
  expect(await codeOf(client.create(configMap('one', {}), never))).toMatch(/^kube\/exists /);
  const stale = await client.get(map, never);
  await client.patch(map, { type: 'merge', value: { data: { a: '5' } } }, never);
  expect(await codeOf(client.replace(stale as never, never))).toMatch(/^kube\/stale /);
  expect(await codeOf(client.apply(configMap('Bad_Name', {}), tk, never))).toMatch(/^kube\/invalid .*"field":"metadata.name"/);
  expect(await codeOf(client.apply(configMap('one', {}, 'nowhere'), tk, never))).toMatch(
    /^kube\/not-found .*namespaces \\"nowhere\\" not found/,
  );
  expect(await codeOf(clientOf('10.5.0.99').read('/version', never))).toMatch(/^kube\/unreachable .*"reason":"not-allowed"/);
});

test('without roles everything is forbidden, and a foreign certificate is not known', async () => {
  const { client } = await kubeRig({ organizations: ['nobody'] });
  expect(await codeOf(client.list({ apiVersion: 'v1', kind: 'Pod' }, {}, never))).toMatch(
    /^kube\/forbidden .*User \\"admin\\" cannot list resource \\"pods\\"/,
  );
  const { world, target } = await kubeRig();
  const plain = target(addresses['cp-1'] as string);
  const { certificate: _certificate, key: _key, ...tls } = plain.tls ?? {};
  const stranger = createKubeClient({ dial: world.dial, clock: world.clock, target: { ...plain, tls } });
  expect(await codeOf(stranger.version(never))).toMatch(/^kube\/unauthorized /);
});

test('what is busy, throttled or cut off is asked again, and the observer is told', async () => {
  const { world, target, kernel } = await kubeRig({
    faults: [
      { point: 'kube/request', kind: 'throttled', probability: 1, atMost: 2 },
      { point: 'wire/reply', kind: 'lost', probability: 1, atMost: 1, skip: 3 },
      { point: 'kube/request', kind: 'unavailable', probability: 1, atMost: 1 },
    ],
  });
  const told: string[] = [];
  const client = createKubeClient({
    dial: world.dial,
    clock: world.clock,
    target: target(addresses['cp-1'] as string),
    onRetry: ({ because, attempt, pauseMs }) => told.push(`${because.failure.code} ${attempt} ${pauseMs}`),
  });
  expect((await client.apply(configMap('one', { a: '1' }), tk, never)).data).toEqual({ a: '1' });
  expect(told).toEqual(['kube/busy 1 1000', 'kube/busy 2 1000', 'kube/busy 3 2000', 'kube/unreachable 4 4000']);
  expect(kernel.faultHits()).toEqual({ 'kube/request throttled': 2, 'kube/request unavailable': 1, 'wire/reply lost': 1 });
});

test('a create whose answer is lost is not repeated, an apply is', async () => {
  const lostFirstWrite = { point: 'wire/reply', kind: 'lost', probability: 1, atMost: 1, only: { method: 'POST' } };
  const { client } = await kubeRig({ faults: [lostFirstWrite, { ...lostFirstWrite, only: { method: 'PATCH' } }] });
  expect(await codeOf(client.create(configMap('one', {}), never))).toMatch(/^kube\/unreachable .*"reason":"reset"/);
  expect((await client.get(map, never))?.metadata.name).toBe('one');
  expect((await client.apply(configMap('two', { a: '1' }), tk, never)).data).toEqual({ a: '1' });
});

test('a wedged connection costs one deadline, on the virtual clock', async () => {
  const { world, target } = await kubeRig();
  const dial = { ...world.dial, http: () => new Promise<never>(() => {}) };
  const client = createKubeClient({
    dial,
    clock: world.clock,
    target: target(addresses['cp-1'] as string),
    requestTimeoutMs: 5000,
    retryForMs: 0,
  });
  const startMs = world.clock.monotonicMs();
  expect(await codeOf(client.get(map, never))).toBe(
    'kube/no-answer {"verb":"discover","kind":"/api/v1","server":"https://10.5.0.11:6443","timeoutMs":5000}',
  );
  expect(world.clock.monotonicMs() - startMs).toBe(5000);
  const stop = new AbortController();
  const waiting = codeOf(client.get(map, stop.signal));
  stop.abort();
  expect(await waiting).toMatch(/^run\/aborted /);
});

test('without quorum the API server answers, says so, and is not ready', async () => {
  const { client, host, world } = await kubeRig();
  await client.ready(never);
  host.quorum = false;
  expect(await codeOf(client.ready(never))).toMatch(/^kube\/busy .*\[-\]etcd failed/);
  const startMs = world.clock.monotonicMs();
  expect(await codeOf(client.get(map, never))).toMatch(/^kube\/busy .*etcdserver: request timed out/);
  expect(world.clock.monotonicMs() - startMs).toBeGreaterThan(45_000);
  expect(world.clock.monotonicMs() - startMs).toBeLessThanOrEqual(60_000);
});

test('a kind is served only when every API server knows it', async () => {
  const { clientOf, world } = await kubeRig({
    servers: ['cp-1', 'cp-2', 'cp-3'],
    faults: [{ point: 'kube/crd-lag', kind: 'slow', probability: 1, only: { node: 'cp-3' }, facts: { lateMs: 25_000 } }],
  });
  const servers = ['cp-1', 'cp-2', 'cp-3'].map((node) => ({ node, kube: clientOf(addresses[node] as string) }));
  const [first, , third] = servers;
  await first?.kube.apply(definition('example.org', 'Widget', 'widgets', 'v1'), tk, never);
  const seen: string[] = [];
  const count = await waitFor(crdsServed(servers, ['widgets.example.org'], { deadlineMs: minutes(2) }), world.clock, never, (progress) =>
    seen.push(progress.seen),
  );
  expect(count).toBe(1);
  expect(new Set(seen)).toEqual(
    new Set(['`widgets.example.org` is not established', 'the API server on `cp-3` does not serve Widget of example.org/v1']),
  );
  expect(await third?.kube.serves({ apiVersion: 'example.org/v1', kind: 'Widget' }, never)).toBe(true);
});

test('objects of a kind that is not served are refused, and taken as soon as it is', async () => {
  const { client, world } = await kubeRig();
  const widget = { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'one', namespace: 'default' }, spec: {} };
  expect(await codeOf(client.apply(widget, tk, never))).toBe(
    'kube/kind-not-served {"server":"https://10.5.0.11:6443","apiVersion":"example.org/v1","kind":"Widget"}',
  );
  await client.apply(definition('example.org', 'Widget', 'widgets', 'v1'), tk, never);
  await waitFor(crdsServed([{ node: 'cp-1', kube: client }], ['widgets.example.org'], { deadlineMs: minutes(1) }), world.clock, never);
  expect((await client.apply(widget, tk, never)).metadata.name).toBe('one');
});

test('lists are read page by page, and from the beginning when a page expired', async () => {
  const { client, kernel } = await kubeRig({ faults: [{ point: 'kube/list', kind: 'expired', probability: 1, atMost: 1 }] });
  for (let index = 0; index < 520; index += 1) await client.apply(configMap(`map-${String(index).padStart(3, '0')}`, {}), tk, never);
  const { items } = await client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: 'default' }, never);
  expect(items).toHaveLength(520);
  expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'map-000' } });
  expect(kernel.faultHits()).toEqual({ 'kube/list expired': 1 });
});

test('a watch tells what there is, then every change, and what it missed when its version expired', async () => {
  const { client, pass, kernel } = await kubeRig({
    faults: [{ point: 'kube/watch', kind: 'expired', probability: 1, atMost: 1, fromMs: 10_900 }],
  });
  const watched = (name: string, data: Record<string, string>) => ({
    ...configMap(name, data),
    metadata: { name, namespace: 'default', labels: { watched: 'yes' } },
  });
  await client.apply(watched('before', {}), tk, never);
  const stop = new AbortController();
  const events: string[] = [];
  const nameOf = (event: WatchEvent) => (event.kind === 'synced' ? 'synced' : `${event.kind} ${event.object.metadata.name}`);
  const watching = (async () => {
    for await (const event of client.watch(
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { namespace: 'default', labelSelector: 'watched=yes' },
      stop.signal,
    ))
      events.push(nameOf(event));
  })().catch((error: TkError) => error.failure.code);
  await pass(1000);
  await client.apply(watched('one', { a: '1' }), tk, never);
  await pass(10_000);
  await client.apply(watched('one', { a: '2' }), tk, never);
  await client.delete({ ...map, name: 'before' }, {}, never);
  await pass(10_000);
  stop.abort();
  expect(await watching).toBe('run/aborted');
  expect(kernel.faultHits()).toEqual({ 'kube/watch expired': 1 });
  expect(events).toEqual(['added before', 'synced', 'added one', 'deleted before', 'modified one', 'synced']);
});

test('a workload that does not come up says which pod waits for what', async () => {
  const { client, up, world } = await kubeRig({
    cni: 'flannel',
    faults: [{ point: 'kube/image-pull', kind: 'missing', probability: 1, only: { image: 'example.org/web:1', node: 'worker-1' } }],
  });
  up({ name: 'cp-1' }, { name: 'worker-1' });
  await client.apply(deployment('web', 'default'), tk, never);
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' };
  const failed = await waitFor(workloadReady(client, ref, { deadlineMs: minutes(2) }), world.clock, never).catch(
    (error: TkError) => error.failure,
  );
  expect(failed).toMatchObject({
    code: 'wait/timeout',
    facts: {
      waitingFor: 'deployment default/web',
      see: 'kubectl describe -n default deployment web',
      last: expect.stringMatching(/^0 of 1 ready: web-\S+ ImagePullBackOff \(Back-off pulling image "example.org\/web:1"/),
    },
  });
});

test('a failed job ends the wait at once, an operator condition is awaited for the present generation', async () => {
  const { client, up, world } = await kubeRig({ cni: 'flannel', faults: [{ point: 'kube/job', kind: 'failed', probability: 1 }] });
  up({ name: 'cp-1' }, { name: 'worker-1' });
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'once', namespace: 'default' },
    spec: { backoffLimit: 1, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'once', image: 'once:1' }] } } },
  };
  await client.apply(job, tk, never);
  const ref = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'default', name: 'once' };
  const failure = await waitFor(workloadReady(client, ref, { deadlineMs: minutes(5) }), world.clock, never).catch(
    (error: TkError) => error.failure,
  );
  expect(failure).toEqual({
    code: 'kube/workload-failed',
    facts: {
      kind: 'Job',
      name: 'once',
      namespace: 'default',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    },
  });
  await expect(waitFor(conditionTrue(client, ref, 'Complete', { deadlineMs: 10_000 }), world.clock, never)).rejects.toMatchObject({
    failure: { facts: { last: 'has no condition Complete yet' } },
  });
  await client.delete(ref, {}, never);
  await waitFor(objectGone(client, ref, { deadlineMs: minutes(1) }), world.clock, never);
});

test('a reader has no method that changes anything', async () => {
  const { world, target } = await kubeRig();
  const reader = createKubeReader({ dial: world.dial, clock: world.clock, target: target(addresses['cp-1'] as string) });
  expect(Object.keys(reader).sort()).toEqual([
    'capabilities',
    'get',
    'groupVersions',
    'list',
    'preview',
    'previewReplace',
    'read',
    'ready',
    'resource',
    'server',
    'serves',
    'version',
    'watch',
  ]);
});
