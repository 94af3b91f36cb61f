import { eitherOf, type Failure, failureOf, hasCode, holds, minutes, notYet, seconds, throwIfAny } from '../../base/index.ts';
import type { RetryPolicy, StepHandle, TaskContext } from '../../core/index.ts';
import type { Cluster } from '../cluster.ts';
import { passGates } from '../lifecycle/gate-answers.ts';
import type { ClusterLease, Overrides } from '../lifecycle/lifecycle.ts';
import type { PinPlan } from '../pins/pins.ts';
import { isTransient } from '../../kube/index.ts';
import { isTransientTalos } from '../transient.ts';
import { followPins } from './follow-pins.ts';
import { versionOfImage } from './images.ts';
import { kubernetesUpgradeFailure } from './failures.ts';
import { isChange } from './plan.ts';
import type { KubernetesFacts, KubernetesPlan, ManifestSync, PartChange, PullTarget } from './kubernetes-upgrade.ts';

/** What an upgrade of Kubernetes needs of a task's context. */
export type KubernetesUpgradeContext = Pick<TaskContext, 'step' | 'stopping' | 'log' | 'each' | 'keep'> & { readonly cluster: Cluster };

export interface KubernetesUpgradeOptions {
  /** With its `v`. */
  readonly to: string;
  /** Pull every image everywhere before the first change. Default true. */
  readonly pulls?: boolean;
  /** Gates that the user goes past, and why. Default: none. */
  readonly overrides?: Overrides;
  /** Takes the cluster's lease, once something has to change; looked at again before each change. */
  readonly lease?: () => Promise<ClusterLease>;
  /** Let the repository's version pins follow. Default true. */
  readonly pins?: boolean;
  /** See `FollowOptions`. */
  readonly isForwardOnly?: boolean;
}

export interface KubernetesUpgraded {
  readonly from: string;
  readonly to: string;
  /** `kube-apiserver of cp-1`; empty when everything was there already. */
  readonly changed: readonly string[];
  readonly manifests: ManifestSync;
  readonly pins: PinPlan['edits'];
}

/** An apply that was lost, or came while another one ran: looked at again, then sent again. It is the same config. */
const applyAgain: RetryPolicy = { attempts: 8, delayMs: 2000, factor: 2, maxDelayMs: 20_000, when: passes };

/** A registry that does not answer now may answer in a minute; nothing was touched yet. */
const pullAgain: RetryPolicy = { attempts: 5, delayMs: 5000, factor: 2, maxDelayMs: 30_000, when: passes };

/** While an API server starts anew, and the floating address moves, Kubernetes may be silent for a while. */
const askAgain: RetryPolicy = { attempts: 10, delayMs: 3000, factor: 1.5, maxDelayMs: 20_000, when: passes };

/** What says nothing about the cluster but that somebody could not be asked. All that is repeated is harmless twice. */
function passes(failure: Failure): boolean {
  return (
    isTransientTalos(failure) ||
    isTransient(failure) ||
    ['talos/outcome-unknown', 'talos/unexpected-reply', 'gate/kubernetes', 'gate/unknown'].includes(failure.code)
  );
}

/**
 * The one way in which Kubernetes is upgraded:
 *
 *     facts ─▶ checks ─▶ pulls ─▶ API servers ─▶ controller managers ─▶ schedulers ─▶ kube-proxy ─▶ kubelets ─▶ pins ─▶ manifests
 *
 * Each part machine by machine; the next only when the one before runs. Running it again does what is left: what has its image already
 * is only waited for. The pins follow before the manifests: from the last kubelet on, the old pin would undo the work.
 *
 * Failure: `upgrade-k8s/*` before anything was touched; `gate/*`; `wait/timeout` naming what did not come; `manifests/*`.
 */
export async function upgradeKubernetes(context: KubernetesUpgradeContext, options: KubernetesUpgradeOptions): Promise<KubernetesUpgraded> {
  const { cluster, step } = context;
  const { kubernetesUpgrade } = cluster;
  const { plan, from } = await step.pure(
    'checks',
    async (handle) => {
      const facts = await factsOfAll(context, handle, minutes(2));
      throwIfAny(await kubernetesUpgrade.problems(facts, options.to, handle.signal));
      const lowest = facts.lowest ?? options.to;
      handle.detail(`${facts.nodes.length} nodes, lowest ${lowest}`);
      return { plan: kubernetesUpgrade.plan(facts, options.to), from: lowest };
    },
    { retry: askAgain },
  );
  const hasWork =
    plan.wanted.some(isChange) ||
    (await step.pure('manifests', (handle) => compareManifests(context, plan, handle), { retry: askAgain })).changes.length > 0;
  const lease = hasWork && options.lease ? await step('lease', options.lease, { retry: askAgain }) : undefined;
  if (options.pulls ?? true) await pullEverything(context, plan);
  const changed: string[] = [];
  for (const change of plan.wanted) {
    await settle(context, change, { ...options, lease });
    if (isChange(change)) changed.push(`${change.part} of ${change.node.name}`);
  }
  const pins =
    (options.pins ?? true) ? await followPins(context, { kubernetes: plan.to }, { isForwardOnly: options.isForwardOnly ?? false }) : [];
  const manifests = await step(
    'manifests',
    async (handle) => {
      const waiting = eitherOf(handle.signal, context.stopping).signal;
      const synced = await kubernetesUpgrade.syncManifests(plan, (seen) => handle.detail(seen), handle.signal, waiting);
      if (synced.changes.length === 0) handle.skip(`${synced.unchanged} objects are equal`);
      else handle.detail(synced.changes.map(({ action, object }) => `${action} ${object}`).join(', '));
      return synced;
    },
    { retry: askAgain },
  );
  await step.pure('goal', async (handle) => {
    // The proof is what every machine says at the end, not what was done on the way.
    const left = kubernetesUpgrade.plan(await factsOfAll(context, handle, minutes(5)), options.to).wanted.filter(isChange);
    throwIfAny(notUpgraded(left, options.to));
    handle.detail(`${plan.wanted.length} parts run ${options.to}`);
  });
  return { from, to: options.to, changed, manifests, pins };
}

/** Waits for machines that are silent: one that restarts says nothing for a while. Then whoever is silent still is told. */
export async function factsOfAll({ cluster }: KubernetesUpgradeContext, handle: StepHandle, deadlineMs: number): Promise<KubernetesFacts> {
  let last: KubernetesFacts | undefined;
  try {
    return await handle.wait<KubernetesFacts>({
      description: 'every machine to answer',
      deadlineMs,
      intervalMs: seconds(5),
      async check(signal) {
        last = await cluster.kubernetesUpgrade.facts(signal);
        const silent = last.nodes.flatMap((one) => (one.state === 'silent' ? [one] : []));
        const hopeless = silent.find(({ failure }) => failure.code === 'cluster/no-credentials');
        if (hopeless) return holds(last);
        return silent.length === 0 ? holds(last) : notYet(silent.map(({ node }) => node.name).join(' '));
      },
    });
  } catch (error) {
    if (last === undefined || !hasCode(error, 'wait/timeout')) throw error;
    return last;
  }
}

async function compareManifests({ cluster }: KubernetesUpgradeContext, plan: KubernetesPlan, handle: StepHandle): Promise<ManifestSync> {
  const compared = await cluster.kubernetesUpgrade.manifestChanges(plan, handle.signal);
  handle.detail(compared.changes.length === 0 ? `${compared.unchanged} objects are equal` : `${compared.changes.length} objects differ`);
  return compared;
}

/** All machines side by side, each one image after the other. */
async function pullEverything({ step, each, cluster }: KubernetesUpgradeContext, { pulls }: KubernetesPlan): Promise<void> {
  if (pulls.length === 0) return;
  await step('pull images', async (handle) => {
    const byNode = new Map<string, PullTarget[]>();
    for (const target of pulls) byNode.set(target.node.name, [...(byNode.get(target.node.name) ?? []), target]);
    await each([...byNode], async ([name, targets]) => {
      for (const target of targets)
        await handle.step(
          target.image,
          async (inner) => {
            try {
              await cluster.kubernetesUpgrade.pull(target, inner.signal);
            } catch (error) {
              // The machine then pulls when it needs the image, as it would without us.
              if (failureOf(error).code !== 'talos/unimplemented') throw error;
              inner.skip('this Talos pulls when it needs the image');
            }
          },
          { node: name, retry: pullAgain },
        );
    });
    handle.detail(`${pulls.length} images on ${byNode.size} nodes`);
  });
}

/** One part of one machine: config, then what runs. */
async function settle(
  context: KubernetesUpgradeContext,
  change: PartChange,
  { overrides = new Map(), lease }: Pick<KubernetesUpgradeOptions, 'overrides'> & { readonly lease: ClusterLease | undefined },
): Promise<void> {
  const { step, cluster, keep } = context;
  const { kubernetesUpgrade } = cluster;
  const { node, part, to } = change;
  const at = { node: node.name };
  if (!isChange(change)) {
    // The config was changed by an earlier run, or never differed; what runs may still be on its way.
    await step.pure(part, (handle) => handle.wait(kubernetesUpgrade.follows(change)), at);
    return;
  }
  await step(
    `${part} ${versionOfImage(change.from) ?? change.from} → ${versionOfImage(to) ?? to}`,
    async (handle) => {
      if (part !== 'kubelet' && part !== 'kube-proxy') await handle.wait(kubernetesUpgrade.othersReady(node));
      // Nothing is taken away, so etcd is not asked; who this machine is, and who else is at work, is.
      const disruption = { node, kind: 'upgrade', etcd: 'none', ...(lease ? { lease } : {}) } as const;
      await handle.step.pure(
        'gates',
        async (inner) =>
          passGates(await cluster.gates.check(disruption, overrides, inner.signal), { keep, log: inner.log, node: node.name }),
        { ...at, retry: askAgain },
      );
      await handle.step.probeAct('config', {
        ...at,
        retry: applyAgain,
        probe: (inner) => kubernetesUpgrade.configured(change, inner.signal),
        act: (inner) => kubernetesUpgrade.change(change, inner.signal),
      });
      await handle.wait(kubernetesUpgrade.follows(change));
    },
    at,
  );
}

function notUpgraded(left: readonly PartChange[], to: string): readonly Failure[] {
  const parts = left.map(({ part, node }) => `${part} of ${node.name}`);
  return parts.length === 0 ? [] : [kubernetesUpgradeFailure('upgrade-k8s/not-upgraded', { parts, to })];
}
