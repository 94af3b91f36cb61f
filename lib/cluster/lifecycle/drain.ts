import { type Clock, type Failure, hasCode, TkError } from '../../base/index.ts';
import { isTransient, type KubeObject, type KubeWriter } from '../../kube/index.ts';
import { lifecycleFailure } from './failures.ts';
import type { BlockedPod, DrainOutcome, DrainPolicy, DrainProgress, PodName } from './lifecycle.ts';
import { drainPreviewOf, isDone, podKind, podName, podsOn, staysOnNode, toleratesCordon } from './pods.ts';

export interface DrainParts {
  readonly kube: KubeWriter;
  readonly clock: Clock;
  /** As Kubernetes calls the node. */
  readonly nodeName: string;
  readonly policy: Exclude<DrainPolicy, { readonly how: 'skip' }>;
  /** Called before the first pod is moved, and whenever the number or the reasons change; blocked pods are in it from the first round on. */
  readonly observe: (seen: DrainProgress) => void;
}

/** Between two tries to evict a pod whose budget does not allow it. Source: kubectl pkg/drain/drain.go waits as long */
const retryMs = 5000;
/** Between two looks at pods that are on their way. */
const pollMs = 2000;

/**
 * Evicts the pods of a node and waits until they are gone. A cordon has to be there.
 *
 * Shape: every round asks for what is on the node now, so a pod that appears late is moved too. Pods are known by their uid: one
 * of the same name that a StatefulSet has started elsewhere is another one. What came after the first round and tolerates the cordon
 * is left: its controller would start it here for ever.
 * Failure: `drain/blocked` at the deadline with every pod that a budget holds back, `drain/timeout` with pods that do not end,
 * `drain/refused` as soon as an eviction is refused for another reason.
 * Source: kubernetes staging/src/k8s.io/kubectl/pkg/drain
 */
export async function drainNode({ kube, clock, nodeName, policy, observe }: DrainParts, signal: AbortSignal): Promise<DrainOutcome> {
  const startedMs = clock.monotonicMs();
  const elapsed = () => clock.monotonicMs() - startedMs;
  let first: ReadonlySet<string> | undefined;
  const evicted = new Set<string>();
  const deleted: PodName[] = [];
  let told = '';
  for (;;) {
    const all = await podsOn(kube, nodeName, signal);
    const here = all.filter((pod) => !staysOnNode(pod));
    if (first === undefined && here.length > 0) observe({ preview: drainPreviewOf(all), left: here.length, blocked: [] });
    first ??= new Set(here.map(uidOf));
    const pods = here.filter((pod) => first?.has(uidOf(pod)) === true || !toleratesCordon(pod));
    if (pods.length === 0) return { evicted: evicted.size, deleted };
    const byForce = policy.how === 'delete-after' && elapsed() >= policy.afterMs;
    const results = await Promise.all(pods.map((pod) => move(kube, pod, byForce, signal)));
    const blocked: BlockedPod[] = [];
    for (const [index, result] of results.entries()) {
      const pod = pods[index] as KubeObject;
      if (result.state === 'refused')
        throw new TkError(lifecycleFailure('drain/refused', { node: nodeName, ...podName(pod) }, { cause: result.failure }));
      if (result.state === 'blocked') blocked.push({ ...podName(pod), ...result.by });
      if (result.state === 'evicted') evicted.add(uidOf(pod));
      if (result.state === 'deleted') deleted.push(podName(pod));
    }
    const progress = { left: pods.length, blocked };
    const words = JSON.stringify(progress);
    if (words !== told) observe(progress);
    told = words;
    if (elapsed() >= policy.deadlineMs) {
      throw new TkError(
        blocked.length > 0
          ? lifecycleFailure('drain/blocked', { node: nodeName, pods: blocked.map(plain), afterMs: policy.deadlineMs })
          : lifecycleFailure('drain/timeout', {
              node: nodeName,
              pods: pods.map((pod) => ({ ...podName(pod) })),
              afterMs: policy.deadlineMs,
            }),
      );
    }
    await clock.sleep(Math.min(blocked.length > 0 ? retryMs : pollMs, Math.max(1, policy.deadlineMs - elapsed())), signal);
  }
}

const uidOf = ({ metadata: { uid, namespace, name } }: KubeObject): string => uid ?? `${namespace}/${name}`;

const plain = ({ namespace, name, budget, message }: BlockedPod) => ({
  namespace,
  name,
  message,
  ...(budget === undefined ? {} : { budget }),
});

type Moved =
  | { readonly state: 'evicted' | 'deleted' | 'leaving' }
  | { readonly state: 'blocked'; readonly by: Pick<BlockedPod, 'budget' | 'message'> }
  | { readonly state: 'refused'; readonly failure: Failure };

async function move(kube: KubeWriter, pod: KubeObject, byForce: boolean, signal: AbortSignal): Promise<Moved> {
  if (pod.metadata.deletionTimestamp !== undefined) return { state: 'leaving' };
  const { namespace, name } = podName(pod);
  const { uid } = pod.metadata;
  try {
    if (byForce && !isDone(pod)) {
      await kube.delete({ ...podKind, namespace, name }, uid === undefined ? {} : { uid }, signal);
      return { state: 'deleted' };
    }
    await kube.evict({ namespace, name, ...(uid === undefined ? {} : { uid }) }, {}, signal);
    return { state: 'evicted' };
  } catch (error) {
    if (!(error instanceof TkError) || signal.aborted) throw error;
    const { failure } = error;
    if (hasCode(error, 'kube/eviction-blocked')) {
      const { budget, needs, message } = failure.facts;
      return {
        state: 'blocked',
        by: { message: String(needs ?? message ?? ''), ...(typeof budget === 'string' ? { budget } : {}) },
      };
    }
    // A namespace that goes away takes its pods along; an answer that was lost is looked up in the next round.
    if (
      isTransient(failure) ||
      (failure.code === 'kube/forbidden' && /because it is being terminated/.test(String(failure.facts['message'])))
    )
      return { state: 'leaving' };
    return { state: 'refused', failure };
  }
}
