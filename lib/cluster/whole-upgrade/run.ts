import { minutes, throwIfAny, TkError } from '../../base/index.ts';
import type { StepHandle } from '../../core/index.ts';
import { compareVersions } from '../../format/index.ts';
import { kubernetesUpgradeFailure } from '../kubernetes-upgrade/failures.ts';
import type { KubernetesFacts } from '../kubernetes-upgrade/kubernetes-upgrade.ts';
import { followPins } from '../kubernetes-upgrade/follow-pins.ts';
import { factsOfAll, upgradeKubernetes } from '../kubernetes-upgrade/run.ts';
import { uncordonStep } from '../lifecycle/disrupt.ts';
import { type RollContext, type RollOptions, runRoll, surveyRoll } from '../lifecycle/roll.ts';
import type { UpgradeHop, VersionPair } from '../upgrade-path.ts';
import { hopProblems, previewHops } from './preview.ts';

export interface WholeUpgradeOptions extends Omit<RollOptions, 'wanted'> {
  readonly to: VersionPair;
  readonly parallel?: string | undefined;
  readonly canary?: string | undefined;
  /** Pull every image of Kubernetes before the first change. */
  readonly pulls: boolean;
  /** Let the repository's versions follow. */
  readonly pins: boolean;
}

export interface WholeUpgraded {
  readonly from: VersionPair;
  readonly to: VersionPair;
  readonly hops: readonly Pick<UpgradeHop, 'what' | 'from' | 'to'>[];
}

/**
 * Talos and Kubernetes to a pair of versions, hop by hop. The hops are made anew from what every machine says before each: what an
 * earlier run has done is not done again, and what it left half done comes first.
 *
 *     answers ─▶ hops ─▶ checks of all hops ─▶ ┌ our cordons ─▶ Talos or Kubernetes ─▶ pins ─▶ health ┐ ─▶ goal
 *                                             └──────────────────────────────────────────────────────┘
 *
 * Failure: `upgrade/*`, `upgrade-k8s/*` before the first hop; then those of the hop.
 */
export async function upgradeCluster(context: RollContext, options: WholeUpgradeOptions): Promise<WholeUpgraded> {
  const { cluster, step } = context;
  const { kubernetesUpgrade } = cluster;
  const done: Pick<UpgradeHop, 'what' | 'from' | 'to'>[] = [];
  let from: VersionPair | undefined;
  for (;;) {
    const { facts, hops } = await step.pure('hops', async (handle) => {
      // A machine that an earlier run has sent into its reboot is silent for a while.
      const now = await factsOfAll(context, handle, minutes(10));
      const found = kubernetesUpgrade.hops(now, options.to);
      if (done.length === 0)
        throwIfAny(await hopProblems(previewHops(now, found, kubernetesUpgrade, options), kubernetesUpgrade, handle.signal));
      handle.detail(found.map(describeHop).join(', ') || 'every machine is there');
      return { facts: now, hops: found };
    });
    from ??= { talos: lowestTalos(facts, options.to.talos), kubernetes: facts.lowest ?? options.to.kubernetes };
    const [hop] = hops;
    await takeBackCordons(context, hop);
    if (hop === undefined) break;
    // A hop that leaves no trace would be made for ever.
    if (done.some((one) => one.what === hop.what && one.to === hop.to))
      throw new TkError(kubernetesUpgradeFailure('upgrade-k8s/not-upgraded', { parts: [...(hop.nodes ?? [hop.what])], to: hop.to }));
    await step(describeHop(hop), (handle) => runHop(context, hop, options, handle));
    await step.pure('health', (handle) => healthy(context, handle));
    done.push({ what: hop.what, from: hop.from, to: hop.to });
  }
  if (options.pins) await followPins(context, { talos: options.to.talos, kubernetes: options.to.kubernetes }, { isForwardOnly: true });
  return { from, to: options.to, hops: done };
}

const describeHop = ({ what, from, to }: UpgradeHop): string => `${what === 'talos' ? 'Talos' : 'Kubernetes'} ${from} → ${to}`;

function lowestTalos({ nodes }: KubernetesFacts, otherwise: string): string {
  const versions = nodes.flatMap((one) => (one.state === 'answered' ? [one.facts.talosVersion] : []));
  return versions.sort(compareVersions)[0] ?? otherwise;
}

/** Machines that an earlier run has brought home and not given back to their pods; those of the next hop keep theirs. */
async function takeBackCordons(context: RollContext, hop: UpgradeHop | undefined): Promise<void> {
  const { cluster, step } = context;
  const surveyed = await step.pure('cordons', (handle) => cluster.lifecycle.survey(cluster.nodes, handle.signal));
  const still = hop?.what === 'talos' ? (hop.nodes ?? []) : [];
  for (const one of surveyed)
    if (one.state === 'answered' && one.facts.kube?.cordon.state === 'ours' && !still.includes(one.node.name))
      await uncordonStep(context, one.node);
}

async function runHop(outer: RollContext, hop: UpgradeHop, options: WholeUpgradeOptions, inside: StepHandle): Promise<void> {
  const context = { ...outer, step: inside.step, log: inside.log };
  const { cluster, step, recall, runId, afterwards } = context;
  const { overrides, parallel, canary, pulls, pins } = options;
  if (hop.what === 'kubernetes') {
    await upgradeKubernetes(context, {
      to: hop.to,
      pulls,
      pins,
      isForwardOnly: true,
      overrides,
      async lease() {
        const lease = await cluster.lifecycle.lease(runId, inside.signal);
        afterwards('give the lease back', (handle) => lease.release(handle.signal));
        return lease;
      },
    });
    return;
  }
  const wanted = { version: hop.to };
  const nodes = cluster.nodes.filter(({ name }) => hop.nodes?.includes(name) ?? true);
  const roll = await step.pure('facts', (handle) =>
    surveyRoll({ cluster, nodes, wanted, overrides, parallel, canary, recall, signal: handle.signal }),
  );
  await runRoll(context, roll, { ...options, wanted });
  if (pins) await followPins(context, { talos: hop.to }, { isForwardOnly: true });
}

/** Upstream's own checks, each waited for: the next hop begins on a cluster that is well. */
async function healthy({ cluster }: RollContext, handle: StepHandle): Promise<void> {
  let passed = 0;
  for (const check of cluster.health.checks()) {
    const answer = await handle.wait(check);
    if (answer.state === 'ok') passed += 1;
  }
  handle.detail(`${passed} checks hold`);
}
