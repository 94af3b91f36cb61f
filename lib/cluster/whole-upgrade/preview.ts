import type { Failure } from '../../base/index.ts';
import type { MutatingCall, PlannedStep } from '../../core/index.ts';
import { isAtLeast } from '../../format/index.ts';
import type { KubernetesFacts, KubernetesPlan, KubernetesUpgradeView, NodeKubernetes } from '../kubernetes-upgrade/kubernetes-upgrade.ts';
import { planKubernetesSteps } from '../kubernetes-upgrade/planned-steps.ts';
import { versionOfImage } from '../kubernetes-upgrade/images.ts';
import type { DrainPolicy } from '../lifecycle/lifecycle.ts';
import { firstWithLifecycleService } from '../lifecycle/versions.ts';
import type { UpgradeHop } from '../upgrade-path.ts';

/** One hop, and what the machines will run when it begins. */
export interface PlannedHop {
  readonly hop: UpgradeHop;
  readonly before: KubernetesFacts;
  readonly steps: readonly PlannedStep[];
}

export interface PreviewOptions {
  readonly pulls: boolean;
  readonly drain: DrainPolicy;
}

/** Every hop with the facts that it will find: those of now, with what the hops before have changed. Pure. */
export function previewHops(
  facts: KubernetesFacts,
  hops: readonly UpgradeHop[],
  upgrade: KubernetesUpgradeView,
  { pulls, drain }: PreviewOptions,
): readonly PlannedHop[] {
  let before = facts;
  return hops.map((hop): PlannedHop => {
    const kubernetes = hop.what === 'kubernetes' ? upgrade.plan(before, hop.to) : undefined;
    const steps =
      kubernetes === undefined ? talosSteps(hop, before, drain) : planKubernetesSteps({ plan: kubernetes, pulls }).map(named(hop));
    const planned = { hop, before, steps };
    before = factsAfter(before, hop, kubernetes);
    return planned;
  });
}

function factsAfter(before: KubernetesFacts, { to, nodes = [] }: UpgradeHop, kubernetes: KubernetesPlan | undefined): KubernetesFacts {
  const changed = (facts: NodeKubernetes): NodeKubernetes => {
    if (kubernetes === undefined) return nodes.includes(facts.node.name) ? { ...facts, talosVersion: to } : facts;
    const parts = { ...facts.parts };
    for (const { node, part, to: image } of kubernetes.wanted) {
      const version = versionOfImage(image);
      const known = parts[part];
      if (node.name === facts.node.name && known !== undefined)
        parts[part] = { flags: known.flags, image, ...(version === undefined ? {} : { version }) };
    }
    return { ...facts, parts };
  };
  return {
    nodes: before.nodes.map((one) => (one.state === 'answered' ? { state: 'answered', facts: changed(one.facts) } : one)),
    ...(kubernetes !== undefined ? { lowest: to } : before.lowest === undefined ? {} : { lowest: before.lowest }),
  };
}

/** What speaks against any of the hops: a flag that only the third one no longer knows is told before the first. */
export async function hopProblems(
  planned: readonly PlannedHop[],
  upgrade: KubernetesUpgradeView,
  signal: AbortSignal,
): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const { hop, before } of planned) {
    if (hop.what === 'kubernetes') failures.push(...(await upgrade.problems(before, hop.to, signal)));
  }
  return failures;
}

const nameOf = ({ what, from, to }: UpgradeHop): string => `${what === 'talos' ? 'Talos' : 'Kubernetes'} ${from} → ${to}`;
const named =
  (hop: UpgradeHop) =>
  (step: PlannedStep): PlannedStep => ({ ...step, title: `${nameOf(hop)} › ${step.title}` });

/** Who leads etcd then is not known yet: that it hands over is left out. */
function talosSteps(hop: UpgradeHop, before: KubernetesFacts, drain: DrainPolicy): readonly PlannedStep[] {
  const isDrained = drain.how !== 'skip' && before.nodes.length > 1;
  const inKubernetes = (call: string): MutatingCall => ({ target: 'kubernetes', call });
  const answered = before.nodes.flatMap((one) => (one.state === 'answered' && hop.nodes?.includes(one.facts.node.name) ? [one.facts] : []));
  const snapshot: PlannedStep = {
    decision: 'run',
    title: `${nameOf(hop)} › etcd snapshot`,
    reason: 'talos/backups, verified before anything reboots',
  };
  const machines = answered.map(({ node, talosVersion }): PlannedStep => {
    const at = (call: string): MutatingCall => ({ target: node.name, call });
    const calls = isAtLeast(talosVersion, firstWithLifecycleService)
      ? [at('machine.ImageService/Pull'), at('machine.LifecycleService/Upgrade'), at('machine.MachineService/Reboot')]
      : [at('machine.MachineService/ImagePull'), at('machine.MachineService/Upgrade')];
    return {
      decision: 'run',
      title: `${nameOf(hop)} › ${isDrained ? 'drain · ' : ''}install · reboot`,
      node: node.name,
      reason: `${talosVersion} → ${hop.to}`,
      calls: [
        ...calls.slice(0, 1),
        ...(isDrained ? [inKubernetes('PUT nodes (cordon)'), inKubernetes('POST evictions')] : []),
        ...calls.slice(1),
        ...(isDrained ? [inKubernetes('PUT nodes (uncordon)')] : []),
      ],
    };
  });
  return answered.some(({ node }) => node.role === 'controlplane') ? [snapshot, ...machines] : machines;
}
