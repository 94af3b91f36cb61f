import { type Condition, count, eitherOf, type Failure, failureOf, hasCode, minutes, seconds, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { coreFailure, type Evidence, type Log, notDone, type OpenIntent, type StepHandle, type TaskContext } from '../../core/index.ts';
import type { Cluster } from '../cluster.ts';
import { isTransientTalos } from '../transient.ts';
import { notReturned } from './back.ts';
import { lifecycleFailure } from './failures.ts';
import { describeAnswers, passGates, passesInMs } from './gate-answers.ts';
import type { BlockedPod, Disruption, DrainPolicy, NodeFacts, Overrides } from './lifecycle.ts';
import { rebootEvidence } from './reboot-evidence.ts';
import { etcdSettled } from './settled.ts';

/** What `disrupt` needs of a task's context. `step` may be that of a step's handle: then everything happens inside that step. */
export type DisruptContext = Pick<TaskContext, 'step' | 'stopping' | 'runId' | 'recall' | 'keep' | 'afterwards'> & {
  readonly cluster: Cluster;
  readonly log: Log;
};

export interface DisruptOptions {
  readonly disruption: Omit<Disruption, 'isDrained'>;
  readonly overrides: Overrides;
  readonly drain: DrainPolicy;
  /** Of the step that acts: `reboot`. */
  readonly title: string;
  /** What makes the act the same act over runs: `reboot cp-1 into v1.14.1`. */
  readonly key: string;
  /** After the drain and a second look at the gates, before the act: the installer where it runs without a reboot. */
  readonly prepare?: () => Promise<void>;
  /** Sends the one call that takes the machine away. */
  readonly act: (handle: StepHandle) => Promise<void>;
  /** Default: another boot id than the one that the intent recorded, or a machine that is on its way down. */
  readonly happened?: (bootId: string, handle: StepHandle, intent: OpenIntent | undefined) => Promise<Evidence>;
  /** The call itself brings what is wanted: a machine that somebody else has restarted before it has not got that. */
  readonly isOnlyByCall?: boolean;
  /** Nothing about the machine tells afterwards that it was done: what a run did that did not end well is not done a second time. */
  readonly leavesNoTrace?: boolean;
  /**
   * Is given the boot that was ended, and what it ran where that is known. Absent: the machine is not expected to come back (shutdown,
   * reset without reboot); our cordon then stays.
   */
  readonly comesBack?: (bootId: string, talosVersion?: string) => Condition<NodeFacts>;
}

/** The boot that is ended. */
interface BootBefore {
  readonly bootId: string;
  /** Absent: an earlier run ended it, or it did not tell. */
  readonly talosVersion?: string;
}

export interface Disrupted {
  /** `resumed`: an earlier run had sent the call. */
  readonly state: 'acted' | 'resumed';
  /** The boot that was ended. */
  readonly bootId: string;
  /** Absent when it was not waited for. */
  readonly facts?: NodeFacts;
}

/**
 * The one way in which a machine is taken away, whatever for:
 *
 *     recall ─▶ gates ─▶ cordon ─▶ drain ─▶ volumes ─▶ gates ─▶ leadership ─▶ prepare ─▶ ┌ gates ─▶ act ┐ ─▶ back ─▶ uncordon
 *        └── an earlier run sent the call and was cut off ─────────────────┴───▶ probe ───┘
 *
 * Our cordon is taken back when anything before the act fails or the run is stopped there. After the act it stays until the machine
 * is back: a run that ends before looks once more, and what does not run again by then stays cordoned; the next run finds the mark.
 *
 * Failure: `gate/*` (nothing was done), `drain/*`, `node/restarted`, `node/rolled-back`, `node/not-returned`, `step/undecidable` when a
 * machine that cannot be asked may or may not have got the call.
 */
export async function disrupt(context: DisruptContext, options: DisruptOptions): Promise<Disrupted> {
  const { cluster, step } = context;
  const { title, key, comesBack } = options;
  const { node } = options.disruption;
  const { lifecycle } = cluster;
  const at = { node: node.name };
  const happened = options.happened ?? ((bootId, handle, intent) => rebootEvidence(lifecycle, node, bootId, handle, intent));
  const told = new Set<string>();
  const check = async (handle: StepHandle, isDrained: boolean) => {
    const disruption = { ...options.disruption, isDrained };
    const ask = () => cluster.gates.check(disruption, options.overrides, eitherOf(handle.signal, context.stopping).signal);
    let answers = await ask();
    const soonMs = passesInMs(answers);
    if (soonMs !== undefined) {
      // Whoever goes from machine to machine by hand is not sent away for the seconds that etcd needs.
      await handle.wait({ ...etcdSettled(cluster.gates, disruption), deadlineMs: soonMs + seconds(15) }).catch(ignoringTimeout);
      answers = await ask();
    }
    goOn(context, title);
    await passGates(answers, { keep: context.keep, log: handle.log, node: node.name, told });
    handle.detail(describeAnswers(answers));
  };

  const { before, isSent: wasSent, by } = await whatIsLeft(context, options, happened);
  const { bootId } = before;
  // The only node has nowhere to move its pods to.
  const policy: DrainPolicy = cluster.nodes.length === 1 ? { how: 'skip' } : options.drain;
  const isDrained = policy.how !== 'skip';
  let isSent = wasSent;
  let isBackCordoned = false;
  try {
    if (!isSent) {
      await step.pure('gates', (handle) => check(handle, false), at);
      if (isDrained) {
        const isKnown = await cordonStep(context, options.disruption);
        if (isKnown) await drainStep(context, node, policy);
        if (isKnown && !options.overrides.has('volumes')) await volumesStep(context, node);
        if (options.prepare) await step.pure('gates again', (handle) => check(handle, true), at);
      }
      if (options.disruption.etcd !== 'none' && options.disruption.endsEtcd !== true) await leadershipStep(context, node);
      await options.prepare?.();
      goOn(context, title);
    }
    const acted = await step.once(title, {
      key,
      target: bootId,
      node: node.name,
      patienceMs: minutes(20),
      // What an earlier run has sent and reported is as good as an intent: a machine that is silent since then is on its way.
      async probe(handle, intent) {
        const evidence = await happened(intent?.target ?? bootId, handle, intent ?? by);
        // Somebody else has restarted it: the call would say so, too.
        if (evidence.state === 'done' && options.isOnlyByCall === true && intent === undefined && !wasSent) return notDone();
        // The answer got lost and the machine stays where it is: its pods may come back.
        if (evidence.state === 'not-done') isSent = false;
        return evidence;
      },
      async act(handle) {
        // On data of this very moment: the drain may have taken minutes, and the laptop may have slept.
        await check(handle, isDrained);
        goOn(context, title);
        isSent = true;
        try {
          await whileOurs(context, options.disruption, () => options.act(handle));
        } catch (error) {
          isSent = mayBeSent(error);
          throw error;
        }
      },
      changedNothing: () => !isSent,
    });
    isSent = true;
    const state = acted.state === 'acted' ? 'acted' : 'resumed';
    if (comesBack === undefined) return { state, bootId };
    const returned = await returnStep(context, node, bootId, comesBack(bootId, before.talosVersion));
    // A machine that is back, if not as it should be, may have its pods back too, whatever ends the run in between.
    isBackCordoned = true;
    await uncordonStep(context, node);
    isBackCordoned = false;
    if (returned.state === 'rolled-back') throw new TkError(returned.failure);
    return { state, bootId, facts: returned.facts };
  } catch (error) {
    // Nothing was sent: the machine goes on as before, so its pods may come back. Also when the cordon itself failed: its answer may
    // have been lost.
    if (isDrained && (!isSent || isBackCordoned))
      context.afterwards(`uncordon ${node.name}`, (handle) => takeBackOrTell(context, node, handle));
    // Whatever ended the wait, it may have come back by itself; and a call that was cut off may never have left.
    else if (isDrained)
      context.afterwards(`uncordon ${node.name}`, (handle) =>
        takeBackWhenBack(context, node, bootId, handle, async () => happened(bootId, handle, (await context.recall(key)).open)),
      );
    throw error;
  }
}

/** The gates have just asked whether the cluster's lease is still ours; the call must not leave long after. */
const whileOurs = (
  { cluster }: Pick<DisruptContext, 'cluster'>,
  { node, lease }: DisruptOptions['disruption'],
  act: () => Promise<void>,
) => (lease === undefined ? act() : cluster.lifecycle.whileLooking(node, (signal) => lease.verify(signal), act));

/** What is asked afterwards tells what is still in the way. */
const ignoringTimeout = (error: unknown): void => {
  if (!hasCode(error, 'wait/timeout')) throw error;
};

/** A refusal is none, and neither is a question before the call that nobody answered: then the machine stays where it is. */
function mayBeSent(error: unknown): boolean {
  if (!(error instanceof TkError)) return true;
  const { code } = error.failure;
  // A last look that failed came before the call.
  if (['node/nothing-before', 'node/restarted', 'gate/lease'].includes(code) || code.startsWith('kube/')) return false;
  return !code.startsWith('talos/') || code === 'talos/outcome-unknown';
}

/**
 * An act that an earlier run sent and did not see through is not prepared again: no drain, no gate, only the wait. A machine that
 * does not answer is on its way when that run had sent the call; then the boot before it is the one that was noted.
 */
async function whatIsLeft(
  { cluster, step, recall }: DisruptContext,
  { disruption: { node }, key, leavesNoTrace }: DisruptOptions,
  happened: NonNullable<DisruptOptions['happened']>,
): Promise<{ readonly before: BootBefore; readonly isSent: boolean; readonly by?: OpenIntent }> {
  const { open, last } = await recall(key);
  return step.pure(
    'look',
    async (handle) => {
      if (open?.target !== undefined) {
        const evidence = await happened(open.target, handle, open);
        handle.detail(evidence.seen ?? evidence.state);
        return { before: { bootId: open.target }, isSent: evidence.state !== 'not-done' };
      }
      try {
        const { atMs, ...before } = await cluster.lifecycle.boot(node, handle.signal);
        const { bootId } = before;
        const isOver = leavesNoTrace === true ? wasSeenThrough : wasSeenBack;
        const isUnseen =
          last?.target !== undefined &&
          last.target !== bootId &&
          !(await isOver(recall, node, last.target)) &&
          (await recall(darkKey(node, last.target))).last === undefined;
        if (!isUnseen || last?.target === undefined) return { before, isSent: false };
        // Without its mark an old story is over, however it ended: whoever asks today wants it done today.
        const isRecent = atMs - last.at < staleMs || (await cluster.lifecycle.facts(node, handle.signal)).kube?.cordon.state === 'ours';
        if (!isRecent) return { before, isSent: false };
        // It was sent; a reset that never came about has left the machine as it was, in a later boot.
        const { state } = await happened(last.target, handle, last);
        return state === 'not-done' ? { before, isSent: false } : { before: { bootId: last.target }, isSent: true };
      } catch (error) {
        if (last?.target === undefined || !(error instanceof TkError) || !isTransientTalos(failureOf(error))) throw error;
        if (await wasSeenBack(recall, node, last.target)) throw error;
        handle.detail('it was taken down by an earlier run and has not come back yet');
        return { before: { bootId: last.target }, isSent: true, by: last };
      }
    },
    { node: node.name },
  );
}

/** Whoever repeats a line after so long asks for it anew. */
export const staleMs = minutes(60);

const returnKey = (node: NodeModel, bootId: string): string => `return of ${node.name} from boot ${bootId}`;

/** That it was seen dark ends the story of a machine that was not to come back: whoever has switched it on since may ask anew. */
export const darkKey = (node: NodeModel, bootId: string): string => `end of ${node.name} in boot ${bootId}`;

/** Whether a run has seen the machine in the boot after this one. */
export async function wasSeenBack(recall: TaskContext['recall'], node: NodeModel, bootId: string): Promise<boolean> {
  return (await recall(returnKey(node, bootId))).last !== undefined;
}

/** And whether that run ended well. */
async function wasSeenThrough(recall: TaskContext['recall'], node: NodeModel, bootId: string): Promise<boolean> {
  return (await recall(returnKey(node, bootId))).last?.isOver === true;
}

/**
 * What an earlier run took away for an act that is done by now, and did not see back, is waited for and freed of that run's cordon.
 *
 * False: there is none. A machine that never went down is one no more after an hour: whoever asks then asks anew. Failure: as `disrupt`.
 */
export async function seeThrough(
  { cluster, recall }: Pick<DisruptContext, 'cluster' | 'recall'>,
  node: NodeModel,
  key: string,
  handle: StepHandle,
): Promise<boolean> {
  const { last } = await recall(key);
  const isLeft =
    last?.target !== undefined && cluster.operations.now() - last.at <= staleMs && !(await wasSeenBack(recall, node, last.target));
  if (!isLeft) return takeBackLeftCordon({ cluster, recall }, node, key, handle);
  const returned = await returnStep(handle, node, last.target, cluster.lifecycle.back(node, { afterBoot: last.target }));
  if (returned.state === 'rolled-back') throw new TkError(returned.failure);
  await cluster.lifecycle.uncordon(node, handle.signal);
  return true;
}

/** Takes back the cordon of a run that did this act and was cut off before it could; nobody else's, and none that was asked for. */
async function takeBackLeftCordon(
  { cluster, recall }: Pick<DisruptContext, 'cluster' | 'recall'>,
  node: NodeModel,
  key: string,
  handle: StepHandle,
): Promise<boolean> {
  const { open, last } = await recall(key);
  const { kube } = await cluster.lifecycle.facts(node, handle.signal);
  if (kube?.cordon.state !== 'ours' || ![open?.runId, last?.runId].includes(kube.cordon.run)) return false;
  return cluster.lifecycle.uncordon(node, handle.signal);
}

/** The first Ctrl-C lets what runs end; nothing that takes a machine away begins after it. */
function goOn({ stopping }: DisruptContext, at: string): void {
  if (stopping.aborted) throw new TkError(coreFailure('run/stopped', { at }));
}

/** Of what is not to come back, Kubernetes need not know: an earlier run may have taken it out while the machine was silent. */
async function cordonStep({ cluster, step, runId }: DisruptContext, { node, kind }: DisruptOptions['disruption']): Promise<boolean> {
  return step(
    'cordon',
    async (handle) => {
      try {
        const cordon = await cluster.lifecycle.cordon(node, runId, handle.signal);
        if (cordon.state === 'foreign') handle.skip('somebody has cordoned it already, and it stays so afterwards');
        return true;
      } catch (error) {
        if ((kind !== 'remove' && kind !== 'reset') || !hasCode(error, 'node/not-in-kubernetes')) throw error;
        handle.skip('it is not in Kubernetes: nothing to move away');
        return false;
      }
    },
    { node: node.name },
  );
}

async function drainStep({ cluster, step, stopping }: DisruptContext, node: NodeModel, policy: DrainPolicy): Promise<void> {
  await step(
    'drain',
    async (handle) => {
      let told = '';
      const { evicted, deleted } = await cluster.lifecycle.drain(
        node,
        policy,
        ({ preview, left, blocked }) => {
          for (const [pods, what] of [
            [preview?.unmanaged ?? [], 'nobody makes it anew'],
            [preview?.emptyDir ?? [], 'the data in its emptyDir goes with it'],
          ] as const)
            for (const pod of pods) handle.log(`${pod.namespace}/${pod.name}: ${what}`);
          handle.detail([`${count(left, 'pod')} left`, ...blocked.slice(0, 2).map(describeBlocked)].join(', '));
          const words = blocked.map(describeBlocked).join(', ');
          if (words !== told && words !== '') handle.log.warn(`${node.name}: ${words}`);
          told = words;
        },
        eitherOf(handle.signal, stopping).signal,
      );
      if (evicted === 0 && deleted.length === 0) handle.skip('no pod to move');
      else handle.detail([`${count(evicted, 'pod')} moved`, ...(deleted.length > 0 ? [`${deleted.length} deleted`] : [])].join(', '));
    },
    { node: node.name },
  );
}

const describeBlocked = ({ namespace, name, budget }: BlockedPod): string =>
  `${namespace}/${name} is held back by ${budget === undefined ? 'its disruption budget' : `the budget ${namespace}/${budget}`}`;

async function volumesStep({ cluster, step }: DisruptContext, node: NodeModel): Promise<void> {
  await step.pure(
    'volumes',
    async (handle) => {
      await handle.wait(cluster.lifecycle.volumesDetached(node));
      handle.detail('detached');
    },
    { node: node.name },
  );
}

/** A leader that goes makes every writer wait for an election; one that hands over does not. */
async function leadershipStep({ cluster, step, stopping }: DisruptContext, node: NodeModel): Promise<void> {
  if (cluster.controlPlanes.length < 2) return;
  await step(
    'leadership',
    async (handle) => {
      const leader = await cluster.lifecycle.moveLeadership(node, eitherOf(handle.signal, stopping).signal);
      if (leader === undefined) handle.skip('another member leads');
      else handle.detail(`${leader} leads`);
    },
    { node: node.name },
  );
}

type Returned = { readonly state: 'returned'; readonly facts: NodeFacts } | { readonly state: 'rolled-back'; readonly failure: Failure };

/** That it was seen back is kept in the journal: a machine that is silent later is not one that has never come back. */
async function returnStep(
  { step }: Pick<DisruptContext, 'step'>,
  node: NodeModel,
  bootId: string,
  condition: Condition<NodeFacts>,
): Promise<Returned> {
  const { value } = await step.once('return', {
    key: returnKey(node, bootId),
    node: node.name,
    // Looking again does no harm, and what is looked at are the facts of now.
    probe: (): Evidence<Returned> => notDone(),
    async act(handle): Promise<Returned> {
      try {
        const facts = await handle.wait(condition);
        handle.detail(`Talos ${facts.talosVersion}`);
        return { state: 'returned', facts };
      } catch (error) {
        if (hasCode(error, 'node/rolled-back')) {
          handle.detail('rolled back');
          return { state: 'rolled-back', failure: failureOf(error) };
        }
        if (hasCode(error, 'wait/timeout')) throw new TkError(notReturned(node, failureOf(error)));
        throw error;
      }
    },
  });
  return value;
}

/** Takes our cordon back, in a step of its own; a user's stays. */
export async function uncordonStep({ cluster, step }: DisruptContext, node: NodeModel): Promise<void> {
  await step('uncordon', (handle) => takeBack({ cluster }, node, handle), { node: node.name });
}

/** What failed before is told first; that a cordon stays behind must not drown in it. */
async function takeBackOrTell(context: Pick<DisruptContext, 'cluster'>, node: NodeModel, handle: StepHandle): Promise<void> {
  try {
    await takeBack(context, node, handle);
  } catch (error) {
    throw stillCordoned(node, error);
  }
}

const stillCordoned = (node: NodeModel, error?: unknown): unknown => {
  if (error !== undefined && !(error instanceof TkError)) return error;
  return new TkError(lifecycleFailure('node/still-cordoned', { node: node.name }, error === undefined ? {} : { cause: failureOf(error) }));
};

/**
 * Of a machine that was sent away: what runs in another boot may have its pods back, whatever else is missing there, and so may one that
 * was not reached. `evidence`: whether it was, of one that is still in its boot.
 */
async function takeBackWhenBack(
  context: Pick<DisruptContext, 'cluster'>,
  node: NodeModel,
  bootId: string,
  handle: StepHandle,
  evidence: () => Promise<Evidence>,
): Promise<void> {
  const boot = await context.cluster.lifecycle.boot(node, handle.signal).catch((error: unknown) => {
    if (error instanceof TkError && (isTransientTalos(failureOf(error)) || hasCode(error, 'talos/wrong-machine'))) return undefined;
    throw stillCordoned(node, error);
  });
  const seen = boot ?? (await seenByKubernetes(context, node, bootId, handle.signal));
  if (seen?.stage !== 'running') handle.skip(`it is ${seen?.stage ?? 'silent'}, and stays cordoned until it is back`);
  else if (seen.bootId !== bootId || (await evidence()).state === 'not-done') await takeBackOrTell(context, node, handle);
  // It may just have got the call.
  else throw stillCordoned(node);
}

/** Where another machine answers at its address, Kubernetes may tell that it is back all the same. */
async function seenByKubernetes(
  { cluster }: Pick<DisruptContext, 'cluster'>,
  node: NodeModel,
  bootId: string,
  signal: AbortSignal,
): Promise<{ readonly bootId: string; readonly stage: 'running' } | undefined> {
  const kube = await cluster.lifecycle.kubeNode(node, signal);
  return kube?.isReady && kube.bootId !== '' && kube.bootId !== bootId ? { bootId: kube.bootId, stage: 'running' } : undefined;
}

async function takeBack({ cluster }: Pick<DisruptContext, 'cluster'>, node: NodeModel, handle: StepHandle): Promise<void> {
  const state = await takeBackAnyCordon(cluster, node, handle.signal);
  if (state !== 'taken back') handle.skip(state === 'none' ? 'no cordon of ours' : 'it is not in Kubernetes');
}

/** Of whatever run of ours, as at the end of `disrupt`. */
export async function takeBackAnyCordon(
  { lifecycle }: Pick<Cluster, 'lifecycle'>,
  node: NodeModel,
  signal: AbortSignal,
): Promise<'taken back' | 'none' | 'no Kubernetes'> {
  try {
    return (await lifecycle.uncordon(node, signal)) ? 'taken back' : 'none';
  } catch (error) {
    if (!hasCode(error, 'cluster/no-kubeconfig', 'node/not-in-kubernetes')) throw error;
    return 'no Kubernetes';
  }
}
