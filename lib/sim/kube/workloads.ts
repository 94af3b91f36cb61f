import { isPodReady } from './eviction.ts';
import { builtIn, type Kind } from './kinds.ts';
import { podAdmission } from './prepare.ts';
import { schedulable } from './scheduler.ts';
import { matchesSelector } from './selectors.ts';
import type { KubeState } from './state.ts';
import { podDefaults } from './defaults.ts';
import { claimsOfSet } from './volumes.ts';
import { canonical, clone, equal, listAt, numberAt, type Obj, objAt, textAt, type Value } from './value.ts';

const deployments = builtIn('apps/v1', 'Deployment');
const replicaSets = builtIn('apps/v1', 'ReplicaSet');
const statefulSets = builtIn('apps/v1', 'StatefulSet');
const daemonSets = builtIn('apps/v1', 'DaemonSet');
const jobs = builtIn('batch/v1', 'Job');
const pods = builtIn('v1', 'Pod');
const nodes = builtIn('v1', 'Node');

/** Stored templates are frozen, and asked for at every turn of a controller. */
const hashes = new WeakMap<Obj, string>();

/** Short text that changes with the template: `pod-template-hash`. */
export function templateHash(template: Obj): string {
  const known = hashes.get(template);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (const character of canonical(template)) hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193) >>> 0;
  const text = hash.toString(36).padStart(7, '0').slice(-7);
  hashes.set(template, text);
  return text;
}

const nameOf = (object: Obj): string => textAt(object, 'metadata', 'name');
const namespaceOf = (object: Obj): string => textAt(object, 'metadata', 'namespace');
const uidOf = (object: Obj): string => textAt(object, 'metadata', 'uid');
const isEnding = (object: Obj): boolean => objAt(object, 'metadata').deletionTimestamp !== undefined;
const isFinished = (pod: Obj): boolean => ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'));

export const controllerOf = (object: Obj): string =>
  textAt(listAt(object, 'metadata', 'ownerReferences').find((owner) => objAt(owner).controller === true) ?? {}, 'uid');

/** Objects by the uid of what controls them. */
function byController(objects: readonly Obj[]): Map<string, Obj[]> {
  const grouped = new Map<string, Obj[]>();
  for (const object of objects) {
    const owner = controllerOf(object);
    if (owner !== '') grouped.set(owner, [...(grouped.get(owner) ?? []), object]);
  }
  return grouped;
}

function putStatus(state: KubeState, kind: Kind, object: Obj, status: Obj): void {
  if (!equal(objAt(object, 'status'), status)) state.put(kind, { ...object, status });
}

function condition(state: KubeState, object: Obj, type: string, isTrue: boolean, reason: string, message: string): Obj {
  const before = listAt(object, 'status', 'conditions').find((one) => textAt(one, 'type') === type);
  const status = isTrue ? 'True' : 'False';
  const now = state.timestamp();
  const isSame = textAt(before ?? {}, 'status') === status;
  if (isSame && textAt(before ?? {}, 'reason') === reason && textAt(before ?? {}, 'message') === message) return objAt(before);
  return {
    type,
    status,
    lastUpdateTime: now,
    lastTransitionTime: isSame ? textAt(before ?? {}, 'lastTransitionTime') : now,
    reason,
    message,
  };
}

function makePod(state: KubeState, owner: Obj, ownerKind: Kind, name: string, template: Obj, labels: Obj, nodeName?: string): void {
  const spec = clone(objAt(template, 'spec'));
  podDefaults(spec);
  if (nodeName !== undefined) spec.nodeName = nodeName;
  spec.serviceAccountName ??= 'default';
  spec.tolerations = [
    ...listAt(spec, 'tolerations'),
    ...(ownerKind === daemonSets ? ['not-ready', 'unreachable'] : []).map(
      (taint): Obj => ({
        key: `node.kubernetes.io/${taint}`,
        operator: 'Exists',
        effect: 'NoExecute',
      }),
    ),
    ...(ownerKind === daemonSets
      ? ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable', ...(spec.hostNetwork === true ? ['network-unavailable'] : [])]
      : []
    ).map(
      (taint): Obj => ({
        key: `node.kubernetes.io/${taint}`,
        operator: 'Exists',
        effect: 'NoSchedule',
      }),
    ),
  ];
  podAdmission(spec);
  const annotations = objAt(template, 'metadata', 'annotations');
  state.put(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(ownerKind === statefulSets ? {} : { generateName: `${nameOf(owner)}-` }),
      namespace: namespaceOf(owner),
      uid: state.newUid(),
      creationTimestamp: state.timestamp(),
      generation: 1,
      labels: { ...objAt(template, 'metadata', 'labels'), ...labels },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [
        {
          apiVersion: ownerKind === jobs ? 'batch/v1' : 'apps/v1',
          kind: ownerKind.kind,
          name: nameOf(owner),
          uid: uidOf(owner),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec,
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  });
}

const randomSuffix = (state: KubeState): string =>
  [...state.kernel.random('kube/names').bytes(5)].map((byte) => 'bcdfghjklmnpqrstvwxz2456789'[byte % 27]).join('');

/** The kubelet removes it when it has stopped; without a machine it goes at once. */
export function stopPod(state: KubeState, pod: Obj): void {
  if (isEnding(pod)) return;
  if (textAt(pod, 'spec', 'nodeName') === '' || isFinished(pod)) state.remove(pods, pod);
  else
    state.put(pods, {
      ...pod,
      metadata: { ...objAt(pod, 'metadata'), deletionTimestamp: state.timestamp(), deletionGracePeriodSeconds: 30 },
    });
}

/** Source: kubernetes pkg/controller/deployment */
export function syncDeployments(state: KubeState): void {
  const owned = byController(state.list(replicaSets));
  for (const deployment of state.list(deployments)) {
    if (isEnding(deployment)) continue;
    const spec = objAt(deployment, 'spec');
    const wanted = numberAt(spec, 'replicas') ?? 1;
    const template = objAt(spec, 'template');
    const hash = templateHash(template);
    const all = owned.get(uidOf(deployment)) ?? [];
    let current = all.find((set) => objAt(set, 'metadata', 'labels')['pod-template-hash'] === hash);
    const old = all.filter((set) => set !== current);
    if (!current) {
      const revision = String(all.length + 1);
      const labels = { ...objAt(template, 'metadata', 'labels'), 'pod-template-hash': hash };
      current = state.put(replicaSets, {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: {
          name: `${nameOf(deployment)}-${hash}`,
          namespace: namespaceOf(deployment),
          uid: state.newUid(),
          creationTimestamp: state.timestamp(),
          generation: 1,
          labels,
          annotations: { 'deployment.kubernetes.io/revision': revision, 'deployment.kubernetes.io/desired-replicas': String(wanted) },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'Deployment',
              name: nameOf(deployment),
              uid: uidOf(deployment),
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        spec: {
          replicas: wanted,
          selector: { matchLabels: { ...objAt(spec, 'selector', 'matchLabels'), 'pod-template-hash': hash } },
          template: { ...template, metadata: { ...objAt(template, 'metadata'), labels } },
        },
        status: { replicas: 0 },
      });
      const annotations = { ...objAt(deployment, 'metadata', 'annotations'), 'deployment.kubernetes.io/revision': revision };
      state.put(deployments, { ...deployment, metadata: { ...objAt(deployment, 'metadata'), annotations } });
      continue;
    }
    resize(state, current, wanted);
    const readyNew = numberAt(current, 'status', 'readyReplicas') ?? 0;
    for (const set of old) resize(state, set, Math.max(0, Math.min(numberAt(set, 'spec', 'replicas') ?? 0, wanted - readyNew)));
    const sum = (field: string) => [current, ...old].reduce((total, set) => total + (set ? (numberAt(set, 'status', field) ?? 0) : 0), 0);
    const [ready, replicas, updated] = [sum('readyReplicas'), sum('replicas'), numberAt(current, 'status', 'replicas') ?? 0];
    const isAvailable = ready >= wanted - Math.floor(wanted * 0.25);
    const isComplete = updated === wanted && ready === wanted && replicas === wanted;
    const set = `ReplicaSet "${nameOf(current)}"`;
    putStatus(state, deployments, deployment, {
      observedGeneration: numberAt(deployment, 'metadata', 'generation') ?? 1,
      ...(replicas === 0 ? {} : { replicas }),
      ...(updated === 0 ? {} : { updatedReplicas: updated }),
      ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
      ...(replicas > ready || ready < wanted ? { unavailableReplicas: Math.max(replicas, wanted) - ready } : {}),
      conditions: [
        condition(
          state,
          deployment,
          'Available',
          isAvailable,
          isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
          isAvailable ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
        ),
        condition(
          state,
          deployment,
          'Progressing',
          true,
          isComplete ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
          isComplete ? `${set} has successfully progressed.` : `${set} is progressing.`,
        ),
      ],
    });
  }
}

function resize(state: KubeState, set: Obj, replicas: number): void {
  if (numberAt(set, 'spec', 'replicas') === replicas) return;
  const metadata = objAt(set, 'metadata');
  state.put(replicaSets, {
    ...set,
    metadata: { ...metadata, generation: Number(metadata.generation ?? 1) + 1 },
    spec: { ...objAt(set, 'spec'), replicas },
  });
}

export function syncReplicaSets(state: KubeState): void {
  const owned = byController(state.list(pods));
  for (const set of state.list(replicaSets)) {
    const mine = (owned.get(uidOf(set)) ?? []).filter((pod) => !isFinished(pod));
    const alive = mine.filter((pod) => !isEnding(pod));
    const wanted = isEnding(set) ? 0 : (numberAt(set, 'spec', 'replicas') ?? 1);
    for (let index = alive.length; index < wanted; index += 1)
      makePod(state, set, replicaSets, `${nameOf(set)}-${randomSuffix(state)}`, objAt(set, 'spec', 'template'), {});
    // Those that are not ready go first.
    const surplus = [...alive].sort((a, b) => Number(isPodReady(a)) - Number(isPodReady(b))).slice(0, Math.max(0, alive.length - wanted));
    for (const pod of surplus) stopPod(state, pod);
    const kept = alive.filter((pod) => !surplus.includes(pod));
    const ready = kept.filter(isPodReady).length;
    putStatus(state, replicaSets, set, {
      replicas: kept.length,
      ...(kept.length === 0 ? {} : { fullyLabeledReplicas: kept.length }),
      ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
      observedGeneration: numberAt(set, 'metadata', 'generation') ?? 1,
    });
  }
}

const withClaims = (template: Obj, volumes: readonly Obj[]): Obj =>
  volumes.length === 0
    ? template
    : { ...template, spec: { ...objAt(template, 'spec'), volumes: [...listAt(template, 'spec', 'volumes'), ...volumes] } };

export function syncStatefulSets(state: KubeState): void {
  const owned = byController(state.list(pods));
  for (const set of state.list(statefulSets)) {
    if (isEnding(set)) continue;
    const spec = objAt(set, 'spec');
    const wanted = numberAt(spec, 'replicas') ?? 1;
    const template = objAt(spec, 'template');
    const revision = `${nameOf(set)}-${templateHash(template)}`;
    const mine = new Map((owned.get(uidOf(set)) ?? []).map((pod) => [nameOf(pod), pod]));
    const isParallel = spec.podManagementPolicy === 'Parallel';
    for (let ordinal = 0; ordinal < wanted; ordinal += 1) {
      const name = `${nameOf(set)}-${ordinal}`;
      const pod = mine.get(name);
      if (!pod)
        makePod(state, set, statefulSets, name, withClaims(template, claimsOfSet(state, set, ordinal)), {
          'statefulset.kubernetes.io/pod-name': name,
          'apps.kubernetes.io/pod-index': String(ordinal),
          'controller-revision-hash': revision,
        });
      if ((!pod || !isPodReady(pod)) && !isParallel) break;
    }
    const alive = [...mine.values()].filter((pod) => !isEnding(pod));
    for (const pod of alive) if (Number(nameOf(pod).slice(nameOf(set).length + 1)) >= wanted) stopPod(state, pod);
    const isCurrent = (pod: Obj) => objAt(pod, 'metadata', 'labels')['controller-revision-hash'] === revision;
    const ready = alive.filter(isPodReady);
    const outdated = alive.filter((pod) => !isCurrent(pod)).sort((a, b) => (nameOf(a) < nameOf(b) ? 1 : -1));
    if (outdated[0] && ready.length === alive.length && textAt(spec, 'updateStrategy', 'type') !== 'OnDelete') stopPod(state, outdated[0]);
    putStatus(state, statefulSets, set, {
      observedGeneration: numberAt(set, 'metadata', 'generation') ?? 1,
      replicas: alive.length,
      ...(ready.length === 0 ? {} : { readyReplicas: ready.length }),
      currentReplicas: alive.filter(isCurrent).length,
      updatedReplicas: alive.filter(isCurrent).length,
      currentRevision: revision,
      updateRevision: revision,
      collisionCount: 0,
      availableReplicas: ready.length,
    });
  }
}

/** Source: kubernetes pkg/controller/daemon */
export function syncDaemonSets(state: KubeState): void {
  const owned = byController(state.list(pods));
  const machines = state.list(nodes);
  for (const set of state.list(daemonSets)) {
    if (isEnding(set)) continue;
    const spec = objAt(set, 'spec');
    const template = objAt(spec, 'template');
    const hash = templateHash(template);
    const mine = (owned.get(uidOf(set)) ?? []).filter((pod) => !isFinished(pod));
    const onNode = (node: string) => mine.find((pod) => textAt(pod, 'spec', 'nodeName') === node);
    const fits = machines.filter((node) => schedulable(daemonPodSpec(template), node) === undefined);
    const fitting = new Set(fits.map(nameOf));
    for (const node of fits)
      if (!onNode(nameOf(node)))
        makePod(
          state,
          set,
          daemonSets,
          `${nameOf(set)}-${randomSuffix(state)}`,
          template,
          { 'controller-revision-hash': hash, 'pod-template-generation': String(numberAt(set, 'metadata', 'generation') ?? 1) },
          nameOf(node),
        );
    for (const pod of mine)
      if (!fitting.has(textAt(pod, 'spec', 'nodeName')) && !isEnding(pod) && mustLeave(pod, machines)) stopPod(state, pod);
    const alive = mine.filter((pod) => !isEnding(pod));
    const isCurrent = (pod: Obj) => objAt(pod, 'metadata', 'labels')['controller-revision-hash'] === hash;
    const ready = alive.filter(isPodReady);
    const outdated = alive.filter((pod) => !isCurrent(pod));
    if (textAt(spec, 'updateStrategy', 'type') !== 'OnDelete' && mine.length === alive.length) {
      const next = outdated.find((pod) => !isPodReady(pod)) ?? (ready.length === fits.length ? outdated[0] : undefined);
      if (next) stopPod(state, next);
    }
    putStatus(state, daemonSets, set, {
      currentNumberScheduled: alive.length,
      numberMisscheduled: 0,
      desiredNumberScheduled: fits.length,
      numberReady: ready.length,
      observedGeneration: numberAt(set, 'metadata', 'generation') ?? 1,
      ...(alive.length === outdated.length ? {} : { updatedNumberScheduled: alive.length - outdated.length }),
      ...(ready.length === 0 ? {} : { numberAvailable: ready.length }),
      ...(ready.length < fits.length ? { numberUnavailable: fits.length - ready.length } : {}),
    });
  }
}

/** A taint that only keeps new pods away does not drive out those that run. */
function mustLeave(pod: Obj, machines: readonly Obj[]): boolean {
  const node = machines.find((one) => nameOf(one) === textAt(pod, 'spec', 'nodeName'));
  return (
    node === undefined ||
    schedulable(objAt(pod, 'spec'), {
      ...node,
      spec: {
        ...objAt(node, 'spec'),
        unschedulable: false,
        taints: listAt(node, 'spec', 'taints').filter((taint) => textAt(taint, 'effect') === 'NoExecute'),
      },
    }) !== undefined
  );
}

function daemonPodSpec(template: Obj): Obj {
  const spec = objAt(template, 'spec');
  const usual: Value[] = [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
    ...(spec.hostNetwork === true ? [{ key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' }] : []),
  ];
  return { ...spec, tolerations: [...listAt(spec, 'tolerations'), ...usual] };
}

/** Source: kubernetes pkg/controller/job */
export function syncJobs(state: KubeState): void {
  const owned = byController(state.list(pods));
  for (const job of state.list(jobs)) {
    if (isEnding(job) || listAt(job, 'status', 'conditions').some((one) => ['Complete', 'Failed'].includes(textAt(one, 'type')))) continue;
    const spec = objAt(job, 'spec');
    if (spec.suspend === true) continue;
    const mine = owned.get(uidOf(job)) ?? [];
    const count = (phase: string) => mine.filter((pod) => textAt(pod, 'status', 'phase') === phase).length;
    const [succeeded, failed] = [count('Succeeded'), count('Failed')];
    const wanted = numberAt(spec, 'completions') ?? 1;
    const active = mine.filter((pod) => !isFinished(pod) && !isEnding(pod)).length;
    const isLost = failed > (numberAt(spec, 'backoffLimit') ?? 6);
    const isComplete = succeeded >= wanted;
    const template = objAt(spec, 'template');
    if (!isLost && !isComplete) {
      const more = Math.min(numberAt(spec, 'parallelism') ?? 1, wanted - succeeded) - active;
      for (let index = 0; index < more; index += 1) makePod(state, job, jobs, `${nameOf(job)}-${randomSuffix(state)}`, template, {});
    }
    const end = (type: string, reason: string, message: string): Obj => ({
      type,
      status: 'True',
      lastProbeTime: state.timestamp(),
      lastTransitionTime: state.timestamp(),
      reason,
      message,
    });
    putStatus(state, jobs, job, {
      startTime: textAt(job, 'status', 'startTime') || state.timestamp(),
      ...(active === 0 ? {} : { active, ready: mine.filter(isPodReady).length }),
      ...(succeeded === 0 ? {} : { succeeded }),
      ...(failed === 0 ? {} : { failed }),
      ...(isComplete
        ? {
            completionTime: state.timestamp(),
            conditions: [
              end('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods'),
              end('Complete', 'CompletionsReached', 'Reached expected number of succeeded pods'),
            ],
          }
        : isLost
          ? {
              conditions: [
                end('FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
                end('Failed', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
              ],
            }
          : {}),
    });
  }
}

/** Whether a pod belongs to the selector of a Service or another object that has a plain map. */
export const selects = (selector: Obj, pod: Obj): boolean =>
  Object.keys(selector).length > 0 && matchesSelector({ matchLabels: selector }, objAt(pod, 'metadata', 'labels'));
