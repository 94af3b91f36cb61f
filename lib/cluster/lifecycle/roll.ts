import { eitherOf, type Failure, failureOf, minutes, seconds, throwIfAny, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { TaskContext } from '../../core/index.ts';
import type { ClusterView } from '../cluster.ts';
import { isTransientTalos } from '../transient.ts';
import type { DisruptContext } from './disrupt.ts';
import { lifecycleFailure } from './failures.ts';
import type { ClusterLease, DrainPolicy, Overrides, WantedImage } from './lifecycle.ts';
import { shareOf } from './options.ts';
import { etcdSettled } from './settled.ts';
import {
  describePending,
  isLeft,
  nodeOf,
  type NodeUpgraded,
  type NodeUpgradeState,
  nodeUpgradeState,
  type StateQuestion,
  upgradeNode,
  upgradeProblems,
} from './upgrade-node.ts';

export interface RollQuestion {
  readonly cluster: ClusterView;
  readonly nodes: readonly NodeModel[];
  readonly wanted: WantedImage;
  readonly overrides: Overrides;
  /** How many workers may be away at once: `2`, `25%`. Default: tasks.config.ts, else 1. */
  readonly parallel?: string | undefined;
  /** The worker that goes first and alone. Default: tasks.config.ts, else the first that needs it. */
  readonly canary?: string | undefined;
  readonly recall: StateQuestion['recall'];
  readonly signal: AbortSignal;
}

/** Who goes when. Each list is in order; who is there already is in `equal`. */
export interface Roll {
  readonly controlPlanes: readonly NodeUpgradeState[];
  /** The first worker, alone; absent when no worker needs it. */
  readonly canary?: NodeUpgradeState;
  readonly workers: readonly NodeUpgradeState[];
  readonly equal: readonly NodeUpgradeState[];
  /** Of the workers behind the canary. */
  readonly parallel: number;
}

/**
 * Where every node stands, and the order in which they go: whoever an earlier run has left on its way first, the leader of etcd as the
 * last control plane, so that leadership moves once.
 *
 * Failure: everything that speaks against the images, of all nodes at once; `usage/canary`, `usage/share`.
 */
export async function surveyRoll({ cluster, nodes, wanted, overrides, parallel, canary, recall, signal }: RollQuestion): Promise<Roll> {
  const { lifecycle, settings } = cluster;
  const share = shareOf(
    parallel ?? settings.upgrade?.workers?.parallel ?? 1,
    nodes.filter(({ role }) => role === 'worker').length,
    'workers',
  );
  const surveyed = await lifecycle.survey(nodes, signal);
  const failures: Failure[] = [];
  const states: NodeUpgradeState[] = [];
  for (const one of surveyed) {
    try {
      states.push(await nodeUpgradeState({ lifecycle, surveyed: one, wanted, overrides, recall, signal, now: cluster.operations.now }));
    } catch (error) {
      if (signal.aborted || !(error instanceof TkError)) throw error;
      failures.push(...error.failures);
    }
  }
  throwIfAny(failures);
  const left = states.filter(isLeft);
  const controlPlanes = left.filter((state) => nodeOf(state).role === 'controlplane').sort(byTurn);
  const workers = left.filter((state) => nodeOf(state).role === 'worker').sort(byTurn);
  const first = canaryOf(workers, nodes, cluster.nodes, canary, settings.upgrade?.canary);
  return {
    controlPlanes,
    ...(first === undefined ? {} : { canary: first }),
    workers: workers.filter((state) => state !== first),
    equal: states.filter((state) => !isLeft(state)),
    parallel: share,
  };
}

function canaryOf(
  workers: readonly NodeUpgradeState[],
  nodes: readonly NodeModel[],
  inventory: readonly NodeModel[],
  asked: string | undefined,
  configured: string | undefined,
): NodeUpgradeState | undefined {
  // The one of tasks.config.ts may be left out this time; that it is a worker at all is asked even when nobody needs it.
  for (const [name, among] of [
    [asked, nodes],
    [configured, inventory],
  ] as const) {
    const known = among.filter((node) => node.role === 'worker').map((node) => node.name as string);
    if (name === undefined || known.includes(name)) continue;
    const isControlPlane = inventory.some((node) => node.name === name && node.role === 'controlplane');
    throw new TkError(lifecycleFailure('usage/canary', { asked: name, isControlPlane, known }));
  }
  const wanted = asked ?? configured;
  // Who is on the way already is brought home before anybody else leaves.
  const [first] = workers;
  if (first === undefined || first.state === 'leaving' || first.state === 'installed' || isBegun(first) || wanted === undefined)
    return first;
  return workers.find((state) => nodeOf(state).name === wanted) ?? first;
}

const turns: Readonly<Record<NodeUpgradeState['state'], number>> = { unknown: 0, leaving: 0, installed: 1, equal: 2, needed: 3 };
/** Cordoned by a run that was cut off: as long as it is, nobody else may go. */
const isBegun = (state: NodeUpgradeState): boolean => 'facts' in state && state.facts?.kube?.cordon.state === 'ours';
const byTurn = (a: NodeUpgradeState, b: NodeUpgradeState): number =>
  turns[a.state] - turns[b.state] || Number(isBegun(b)) - Number(isBegun(a)) || Number(leads(a)) - Number(leads(b));
export const leads = (state: NodeUpgradeState): boolean => 'facts' in state && state.facts?.etcd?.isLeader === true;
export const isDue = (state: NodeUpgradeState): state is Extract<NodeUpgradeState, { readonly state: 'needed' | 'installed' }> =>
  state.state === 'needed' || state.state === 'installed';

/** In the order in which they go. */
export const everyoneOf = ({ controlPlanes, canary, workers }: Roll): readonly NodeUpgradeState[] => [
  ...controlPlanes,
  ...(canary === undefined ? [] : [canary]),
  ...workers,
];

export interface RollOptions {
  readonly wanted: WantedImage;
  readonly drain: DrainPolicy;
  readonly overrides: Overrides;
  readonly acceptsDowntime: boolean;
  readonly rebootMode: 'default' | 'powercycle';
  readonly isStaged: boolean;
}

export type RollContext = DisruptContext & Pick<TaskContext, 'each' | 'report' | 'signal'>;

/**
 * Upgrades everyone who is left, in order: lease, installer everywhere, snapshot, control planes, canary, workers.
 *
 * Failure: the first one ends it, with a report of who is done, who is on the way and who was not begun; `upgradeProblems` before
 * anything is changed.
 */
export async function runRoll(context: RollContext, roll: Roll, options: RollOptions): Promise<readonly NodeUpgraded[]> {
  const { cluster, step, each } = context;
  const all = everyoneOf(roll);
  const problems = upgradeProblems(all, options.overrides);
  if (problems.length > 0) tellHowToGoWithout(context, [...all, ...roll.equal]);
  throwIfAny(problems);
  if (all.length === 0) return [];
  const done: NodeUpgraded[] = [];
  const facts: string[] = [];
  try {
    const lease = await leaseStep(context, all, options.overrides);
    await each(
      all.flatMap((state) => (state.state === 'needed' ? [state] : [])),
      (state) => pullStep(context, state),
      { parallel: 4 },
    );
    if (roll.controlPlanes.some(isDue)) facts.push(await snapshotStep(context));
    const upgrade = async (planned: NodeUpgradeState): Promise<void> => {
      const state = planned === all[0] ? planned : await asItStands(context, options, planned);
      const body = (inner: DisruptContext) =>
        upgradeNode(inner, state, { ...options, isPulled: true, parallel: roll.parallel, ...(lease === undefined ? {} : { lease }) });
      // One node alone needs no step around its steps.
      if (all.length === 1) done.push(await body(context));
      else
        done.push(
          await step(nodeOf(state).name, (handle) => body({ ...context, step: handle.step, log: handle.log }), {
            node: nodeOf(state).name,
          }),
        );
    };
    for (const state of roll.controlPlanes) {
      if (isDue(state) && done.length > 0 && !options.overrides.has('etcd-quorum'))
        await step.pure('etcd settles', (handle) =>
          handle.wait(
            etcdSettled(cluster.gates, { node: nodeOf(state), kind: 'upgrade', etcd: 'away', acceptsDowntime: options.acceptsDowntime }),
          ),
        );
      await upgrade(state);
    }
    if (roll.canary !== undefined) await upgrade(roll.canary);
    await each(roll.workers, upgrade, { parallel: roll.parallel });
    return done;
  } catch (error) {
    context.report({ rows: await whatIsLeft(context, options, all, [...facts, ...done.map(({ node }) => node)]) });
    throw error;
  }
}

/** A roll takes hours: a machine that was restarted before its turn is asked anew where it stands. Who is silent is told of by its turn. */
async function asItStands(
  { cluster: { lifecycle, operations }, recall, signal }: RollContext,
  { wanted, overrides }: RollOptions,
  planned: NodeUpgradeState,
): Promise<NodeUpgradeState> {
  if (!isDue(planned)) return planned;
  const { node, bootId } = planned.facts;
  try {
    if ((await lifecycle.boot(node, signal)).bootId === bootId) return planned;
  } catch (error) {
    if (signal.aborted || !(error instanceof TkError)) throw error;
    return planned;
  }
  const [surveyed] = await lifecycle.survey([node], signal);
  if (surveyed === undefined) return planned;
  return nodeUpgradeState({ lifecycle, surveyed, wanted, overrides, recall, signal, now: operations.now });
}

/** Nobody begins while a machine is silent; whoever knows why it is leaves it out. */
function tellHowToGoWithout({ report }: RollContext, states: readonly NodeUpgradeState[]): void {
  const silent = states.filter(({ state }) => state === 'unknown').map((state) => nodeOf(state).name);
  const others = states.filter(({ state }) => state !== 'unknown').map((state) => nodeOf(state).name);
  if (silent.length > 0 && others.length > 0) report({ rows: { [`Without ${silent.join(', ')}`]: `NODES=${others.join(',')}` } });
}

/** Absent where Kubernetes cannot be asked and the user knows. */
async function leaseStep(
  { cluster, step, runId, afterwards }: RollContext,
  all: readonly NodeUpgradeState[],
  overrides: Overrides,
): Promise<ClusterLease | undefined> {
  const hasKubernetes = all.some((state) => 'facts' in state && state.facts?.kube !== undefined);
  if (!hasKubernetes && (overrides.has('kubernetes') || !all.some(isDue))) return undefined;
  const lease = await step('lease', async (handle) => {
    const taken = await cluster.lifecycle.lease(runId, handle.signal);
    handle.detail('kube-system/talos-tk');
    return taken;
  });
  afterwards('give the lease back', (handle) => lease.release(handle.signal));
  return lease;
}

function pullStep(
  { cluster, step, stopping }: RollContext,
  state: Extract<NodeUpgradeState, { readonly state: 'needed' | 'installed' }>,
): Promise<void> {
  const node = nodeOf(state);
  return step(
    'pull',
    async (handle) => {
      handle.detail(state.target.image);
      await cluster.lifecycle.pull(node, state.target.image, eitherOf(handle.signal, stopping).signal);
    },
    // Pulling twice does no harm, and registries have their moments.
    { node: node.name, retry: { attempts: 3, delayMs: seconds(5), factor: 2, when: pullMayPass } },
  );
}

const pullMayPass = (failure: Failure): boolean =>
  isTransientTalos(failure) || failure.code === 'talos/unexpected-reply' || failure.code === 'talos/outcome-unknown';

/** Whatever was taken in the last quarter of an hour will do: nothing was disrupted since, or a run that took it was cut off. */
const reuseForMs = minutes(15);

function snapshotStep({ cluster, step }: RollContext): Promise<string> {
  return step('etcd snapshot', async (handle) => {
    const { path, revision, from } = await cluster.lifecycle.snapshot({ reuseForMs }, handle.signal);
    handle.detail(`${path}, revision ${revision}${from === undefined ? ', taken before' : ''}`);
    return 'snapshot';
  });
}

async function whatIsLeft(
  { cluster, recall, signal }: RollContext,
  { wanted, overrides }: RollOptions,
  all: readonly NodeUpgradeState[],
  done: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const left = all.map(nodeOf).filter((node) => !done.includes(node.name));
  const words = await Promise.all(
    left.map((node) =>
      describePending({ lifecycle: cluster.lifecycle, wanted, overrides, recall, signal, now: cluster.operations.now }, node).catch(
        (error: unknown) => failureOf(error).code,
      ),
    ),
  );
  const pending = left.flatMap((node, index) => (words[index] === undefined ? [] : [`${node.name} ${words[index]}`]));
  const untouched = left.filter((_, index) => words[index] === undefined).map((node) => node.name as string);
  return {
    ...(done.length > 0 ? { Done: done.join(', ') } : {}),
    ...(pending.length > 0 ? { Pending: pending.join('; ') } : {}),
    ...(untouched.length > 0 ? { 'Not begun': untouched.join(', ') } : {}),
    Continue: 'npx tk resume',
  };
}
