import type { Clock, Json } from '../../../lib/base/index.ts';
import { TkError } from '../../../lib/base/index.ts';
import { drainNode } from '../../../lib/cluster/lifecycle/drain.ts';
import { takeLease } from '../../../lib/cluster/lifecycle/lease.ts';
import { clearCordon, cordonOf, fields, setCordon } from '../../../lib/cluster/lifecycle/node-mark.ts';
import { drainPreviewOf, podsOn } from '../../../lib/cluster/lifecycle/pods.ts';
import { type KubeObject, type KubeWriter, readinessOf, refOf } from '../../../lib/kube/index.ts';

/** One thing that our Kubernetes layer was asked for, and what it said: a value, or the code and the facts of a failure. */
export type Told = readonly [title: string, said: unknown];

const { signal } = new AbortController();
const namespace = 'layer';
const node = 'worker-1';

const pinned = (name: string, more: object = {}) => ({
  metadata: { labels: { app: name } },
  spec: {
    nodeSelector: { 'kubernetes.io/hostname': node },
    containers: [{ name, image: `registry.example/${name}:1` }],
    terminationGracePeriodSeconds: 1,
    ...more,
  },
});
const workload = (kind: 'Deployment' | 'DaemonSet', name: string, spec: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace },
  spec: { selector: { matchLabels: { app: name } }, template: pinned(name), ...spec } as never,
});
const web = workload('Deployment', 'web', { replicas: 1 });
const scratch = workload('Deployment', 'scratch', {
  replicas: 1,
  template: pinned('scratch', { volumes: [{ name: 'tmp', emptyDir: {} }] }),
});
const budget = (minAvailable: number): KubeObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', namespace },
  spec: { minAvailable, selector: { matchLabels: { app: 'web' } } },
});

/**
 * Server-side apply, cordon, drain with budgets, eviction and Lease through our own layer, in this order on one cluster that has the
 * nodes `worker-1` and `worker-2` and somebody who runs pods. What differs from run to run is taken out.
 */
export async function layerStory(kube: KubeWriter, clock: Clock): Promise<readonly Told[]> {
  const told: Told[] = [];
  const tell = async (title: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      told.push([title, tidy(await work())]);
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      const { server: _server, ...facts } = error.failure.facts;
      told.push([title, { code: error.failure.code, ...(tidy(facts) as object) }]);
    }
  };
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; !(await holds()); tries += 1) {
      if (tries > 240) throw new Error(`${what} did not come`);
      await clock.sleep(250, signal);
    }
  };
  const apply = (object: KubeObject, fieldManager = 'tk', force = false) => kube.apply(object, { fieldManager, force }, signal);
  const read = async (object: KubeObject) => kube.get(refOf(object), signal);
  const isReady = async (object: KubeObject) => {
    const current = await read(object);
    return current !== undefined && readinessOf(current).state === 'ready';
  };
  const allowed = async () => fields((await read(budget(1)))?.status)['disruptionsAllowed'];
  const here = async () => podsOn(kube, node, signal);
  const ours = async () => (await here()).filter(({ metadata }) => metadata.namespace === namespace);
  const drain = (policy: Parameters<typeof drainNode>[0]['policy']) =>
    drainNode({ kube, clock, nodeName: node, policy, observe: () => {} }, signal);

  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  for (const object of [web, scratch, budget(1), workload('DaemonSet', 'agent', {})]) await apply(object);
  await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'alone', namespace }, spec: pinned('alone').spec as never });
  for (const object of [web, scratch, workload('DaemonSet', 'agent', {})]) await until(object.metadata.name, () => isReady(object));
  await until('the pod of nobody', async () => (await here()).some((pod) => pod.metadata.name === 'alone'));

  // Server-side apply.
  await tell('the same again changes nothing', async () => {
    const before = (await apply(budget(1))).metadata.resourceVersion;
    return (await apply(budget(1))).metadata.resourceVersion === before;
  });
  const scaled: KubeObject = { ...web, spec: { replicas: 3 } as never };
  await tell('a field of another manager', () => apply(scaled, 'somebody'));
  await tell('by force', async () => {
    const { metadata, ...rest } = await apply({ ...web, spec: { replicas: 1 } as never }, 'somebody', true);
    const managers = metadata['managedFields'] as readonly { readonly manager: string; readonly operation: string; subresource?: string }[];
    return {
      replicas: fields(rest['spec'])['replicas'],
      managers: managers
        .filter(({ operation }) => operation === 'Apply')
        .map(({ manager }) => manager)
        .sort(),
    };
  });
  await tell('a selector that cannot change', () =>
    apply({ ...web, spec: { ...fields(web['spec']), selector: { matchLabels: { app: 'other' } } } as never }, 'tk', true),
  );
  await tell('a stale replacement', async () => {
    const current = await read(budget(1));
    return kube.replace({ ...current, metadata: { ...current?.metadata, resourceVersion: '1' } } as KubeObject, signal);
  });

  // What the disruption controller says of a budget.
  await until('the budget', async () => fields((await read(budget(1)))?.status)['currentHealthy'] === 1);
  await tell('the budget', async () => {
    const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = fields((await read(budget(1)))?.status);
    return { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods };
  });

  // Cordons.
  await tell('cordon', () => setCordon(kube, node, 'R1', signal));
  await tell('cordon by another run', () => setCordon(kube, node, 'R2', signal));
  await tell('the cordon', async () => cordonOf((await kube.get({ apiVersion: 'v1', kind: 'Node', name: node }, signal)) as KubeObject));
  const other = { apiVersion: 'v1', kind: 'Node', name: 'worker-2' };
  await kube.patch(other, { type: 'merge', value: { spec: { unschedulable: true } } }, signal);
  await tell("cordon over a person's", () => setCordon(kube, other.name, 'R1', signal));
  await tell("uncordon leaves a person's", () => clearCordon(kube, other.name, signal));
  await kube.patch(other, { type: 'merge', value: { spec: { unschedulable: null } } }, signal);
  await tell('a node that is not there', () => setCordon(kube, 'worker-9', 'R1', signal));

  // Drain.
  await tell('what a drain would do', async () => drainPreviewOf(await ours()));
  const [pod] = (await here()).filter(({ metadata }) => metadata.name.startsWith('web-'));
  const podRef = { namespace, name: pod?.metadata.name ?? '' };
  await tell('an eviction that the budget forbids', () => kube.evict(podRef, {}, signal));
  await tell('an eviction of another pod of this name', () =>
    kube.evict({ ...podRef, name: 'alone', uid: '00000000-0000-0000-0000-000000000000' }, {}, signal),
  );
  await tell('an eviction of nobody', () => kube.evict({ namespace, name: 'nobody' }, {}, signal));
  await tell('a deletion of another object of this name', () =>
    kube.delete({ apiVersion: 'v1', kind: 'Pod', ...podRef }, { uid: '00000000-0000-0000-0000-000000000000' }, signal),
  );
  await tell('a drain that the budget holds back', () => drain({ how: 'evict', deadlineMs: 6000 }));
  await apply(budget(0));
  await until('the wider budget', async () => (await allowed()) === 1);
  await tell('the rest of the drain', () => drain({ how: 'evict', deadlineMs: 60_000 }));
  await tell('who stays', async () => (await ours()).map(({ metadata }) => metadata.name));
  await tell('uncordon', () => clearCordon(kube, node, signal));
  await tell('uncordon again', () => clearCordon(kube, node, signal));
  await until('the pods again', async () => (await isReady(web)) && (await isReady(scratch)));
  await apply(budget(1));
  await until('the narrow budget', async () => (await allowed()) === 0);
  await setCordon(kube, node, 'R3', signal);
  await tell('a drain that deletes after a while', () => drain({ how: 'delete-after', afterMs: 4000, deadlineMs: 60_000 }));
  await clearCordon(kube, node, signal);

  // The lease of the cluster.
  const lease = (operator: string, run: string) => takeLease({ clock, kube: async () => kube, operator }, run, signal);
  const first = await lease('laptop', 'R1');
  await tell('a lease that somebody holds', () => lease('desktop', 'R1'));
  const second = await lease('laptop', 'R2');
  await tell('the next run of the same checkout', async () => second.holder);
  await tell('the run before it', () => first.verify(signal));
  await tell('its own', async () => (await second.verify(signal)) ?? 'holds');
  await second.release(signal);
  const third = await lease('desktop', 'R1');
  await tell('after it was given back', async () => third.holder);
  await tell('tenures', async () => {
    const found = await kube.get(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system', name: 'talos-tk' },
      signal,
    );
    return fields(found?.spec)['leaseTransitions'];
  });
  await third.release(signal);
  await first.release(signal);

  // The end of a namespace takes its pods along.
  await tell('the end', () => kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, {}, signal));
  await until('the end', async () => (await kube.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, signal)) === undefined);
  await tell('nothing is left', async () => (await ours()).length);
  return told;
}

/** Pods' suffixes, times and ids of objects. */
function tidy(value: unknown): unknown {
  if (value === undefined) return null;
  const text = JSON.stringify(value)
    .replaceAll(/\b(web|scratch|agent)(?:-[a-z0-9]{5,10}){1,2}\b/g, '$1-POD')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, 'UID');
  return sorted(JSON.parse(text) as Json);
}

/** Lists of pods come in no order of their own. */
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]))
      : value;
