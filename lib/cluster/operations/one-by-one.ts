import {
  type Condition,
  eitherOf,
  failureOf,
  hasCode,
  holds,
  minutes,
  notYet,
  type Observation,
  seconds,
  TkError,
} from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { done, type Evidence, notDone, type OpenIntent, type PlannedStep, type StepHandle, type TaskContext } from '../../core/index.ts';
import type { Cluster, ClusterView } from '../cluster.ts';
import { notReturned } from '../lifecycle/back.ts';
import { darkKey, disrupt, type DisruptContext, type Disrupted, takeBackAnyCordon } from '../lifecycle/disrupt.ts';
import type { ClusterLease, Disruption, DisruptionKind, DrainPolicy, GateAnswer, NodeFacts, Overrides } from '../lifecycle/lifecycle.ts';
import { etcdSettled } from '../lifecycle/settled.ts';
import { isTransientTalos } from '../transient.ts';

/** What `takeAway` needs of a task's context. */
export type TakeAwayContext = DisruptContext & Pick<TaskContext, 'report'>;

export interface TakeAwayOptions {
  readonly kind: DisruptionKind;
  /** Of the step that acts. */
  readonly title: string;
  /** What etcd loses with a control plane. */
  readonly etcd: Disruption['etcd'];
  readonly drain: DrainPolicy;
  readonly overrides: Overrides;
  readonly acceptsDowntime: boolean;
  readonly act: (node: NodeModel, handle: StepHandle) => Promise<void>;
  /** Absent: the machine is not waited for by `disrupt`. */
  readonly comesBack?: (node: NodeModel, bootId: string, talosVersion?: string) => Condition<NodeFacts>;
  readonly happened?: (node: NodeModel, bootId: string, handle: StepHandle, intent: OpenIntent | undefined) => Promise<Evidence>;
  /** Too few control planes are left for etcd: workers go first, and nothing is asked or drained for the sake of what goes on. */
  readonly endsEtcd?: boolean;
  /** Something has just joined or come back: etcd is waited for before the first machine, too. */
  readonly settlesFirst?: boolean;
  /** What is left to do on a node when its act was sent: wait until it is dark, or in maintenance mode. */
  readonly after?: (node: NodeModel, handle: StepHandle) => Promise<void>;
}

export interface TakenAway extends Disrupted {
  readonly node: string;
}

/** A run over several nodes that was cut off is taken up for this long; after that, asking again means all of them again. */
const campaignMs = minutes(12 * 60);

/**
 * Takes machines away one after the other, control planes first (last when etcd ends with them), each in the one way that keeps a cluster whole: the lease, a checked
 * snapshot of etcd before the first control plane, and `disrupt`. The next is not begun after a failure.
 *
 * Shape: a run over several nodes that was cut off is continued by the same line: a node that has booted since that run began is left
 * alone when it was to come back.
 */
export async function takeAway(
  context: TakeAwayContext,
  nodes: readonly NodeModel[],
  options: TakeAwayOptions,
): Promise<readonly TakenAway[]> {
  const { cluster, step, runId, afterwards, report } = context;
  const endsEtcd = options.endsEtcd === true;
  const ordered = inOrder(nodes, endsEtcd);
  let lease: ClusterLease | undefined;
  if (await isKubernetesThere(context)) {
    const taken = await step('lease', (handle) => cluster.lifecycle.lease(runId, handle.signal));
    afterwards('give the lease back', (handle) => taken.release(handle.signal));
    lease = taken;
  }
  const key = `${options.title} ${ordered.map((node) => node.name).join(' ')}`;
  // The run that ends etcd has its snapshot before; continued, it finds nobody who could give another.
  const mayLackSnapshot = endsEtcd && (await context.recall(key)).open !== undefined;
  if (ordered.some((node) => node.role === 'controlplane')) await snapshotStep(context, options, mayLackSnapshot);
  const results: TakenAway[] = [];
  const one = async (node: NodeModel, within: TakeAwayContext) => {
    const etcd = node.role === 'controlplane' ? options.etcd : 'none';
    const disruption = {
      node,
      kind: options.kind,
      etcd,
      acceptsDowntime: options.acceptsDowntime,
      ...(lease === undefined ? {} : { lease }),
      // What was meant to come back and has not is away in earnest.
      ...(options.comesBack === undefined && results.length > 0 ? { alsoDown: results.map((result) => cluster.find(result)) } : {}),
      ...(endsEtcd ? { endsEtcd } : {}),
    } as const;
    // A control plane that has just come back counts again only after a while.
    if (etcd !== 'none' && !endsEtcd && (results.length > 0 || options.settlesFirst === true))
      await within.step.pure('etcd settles', async (handle) => void (await handle.wait(etcdSettled(cluster.gates, disruption))), {
        node: node.name,
      });
    if (etcd !== 'none' && !endsEtcd && cluster.controlPlanes.length > 1) await moveLeadershipStep(within, node);
    const { comesBack, happened, after } = options;
    const taken = await disrupt(within, {
      disruption,
      overrides: options.overrides,
      // Whatever would be moved away has nowhere to go to.
      drain: endsEtcd ? { how: 'skip' } : options.drain,
      title: options.title,
      key: `${options.title} ${node.name}`,
      act: (handle) => options.act(node, handle),
      ...(comesBack ? { comesBack: (bootId: string, version?: string) => comesBack(node, bootId, version), leavesNoTrace: true } : {}),
      ...(happened
        ? { happened: (bootId: string, handle: StepHandle, intent: OpenIntent | undefined) => happened(node, bootId, handle, intent) }
        : {}),
    });
    if (after) {
      try {
        await within.step.once('after', {
          key: darkKey(node, taken.bootId),
          node: node.name,
          // Looking again does no harm.
          probe: () => notDone(),
          act: (handle) => after(node, handle),
        });
      } catch (error) {
        within.afterwards(`uncordon ${node.name}`, (handle) => uncordonIfBack(cluster, node, handle));
        throw error;
      }
    }
    results.push({ node: node.name, ...taken });
  };
  const [only, another] = ordered;
  if (only !== undefined && another === undefined) {
    await one(only, context);
    return results;
  }
  const { open } = await context.recall(key);
  const now = cluster.operations.now();
  // The target says when the first of these runs began; it stays the same over all of them.
  const begunMs = open?.target !== undefined && now - Number(open.target) < campaignMs ? Number(open.target) : now;
  await step.once(key, {
    key,
    target: String(begunMs),
    probe: () => notDone(`${ordered.length} nodes, one after the other`),
    async act(handle) {
      for (const node of ordered) {
        await handle.step(node.name, async (inner) => {
          const { comesBack } = options;
          try {
            if (comesBack !== undefined && begunMs < now && (await hasBootedSince(cluster, node, begunMs, inner.signal))) {
              await whenBack(context, node, comesBack(node, anyBoot), inner);
              // Whichever run of these set it; one that was cut off may have been followed by one that did not come that far.
              if ((await takeBackAnyCordon(cluster, node, inner.signal)) === 'taken back') inner.detail('uncordoned');
              else inner.skip('it has booted since this was begun');
              return;
            }
            await one(node, { ...context, step: inner.step, log: inner.log });
          } catch (error) {
            const left = ordered.slice(ordered.indexOf(node)).map(({ name }) => name);
            report({ rows: { Done: results.map((result) => result.node).join(' ') || 'none', Pending: left.join(' ') } });
            throw error;
          }
        });
      }
    },
  });
  return results;
}

const inOrder = <N extends Pick<NodeModel, 'role'>>(nodes: readonly N[], endsEtcd: boolean): readonly N[] =>
  nodes.toSorted((a, b) => (Number(a.role === 'worker') - Number(b.role === 'worker')) * (endsEtcd ? -1 : 1));

/** No boot has it: whichever one the machine is in, it is a later one. */
const anyBoot = '';

/** The run that sent it on its way may have been cut off before it was there. */
async function whenBack(
  { cluster, afterwards }: Pick<TakeAwayContext, 'cluster' | 'afterwards'>,
  node: NodeModel,
  isBack: Condition<NodeFacts>,
  handle: StepHandle,
): Promise<void> {
  try {
    await handle.wait(isBack);
  } catch (error) {
    afterwards(`uncordon ${node.name}`, (last) => uncordonIfBack(cluster, node, last));
    throw hasCode(error, 'wait/timeout') ? new TkError(notReturned(node, failureOf(error))) : error;
  }
}

/** A machine that was to go for good and is back as it was, because somebody restarted it at that moment, may have its pods back. */
async function uncordonIfBack(cluster: Cluster, node: NodeModel, handle: StepHandle): Promise<void> {
  const { state } = await cluster.machines.state(node, handle.signal);
  if (state !== 'configured') handle.skip(`it is ${state}`);
  else if (!(await cluster.lifecycle.uncordon(node, handle.signal))) handle.skip('no cordon of ours');
}

/**
 * Silent once is not gone: a run that goes on without the lease beside somebody who holds it is what the lease is there to prevent. A
 * cluster whose Kubernetes does not answer for a minute has no lease to ask for.
 */
async function isKubernetesThere({ cluster, step, stopping }: TakeAwayContext): Promise<boolean> {
  if (await cluster.kubernetes.isReachable(stopping)) return true;
  const hasKubeconfig = await cluster.kubernetes.reader().then(
    () => true,
    () => false,
  );
  if (!hasKubeconfig) return false;
  return step.pure('Kubernetes', async (handle) => {
    try {
      return await handle.wait<boolean>({
        description: 'an API server to answer',
        deadlineMs: minutes(1),
        intervalMs: seconds(5),
        check: async (signal) => ((await cluster.kubernetes.isReachable(signal)) ? holds(true) : notYet('no answer')),
      });
    } catch (error) {
      if (!hasCode(error, 'wait/timeout')) throw error;
      handle.skip('no API server answers: there is no lease to ask for');
      return false;
    }
  });
}

/** Nothing is to be lost with the machine that is not in a file. A cluster whose etcd does not work has nothing to take one of. */
async function snapshotStep({ cluster, step }: TakeAwayContext, { overrides }: TakeAwayOptions, mayLack: boolean): Promise<void> {
  await step('etcd snapshot', async (handle) => {
    try {
      const { path, revision } = await cluster.lifecycle.snapshot({ reuseForMs: minutes(15) }, handle.signal);
      handle.detail(`${path}, revision ${revision}`);
    } catch (error) {
      // Whoever overrides the gate of etcd knows that it does not work.
      if (!(mayLack || overrides.has('etcd-quorum')) || !(error instanceof TkError)) throw error;
      handle.log.warn(failureOf(error));
      handle.skip('etcd gave none');
    }
  });
}

async function moveLeadershipStep({ cluster, step, stopping }: TakeAwayContext, node: NodeModel): Promise<void> {
  await step(
    'leadership',
    async (handle) => {
      try {
        const next = await cluster.lifecycle.moveLeadership(node, eitherOf(handle.signal, stopping).signal);
        if (next === undefined) handle.skip('it does not lead etcd');
        else handle.detail(`${next} leads etcd now`);
      } catch (error) {
        // A member that is broken cannot hand over; whether it may go is for the gates to say.
        if (!(error instanceof TkError) || !(isTransientTalos(failureOf(error)) || hasCode(error, 'wait/timeout'))) throw error;
        handle.skip(`it could not hand over (${failureOf(error).code})`);
      }
    },
    { node: node.name },
  );
}

async function hasBootedSince(cluster: Cluster, node: NodeModel, sinceMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    return await cluster.machines.read(node, async (machine) => (await machine.bootedAtMs(signal)) >= sinceMs);
  } catch (error) {
    // Silent: it may be on its way, which is for the journal of its own part to say.
    if (signal.aborted || !(error instanceof TkError) || !isTransientTalos(failureOf(error))) throw error;
    return false;
  }
}

/** Whether earlier runs have seen every one of these go dark, and they still are. */
export async function areStillDark(
  { cluster, recall }: Pick<TakeAwayContext, 'cluster' | 'recall'>,
  nodes: readonly NodeModel[],
  title: string,
  signal: AbortSignal,
): Promise<boolean> {
  for (const node of nodes) {
    const { last } = await recall(`${title} ${node.name}`);
    if (last?.target === undefined || (await recall(darkKey(node, last.target))).last === undefined) return false;
    if ((await cluster.machines.state(node, signal)).state !== 'unreachable') return false;
  }
  return true;
}

/** A machine that was told to go dark and does not answer has done so. */
export async function darkEvidence(
  cluster: Cluster,
  node: NodeModel,
  bootId: string,
  handle: StepHandle,
  intent: OpenIntent | undefined,
  options: { readonly takesConfig?: boolean; readonly staysOff?: boolean } = {},
): Promise<Evidence> {
  try {
    const seen = await cluster.lifecycle.boot(node, handle.signal);
    if (seen.bootId !== bootId && options.takesConfig === true) return notDone(`${node.name} has booted since, and still has its config`);
    // Whoever asks again wants it off.
    if (seen.bootId !== bootId && options.staysOff === true) return notDone(`${node.name} has booted since, and is on`);
    if (seen.bootId !== bootId) return done(`${node.name} has booted since`);
    if (seen.stage === 'shutting down' || seen.stage === 'resetting') return done(`${node.name} is ${seen.stage}`);
    return notDone(`${node.name} is ${seen.stage}`);
  } catch (error) {
    if (intent === undefined || handle.signal.aborted || !(error instanceof TkError) || !isTransientTalos(failureOf(error))) throw error;
    const state = await cluster.machines.state(node, handle.signal);
    if (state.state === 'maintenance' || state.state === 'unreachable') return done(`${node.name} is ${state.state}`);
    return notDone(`${node.name} is ${state.state}`);
  }
}

/** A packet that is lost is no machine that is off. */
const silentLooks = 3;

/** Off, which it is when it has been silent several times in a row, or without a config. */
export function gone(cluster: Cluster, node: NodeModel, comesBack: boolean): Condition<string> {
  let silent = 0;
  return {
    description: `${node.name} to ${comesBack ? 'come back in maintenance mode' : 'switch off'}`,
    deadlineMs: minutes(15),
    intervalMs: seconds(5),
    see: `npx tk talos:dmesg NODE=${node.name}`,
    transient: isTransientTalos,
    async check(signal): Promise<Observation<string>> {
      const { state } = await cluster.machines.state(node, signal);
      silent = state === 'unreachable' ? silent + 1 : 0;
      const isGone = state === 'maintenance' || (!comesBack && silent >= silentLooks);
      return isGone ? { state: 'holds', value: state } : { state: 'not-yet', seen: `it is ${state}` };
    },
  };
}

export interface TakeAwayFacts {
  readonly node: NodeModel;
  readonly answers: readonly GateAnswer[];
}

/** What the gates would say to each of these now. */
export async function takeAwayFacts(
  { gates }: Pick<ClusterView, 'gates'>,
  nodes: readonly NodeModel[],
  options: Pick<TakeAwayOptions, 'kind' | 'etcd' | 'overrides' | 'acceptsDowntime' | 'endsEtcd'>,
  signal: AbortSignal,
): Promise<readonly TakeAwayFacts[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const etcd = node.role === 'controlplane' ? options.etcd : 'none';
      const { kind, acceptsDowntime, endsEtcd = false } = options;
      const disruption = { node, kind, etcd, acceptsDowntime, ...(endsEtcd ? { endsEtcd } : {}) };
      return { node, answers: await gates.check(disruption, options.overrides, signal) };
    }),
  );
}

/** One step a node, with what etcd would be left with, and the gates that would refuse. */
export function takeAwayPlan(
  facts: readonly TakeAwayFacts[] | undefined,
  nodes: readonly NodeModel[],
  {
    title,
    call,
    drain,
    also = [],
    endsEtcd = false,
  }: {
    readonly title: string;
    readonly call: string;
    readonly drain: DrainPolicy;
    readonly also?: readonly string[];
    readonly endsEtcd?: boolean;
  },
): readonly PlannedStep[] {
  if (facts === undefined) return nodes.map(({ name }) => ({ decision: 'unknown', title, node: name, reason: 'no machine was asked' }));
  const snapshot: readonly PlannedStep[] = nodes.some((node) => node.role === 'controlplane')
    ? [{ decision: 'run', title: 'etcd snapshot', reason: 'verified before anything goes away' }]
    : [];
  const ordered = facts.toSorted((a, b) => (Number(a.node.role === 'worker') - Number(b.node.role === 'worker')) * (endsEtcd ? -1 : 1));
  return [
    ...snapshot,
    ...ordered.map(({ node, answers }): PlannedStep => {
      const seen = answers.flatMap((answer) => {
        if (answer.state === 'refused') return [`the gate ${answer.gate} would refuse`];
        return answer.gate === 'etcd-quorum' && answer.state === 'passed' ? [answer.seen] : [];
      });
      const target = node.name;
      return {
        decision: 'run',
        title,
        node: target,
        ...(seen.length + also.length === 0 ? {} : { reason: [...also, ...seen].join(', ') }),
        calls: [...(drain.how === 'skip' || endsEtcd ? [] : [{ target, call: 'cordon and drain' }]), { target, call }],
      };
    }),
  ];
}
