import {
  type Condition,
  count,
  type Failure,
  failureOf,
  hasCode,
  holds,
  minutes,
  notYet,
  seconds,
  TkError,
  throwIfAny,
} from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { PlannedStep, StepHandle } from '../../core/index.ts';
import type { Cluster, ClusterView, NodeReport, NodeState } from '../cluster.ts';
import type { DrainPolicy, EtcdMemberView, EtcdPicture, NodeFacts, Overrides } from '../lifecycle/lifecycle.ts';
import { uncordonStep } from '../lifecycle/disrupt.ts';
import { majority } from '../lifecycle/quorum.ts';
import { isTransientTalos } from '../transient.ts';
import { operationFailure } from './failures.ts';
import { darkEvidence, gone, takeAway, type TakeAwayContext } from './one-by-one.ts';

export interface RemoveOptions {
  readonly drain: DrainPolicy;
  readonly overrides: Overrides;
  readonly acceptsDowntime: boolean;
}

/** What is known of a node before it is removed or replaced. */
export interface MembershipFacts {
  readonly node: NodeModel;
  readonly state: NodeState['state'];
  /** It answers, and for a control plane its etcd is healthy. */
  readonly works: boolean;
  /** A control plane that answers without a working etcd, and that the others' etcd has as a member no longer: its data is nobody's. */
  readonly isExpelled: boolean;
  /** Its member of etcd; absent for workers, and when it is none. */
  readonly member?: EtcdMemberView;
  /** What Kubernetes calls it. */
  readonly kubeName?: string;
  readonly tolerance: { readonly now: string; readonly without: string; readonly withOneMore: string };
}

export async function membershipFacts(
  cluster: Pick<ClusterView, 'machines' | 'lifecycle' | 'operations'>,
  node: NodeModel,
  signal: AbortSignal,
): Promise<MembershipFacts> {
  const { state } = await cluster.machines.state(node, signal);
  const picture = await cluster.lifecycle.etcd(signal);
  const member = node.role === 'controlplane' ? memberOf(picture, node) : undefined;
  const own = picture.views.find((view) => view.node === node);
  const works = state === 'configured' && (node.role === 'worker' || (own?.state === 'answered' && own.isHealthy && own.leader !== 0n));
  const kubeName = await cluster.operations.kubeNodeName(node, signal).catch((error: unknown) => {
    if (error instanceof TkError) return undefined;
    throw error;
  });
  const { tolerance } = cluster.operations.etcd;
  return {
    node,
    state,
    works,
    isExpelled: !works && state === 'configured' && node.role === 'controlplane' && worksWithout(picture, node),
    ...(member === undefined ? {} : { member }),
    ...(kubeName === undefined ? {} : { kubeName }),
    tolerance: { now: tolerance(picture, 0), without: tolerance(picture, -1), withOneMore: tolerance(picture, 1) },
  };
}

/**
 * The same, of a node that is about to be given up: silent once is not dead. One that does not answer is asked again for a minute.
 */
export async function patientFacts(
  cluster: Cluster,
  node: NodeModel,
  { wait, signal }: Pick<StepHandle, 'wait' | 'signal'>,
): Promise<MembershipFacts> {
  let last = await membershipFacts(cluster, node, signal);
  if (last.state !== 'unreachable') return last;
  try {
    return await wait<MembershipFacts>({
      description: `an answer of ${node.name}, or certainty that there is none`,
      deadlineMs: minutes(1),
      intervalMs: seconds(5),
      async check(limited) {
        last = await membershipFacts(cluster, node, limited);
        return last.state === 'unreachable' ? notYet('it is unreachable') : holds(last);
      },
    });
  } catch (error) {
    if (!hasCode(error, 'wait/timeout')) throw error;
    return last;
  }
}

/**
 * What speaks against the machine that is to take a place: it is not there, on other disks or of another version than the inventory
 * says, or it is the old one itself. Shape: pure; empty: it may come.
 */
export function successorProblems(
  old: NodeModel,
  { node, state, problems }: NodeReport,
  { isForced }: { readonly isForced: boolean },
): readonly Failure[] {
  const missing = (seen: 'unreachable' | 'configured') =>
    operationFailure('node/no-successor', { node: node.name, address: node.address, state: seen });
  if (state.state === 'unreachable') return [missing('unreachable')];
  if (node !== old || state.state !== 'configured') return problems;
  return [isForced ? missing('configured') : operationFailure('node/half-works', { node: node.name })];
}

/** Looks for that machine before anybody is removed for it; one that does not answer is asked again for a minute. */
export async function expectSuccessor(
  cluster: Cluster,
  old: NodeModel,
  successor: NodeModel,
  options: { readonly isForced: boolean },
  { wait, detail, signal }: Pick<StepHandle, 'wait' | 'detail' | 'signal'>,
): Promise<void> {
  let report = await cluster.machines.preflight(successor, signal);
  if (report.state.state === 'unreachable')
    await wait<void>({
      description: `the machine that is to be ${successor.name}`,
      deadlineMs: minutes(1),
      intervalMs: seconds(5),
      transient: isTransientTalos,
      async check(limited) {
        report = await cluster.machines.preflight(successor, limited);
        return report.state.state === 'unreachable' ? notYet(report.state.reason) : holds(undefined);
      },
    }).catch((error: unknown) => {
      if (!hasCode(error, 'wait/timeout')) throw error;
    });
  throwIfAny(successorProblems(old, report, options));
  detail(`${successor.name} is in ${report.state.state === 'maintenance' ? 'maintenance mode' : 'place'}`);
}

/** A majority of the members that all of them have says so, and each has a name: one that has not started yet could be anybody's. */
function worksWithout({ views }: EtcdPicture, node: NodeModel): boolean {
  const lists = views.flatMap((view) => (view.node !== node && view.state === 'answered' && view.isHealthy ? [view.members] : []));
  const names = new Set(lists.flatMap((members) => members.map(({ hostname }) => hostname)));
  return lists.length >= majority(names.size) && lists.length > 0 && !names.has('') && !names.has(node.name);
}

const memberOf = ({ views }: EtcdPicture, node: NodeModel): EtcdMemberView | undefined =>
  views.flatMap((view) => (view.state === 'answered' ? view.members : [])).find((member) => member.hostname === node.name);

/** What removing it would do, in the order in which it is done. */
export function removalPlan({ node, works, isExpelled, member, kubeName, tolerance }: MembershipFacts): readonly PlannedStep[] {
  const { name } = node;
  const reset = { target: name, call: 'machine.MachineService/Reset' };
  return [
    ...(node.role === 'controlplane' ? [{ decision: 'run' as const, title: 'etcd snapshot' }] : []),
    works || isExpelled
      ? {
          decision: 'run',
          title: `drain and wipe ${name}`,
          node: name,
          ...(member ? { reason: `etcd: ${tolerance.without}` } : {}),
          ...(isExpelled ? { reason: 'it is no member of etcd any more' } : {}),
          calls: [reset],
        }
      : { decision: 'skip', title: `drain and wipe ${name}`, node: name, reason: 'it does not work' },
    ...(member !== undefined && !works
      ? [
          {
            decision: 'run' as const,
            title: `remove ${name} from etcd`,
            reason: tolerance.without,
            calls: [{ target: 'etcd', call: 'machine.MachineService/EtcdRemoveMemberByID' }],
          },
        ]
      : []),
    kubeName === undefined
      ? { decision: 'skip', title: 'delete Node', reason: 'Kubernetes knows none' }
      : { decision: 'run', title: 'delete Node', calls: [{ target: kubeName, call: 'delete Node' }] },
  ];
}

/**
 * Takes a node out of the cluster, for good: one that works is drained, leaves etcd and is wiped, and so is one that etcd has let go already
 * and that was switched on again; of one that does not, what is left in etcd and in Kubernetes is removed.
 *
 * Shape: `wasSilent`: nothing on its disks was wiped by this run; with them it joins again when it is switched on.
 * Failure: `gate/*`, `node/half-works` for a machine that answers and whose etcd does not work: whether its data counts is not ours to say.
 */
export async function removeNode(
  context: TakeAwayContext,
  node: NodeModel,
  options: RemoveOptions & { readonly settlesFirst?: boolean },
): Promise<{ readonly wasSilent: boolean }> {
  const { cluster, step } = context;
  const at = { node: node.name };
  const facts = await step.pure('look', (handle) => patientFacts(cluster, node, handle), at);
  const isAway = facts.state === 'unreachable' || facts.state === 'maintenance' || facts.state === 'foreign';
  if (facts.works || facts.isExpelled) {
    await takeAway(context, [node], {
      kind: 'remove',
      title: 'remove',
      etcd: facts.isExpelled ? 'none' : 'for-good',
      ...options,
      // Gracefully it would leave etcd first, which it cannot once more.
      act: (target, handle) =>
        cluster.lifecycle.reset(target, { isGraceful: !facts.isExpelled, reboots: false, wipe: 'all' }, handle.signal),
      happened: (target, bootId, handle, intent) => darkEvidence(cluster, target, bootId, handle, intent, { takesConfig: true }),
      after: async (target, handle) => handle.detail(await handle.wait(gone(cluster, target, false))),
    });
  } else if (!isAway && !options.overrides.has('etcd-quorum')) {
    throw new TkError(operationFailure('node/half-works', { node: node.name }));
  } else if (facts.member !== undefined) {
    await step('etcd snapshot', async (handle) => {
      const { path, revision } = await cluster.lifecycle.snapshot({ reuseForMs: minutes(15) }, handle.signal);
      handle.detail(`${path}, revision ${revision}`);
    });
  }
  if (node.role === 'controlplane') await leaveEtcdStep(context, node);
  await step(
    'delete Node',
    async (handle) => {
      if (!(await cluster.operations.deleteKubeNode(node, handle.signal))) handle.skip('Kubernetes knows none');
    },
    at,
  );
  return { wasSilent: facts.state === 'unreachable' };
}

/** A member that has not left with its machine is removed by the others. */
async function leaveEtcdStep({ cluster, step }: TakeAwayContext, node: NodeModel): Promise<void> {
  await step(
    'etcd member',
    async (handle) => {
      const picture = await cluster.lifecycle.etcd(handle.signal);
      const member = memberOf(picture, node);
      if (member === undefined) {
        handle.skip('it is no member');
        return;
      }
      throwIfAny(cluster.operations.etcd.mayRemove(picture, member, { alsoWorking: false }));
      await cluster.operations.etcd.remove(picture, member.id, handle.signal);
      handle.detail(cluster.operations.etcd.tolerance(await cluster.lifecycle.etcd(handle.signal), 0));
    },
    { node: node.name },
  );
}

/**
 * Brings a machine of the inventory into the cluster: preflight, config, install, and until it is a member that works.
 *
 * Failure: `preflight/*`; what waits bring.
 */
export async function addNode(context: TakeAwayContext, node: NodeModel): Promise<void> {
  const { cluster, step, log } = context;
  const at = { node: node.name };
  await step.pure(
    'preflight',
    async (handle) => {
      const report = await cluster.machines.preflight(node, handle.signal);
      for (const warning of report.warnings) log.warn(warning);
      throwIfAny(report.problems);
      handle.detail(report.state.state);
    },
    at,
  );
  await step.probeAct('apply config', {
    node: node.name,
    async probe(handle) {
      const comparison = await cluster.machines.compareConfig(node, handle.signal);
      return comparison.state === 'equal'
        ? { state: 'done', seen: 'the running config is equal', value: undefined }
        : { state: 'not-done', seen: comparison.state === 'differs' ? comparison.changed.join(', ') : comparison.because };
    },
    act: async (handle) => void (await cluster.machines.apply(node, 'auto', handle.signal)),
  });
  await step.pure('install', async (handle) => void (await handle.wait(cluster.machines.installed(node))), at);
  await step.pure('join', async (handle) => handle.detail(await handle.wait(joined(cluster, node))), at);
  if (node.role === 'controlplane')
    await step.pure('API server', async (handle) => void (await handle.wait(cluster.kubeconfig.apiServerReady(node))), at);
  // The cordon of the run that took the machine before it.
  await uncordonStep(context, node);
}

/** A voter of etcd whose Node is Ready; a worker only the latter. */
function joined(cluster: Cluster, node: NodeModel): Condition<string> {
  return {
    description: `${node.name} to join`,
    deadlineMs: minutes(20),
    intervalMs: seconds(5),
    see: `npx tk talos:services NODE=${node.name}`,
    transient: (failure) => isTransientTalos(failure) || failure.code.startsWith('kube/'),
    async check(signal) {
      let facts: NodeFacts;
      try {
        facts = await cluster.lifecycle.facts(node, signal);
      } catch (error) {
        if (error instanceof TkError && isTransientTalos(failureOf(error))) return notYet(failureOf(error).code);
        throw error;
      }
      if (node.role === 'controlplane') {
        if (facts.etcd === undefined || !facts.etcd.isHealthy) return notYet('its etcd is not healthy yet');
        if (facts.etcd.isLearner) return notYet('its etcd member is a learner');
      }
      if (facts.kube === undefined) return notYet('Kubernetes does not tell of it yet');
      if (!facts.kube.isReady) return notYet('its Node is not Ready yet');
      return holds(node.role === 'controlplane' ? count(cluster.controlPlanes.length, 'control plane') : 'Ready');
    },
  };
}
