import { type Failure, minutes, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { done, notDone, type MutatingCall, type Recollection, type StepHandle } from '../../core/index.ts';
import { isAtLeast } from '../../format/index.ts';
import { disrupt, type DisruptContext, type Disrupted, staleMs, uncordonStep, wasSeenBack } from './disrupt.ts';
import { lifecycleFailure } from './failures.ts';
import { versionPathProblems } from './gates/version-path.ts';
import { isSameSchematic } from './image.ts';
import type {
  ClusterLease,
  CordonState,
  DrainPolicy,
  ImageTarget,
  LifecycleView,
  NodeFacts,
  Overrides,
  SurveyedNode,
  WantedImage,
} from './lifecycle.ts';
import { leavingStages } from './reboot-evidence.ts';
import { firstWithLifecycleService } from './versions.ts';

/**
 * Where a node stands on its way to a version. Each has its own way on:
 *
 *     equal      nothing; or it is booting and is waited for; or our cordon of a run that was cut off is taken back
 *     needed     pull, drain, install, reboot
 *     installed  an earlier run installed it, in this very boot: only the drain and the reboot are left
 *     leaving    an earlier run sent the reboot, and the machine has not been seen back: wait
 *     unknown    it cannot be asked, and no run of ours is the reason
 */
export type NodeUpgradeState =
  | {
      readonly state: 'equal';
      readonly facts: NodeFacts;
      readonly target: ImageTarget;
      readonly cordon: CordonState;
      /** A run of ours took it away of late, and Kubernetes does not tell whether the cordon of then is still there. */
      readonly mayBeCordoned?: boolean;
    }
  | {
      readonly state: 'needed' | 'installed';
      readonly facts: NodeFacts;
      readonly target: ImageTarget;
      /** The version that an earlier run installed and that did not come up. */
      readonly rolledBackFrom?: string;
      readonly overridden?: Failure;
    }
  | {
      readonly state: 'leaving';
      readonly node: NodeModel;
      readonly version: string;
      readonly facts?: NodeFacts;
      readonly target?: ImageTarget;
    }
  | { readonly state: 'unknown'; readonly node: NodeModel; readonly failure: Failure };

/** Whether anything is left to do, be it only our own cordon. */
export const isLeft = (state: NodeUpgradeState): boolean =>
  state.state !== 'equal' || state.cordon.state === 'ours' || state.mayBeCordoned === true || !isSettled(state.facts);

/** Whether a node of the right version has finished to boot: what the whole promises of every node when it ends well. */
export const isSettled = ({ stage, etcd, node }: NodeFacts): boolean =>
  stage === 'running' && (node.role === 'worker' || etcd?.isHealthy === true);

export const nodeOf = (state: NodeUpgradeState): NodeModel => ('node' in state ? state.node : state.facts.node);

export interface StateQuestion {
  readonly lifecycle: LifecycleView;
  readonly surveyed: SurveyedNode;
  readonly wanted: WantedImage;
  readonly overrides: Overrides;
  readonly recall: (key: string) => Promise<Recollection>;
  readonly signal: AbortSignal;
  /** By this computer's clock. */
  readonly now: () => number;
}

/** As long as a control plane takes to boot: nothing else is left to be done than to ask about a cordon. */
const cordonUnknownMs = minutes(5);

const rebootKey = (node: NodeModel, version: string): string => `upgrade ${node.name} to ${version}`;
const installKey = (node: NodeModel, image: string, bootId: string): string => `install ${image} on ${node.name} in boot ${bootId}`;

/** Failure: `gate/image`, and what is wrong with the inventory. */
export async function nodeUpgradeState({
  lifecycle,
  surveyed,
  wanted,
  overrides,
  recall,
  signal,
  now,
}: StateQuestion): Promise<NodeUpgradeState> {
  const { node } = surveyed;
  if (surveyed.state === 'silent') {
    const version = wanted.version ?? node.talosVersion;
    const { open, last } = await recall(rebootKey(node, version));
    const isUnseen = last?.target !== undefined && !(await wasSeenBack(recall, node, last.target));
    return open === undefined && !isUnseen ? { state: 'unknown', node, failure: surveyed.failure } : { state: 'leaving', node, version };
  }
  const { facts } = surveyed;
  const { target, overridden } = await lifecycle.image(facts, wanted, overrides, signal);
  const { open, last } = await recall(rebootKey(node, target.version));
  const isEqual =
    facts.talosVersion === target.version && (target.schematicId === undefined || isSameSchematic(facts.schematicId, target.schematicId));
  const cordon = facts.kube?.cordon ?? { state: 'none' };
  // The call was sent and the machine was not seen back: it is in the boot after it, or on the way out of the boot before.
  const isSent = open !== undefined && open.target !== facts.bootId;
  const isGoing = leavingStages.has(facts.stage) && (open ?? last)?.target === facts.bootId;
  const isUnseen = last?.target !== undefined && last.target !== facts.bootId && !(await wasSeenBack(recall, node, last.target));
  // An old story whose end is there: only what may be left of it is done, a cordon.
  const isLongOver =
    isEqual && !isGoing && facts.stage === 'running' && open === undefined && last !== undefined && now() - last.at > staleMs;
  if ((isSent || isGoing || isUnseen) && !isLongOver) return { state: 'leaving', node, version: target.version, facts, target };
  const mayBeCordoned = facts.kube === undefined && last !== undefined && now() - last.at <= staleMs;
  if (isEqual) return { state: 'equal', facts, target, cordon, ...(mayBeCordoned ? { mayBeCordoned } : {}) };
  const installed = await recall(installKey(node, target.image, facts.bootId));
  const more = overridden === undefined ? {} : { overridden };
  if (installed.last !== undefined) return { state: 'installed', facts, target, ...more };
  const hasTried = last?.target !== undefined && last.target !== facts.bootId && facts.talosVersion !== target.version;
  return { state: 'needed', facts, target, ...(hasTried ? { rolledBackFrom: target.version } : {}), ...more };
}

export interface NodeUpgradeOptions {
  readonly drain: DrainPolicy;
  readonly overrides: Overrides;
  readonly acceptsDowntime: boolean;
  readonly rebootMode: 'default' | 'powercycle';
  readonly isStaged: boolean;
  /** How many workers may be away at once. Default 1. */
  readonly parallel?: number;
  readonly lease?: ClusterLease;
  /** The image was pulled before: a whole roll pulls everywhere before the first cordon. */
  readonly isPulled?: boolean;
}

export interface NodeUpgraded {
  readonly node: string;
  readonly changed: boolean;
  readonly from?: string;
  readonly version: string;
}

/**
 * Brings one node to where `nodeUpgradeState` says that it is not yet.
 *
 * Failure: as `disrupt`; `talos/installer-failed`; a node that cannot be asked is told as it is.
 */
export async function upgradeNode(context: DisruptContext, state: NodeUpgradeState, options: NodeUpgradeOptions): Promise<NodeUpgraded> {
  const { step, cluster } = context;
  switch (state.state) {
    case 'unknown':
      throw new TkError(state.failure);
    case 'equal': {
      const { facts } = state;
      const { node, talosVersion, unmet } = facts;
      let { cordon } = state;
      if (!isSettled(facts) || state.mayBeCordoned === true) {
        // Any boot will do: somebody else has restarted it, or the power was away.
        const unmetBefore = facts.stage === 'running' ? unmet.map(({ name }) => name) : [];
        const patience = isSettled(facts) ? { deadlineMs: cordonUnknownMs } : {};
        const condition = cluster.lifecycle.back(node, { afterBoot: '', version: talosVersion, unmetBefore, ...patience });
        const settled = await step.pure('settle', (handle) => handle.wait(condition), { node: node.name });
        // Kubernetes may only be able to tell of it now.
        cordon = settled.kube?.cordon ?? cordon;
      }
      if (cordon.state === 'ours') await uncordonStep(context, node);
      return { node: node.name, changed: cordon.state === 'ours', version: talosVersion };
    }
    case 'leaving': {
      const { node, version } = state;
      const what = state.facts && state.target ? { facts: state.facts, target: state.target } : undefined;
      const { facts } = await away(context, node, version, what, options);
      return { node: node.name, changed: true, version: facts?.talosVersion ?? version };
    }
    case 'needed':
    case 'installed': {
      const { facts, target } = state;
      const { node } = facts;
      if (state.overridden !== undefined) await keepImageOverride(context, node, state.overridden, options.overrides);
      if (state.state === 'needed' && options.isPulled !== true)
        await step('pull', async (handle) => handle.detail(await cluster.lifecycle.pull(node, target.image, handle.signal)), {
          node: node.name,
        });
      await away(context, node, target.version, { facts, target }, options);
      return { node: node.name, changed: true, from: facts.talosVersion, version: target.version };
    }
  }
}

/** `what`: absent when the machine cannot be asked because an earlier run sent the call, and only the wait is left. */
function away(
  context: DisruptContext,
  node: NodeModel,
  version: string,
  what: { readonly facts: NodeFacts; readonly target: ImageTarget } | undefined,
  { drain, overrides, acceptsDowntime, rebootMode, isStaged, parallel, lease }: NodeUpgradeOptions,
): Promise<Disrupted> {
  const { cluster, step } = context;
  const { lifecycle } = cluster;
  const isLegacy = what !== undefined && usesLegacyCall(what.facts.talosVersion, isStaged);
  const act = async (handle: StepHandle): Promise<void> => {
    if (what === undefined) throw new TkError(lifecycleFailure('node/never-left', { node: node.name }));
    const { bootId: inBoot } = what.facts;
    const isForced = (acceptsDowntime && cluster.controlPlanes.length === 2) || overrides.has('etcd-quorum');
    if (isLegacy) await lifecycle.upgradeLegacy(node, { image: what.target.image, inBoot, isStaged, rebootMode, isForced }, handle.signal);
    else await lifecycle.reboot(node, rebootMode, handle.signal);
  };
  const install = async (): Promise<void> => {
    if (what === undefined) return;
    const { image } = what.target;
    const { bootId: inBoot } = what.facts;
    const key = installKey(node, image, inBoot);
    const before = await context.recall(key);
    await step.once('install', {
      key,
      node: node.name,
      // The installer may run twice without harm; that it ran to its end is what the journal knows, and no machine tells.
      probe: () => (before.last === undefined ? notDone() : done(`run ${before.last.runId} installed it`)),
      act: (handle) => lifecycle.install(node, { image, inBoot, observe: (line) => handle.detail(line) }, handle.signal),
    });
  };
  return disrupt(context, {
    disruption: {
      node,
      kind: 'upgrade',
      etcd: node.role === 'controlplane' ? 'away' : 'none',
      toVersion: version,
      acceptsDowntime,
      ...(parallel === undefined ? {} : { parallel }),
      ...(lease === undefined ? {} : { lease }),
    },
    overrides,
    drain,
    title: isLegacy ? 'install and reboot' : 'reboot',
    key: rebootKey(node, version),
    ...(isLegacy ? { isOnlyByCall: true } : what === undefined ? {} : { prepare: install }),
    act,
    comesBack: (bootId) =>
      lifecycle.back(node, {
        afterBoot: bootId,
        version,
        isStaged,
        // Of the boot that ends: what a machine has not started yet in the next one is waited for.
        unmetBefore: what?.facts.stage === 'running' && what.facts.bootId === bootId ? what.facts.unmet.map(({ name }) => name) : [],
        ...(what?.target.schematicId === undefined ? {} : { schematicId: what.target.schematicId }),
      }),
  });
}

export const usesLegacyCall = (runningVersion: string, isStaged: boolean): boolean =>
  isStaged || !isAtLeast(runningVersion, firstWithLifecycleService);

async function keepImageOverride({ keep, log }: DisruptContext, node: NodeModel, failure: Failure, overrides: Overrides): Promise<void> {
  const reason = overrides.get('image') ?? '';
  await keep({ subject: 'gate image: gate/image', reason, node: node.name });
  log.warn(failure);
  log.warn(`gate image is overridden: ${reason}`);
}

/** Every call that changes something, in order: for plans. */
export function upgradeCalls(state: NodeUpgradeState, options: Pick<NodeUpgradeOptions, 'drain' | 'isStaged'>): readonly MutatingCall[] {
  const uncordon = { target: 'kubernetes', call: 'PUT nodes (uncordon)' };
  switch (state.state) {
    case 'unknown':
      return [];
    case 'equal':
      return state.cordon.state === 'ours' ? [uncordon] : [];
    case 'leaving':
      return state.facts?.kube?.cordon.state === 'foreign' ? [] : [uncordon];
    case 'needed':
    case 'installed': {
      const { node, talosVersion, etcd, kube } = state.facts;
      const at = (call: string): MutatingCall => ({ target: node.name, call });
      const isLegacy = usesLegacyCall(talosVersion, options.isStaged);
      const isDrained = options.drain.how !== 'skip' && kube !== undefined;
      return [
        ...(state.state === 'needed'
          ? [at(isAtLeast(talosVersion, firstWithLifecycleService) ? 'machine.ImageService/Pull' : 'machine.MachineService/ImagePull')]
          : []),
        ...(isDrained
          ? [
              { target: 'kubernetes', call: 'PUT nodes (cordon)' },
              { target: 'kubernetes', call: 'POST evictions' },
            ]
          : []),
        ...(etcd?.isLeader === true ? [at('machine.MachineService/EtcdForfeitLeadership')] : []),
        ...(state.state === 'needed' && !isLegacy ? [at('machine.LifecycleService/Upgrade')] : []),
        at(isLegacy ? 'machine.MachineService/Upgrade' : 'machine.MachineService/Reboot'),
        ...(isDrained ? [uncordon] : []),
      ];
    }
  }
}

/**
 * What speaks against the whole of it before anything is begun: machines that cannot be asked, and versions that do not lead to each
 * other anywhere.
 */
export function upgradeProblems(states: readonly NodeUpgradeState[], overrides: Overrides): readonly Failure[] {
  const silent = new Map(
    states.flatMap((state) => (state.state === 'unknown' ? [[JSON.stringify(state.failure), state.failure] as const] : [])),
  );
  return [...silent.values(), ...pathProblems(states, overrides)];
}

/** Versions that do not lead to each other, of all nodes at once. */
export function pathProblems(states: readonly NodeUpgradeState[], overrides: Overrides): readonly Failure[] {
  if (overrides.has('version-path')) return [];
  const facts = states.flatMap((state) => ('facts' in state && state.facts ? [state.facts] : []));
  const kubernetes = facts.flatMap(({ kube }) => (kube === undefined || kube.kubeletVersion === '' ? [] : [kube.kubeletVersion]));
  return states.flatMap((state) =>
    state.state === 'needed'
      ? versionPathProblems({ node: state.facts.node.name, from: state.facts.talosVersion, to: state.target.version, kubernetes })
      : [],
  );
}

/** How a node was left when its upgrade ended early, in words; undefined when it is as it was before. */
export async function describePending(question: Omit<StateQuestion, 'surveyed'>, node: NodeModel): Promise<string | undefined> {
  const { signal } = question;
  if (signal.aborted) return 'was not asked';
  try {
    const [surveyed] = await question.lifecycle.survey([node], signal);
    if (surveyed === undefined || surveyed.state === 'silent') return 'does not answer';
    const state = await nodeUpgradeState({ ...question, surveyed });
    // A cordon of ours is taken back while the run ends, unless the machine has been sent away.
    if (state.state === 'installed') return 'is installed, reboot pending';
    if (state.state === 'needed' && state.rolledBackFrom !== undefined) return `rolled back to ${state.facts.talosVersion}`;
    if (state.state === 'leaving') return `is on its way${surveyed.facts.kube?.cordon.state === 'ours' ? ', cordoned by tk' : ''}`;
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    if (signal.aborted) return 'was not asked';
    // Why it cannot be upgraded has been told by then.
  }
  return undefined;
}
