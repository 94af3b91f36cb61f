import { TkError } from '../base/index.ts';
import { compareVersions, minorOf, parseVersion } from '../format/index.ts';
import { compatibility, defaultKubernetes, newestTalosPatch, type TalosMinor, operatedMinors } from '../upstream/tables.ts';
import { runsKubernetes } from './compatibility.ts';
import { clusterFailure } from './failures.ts';

/** What all nodes of a cluster run. With their `v`. */
export interface VersionPair {
  readonly talos: string;
  readonly kubernetes: string;
}

export type HopReason =
  /** Upgrades are tested from the newest patch of a minor. */
  | { readonly kind: 'newest-patch'; readonly minor: string }
  /** Talos and Kubernetes go one minor at a time. */
  | { readonly kind: 'one-minor' }
  /** The next Talos runs nothing older than `lowest`. */
  | { readonly kind: 'needed-by-talos'; readonly talos: string; readonly lowest: string }
  | { readonly kind: 'target' }
  /** Some machines were left behind by an upgrade that was broken off. */
  | { readonly kind: 'unfinished' };

export interface UpgradeHop {
  readonly what: 'talos' | 'kubernetes';
  readonly from: string;
  readonly to: string;
  readonly reason: HopReason;
  /** What runs once this hop is done. */
  readonly after: VersionPair;
  /** Machines that run less than `to` when the hop begins. Absent where no machines were given. */
  readonly nodes?: readonly string[];
}

/** What the machines of a cluster run: not all the same while an upgrade is under way. */
export interface ClusterVersions {
  readonly nodes: readonly {
    readonly name: string;
    readonly talos: string;
    /** Of its kubelet; absent when the machine has none. */
    readonly kubelet?: string;
  }[];
  /** Lowest over the parts of all control planes. */
  readonly kubernetes: string;
}

/**
 * The hops from one pair of versions to another, in the order in which each leaves a pair that Talos supports.
 *
 * Shape: empty when there is nothing to do. Talos goes before Kubernetes wherever both could: it is what has to know the other.
 * Failure: `upgrade/*` before the first hop when there is no way; `format/version`.
 * Source: pkg/machinery/compatibility; one minor at a time from its newest patch is what is documented and tested
 */
export function upgradePath(from: VersionPair, to: VersionPair): readonly UpgradeHop[] {
  const hops = clusterUpgradePath({ nodes: [{ name: '', talos: from.talos }], kubernetes: from.kubernetes }, to);
  return hops.map(({ nodes: _nodes, ...hop }) => hop);
}

/**
 * The same from what every machine runs. What an earlier upgrade has left behind is brought up first, and no hop leaves any machine
 * with a Kubernetes that its Talos does not run.
 *
 * Failure: as `upgradePath`; a machine that is ahead of the target is a downgrade.
 */
export function clusterUpgradePath(from: ClusterVersions, to: VersionPair): readonly UpgradeHop[] {
  const target = canonical(to);
  let current: State = {
    kubernetes: parseVersion(from.kubernetes).text,
    nodes: from.nodes.map(({ name, talos }) => ({ name, talos: parseVersion(talos).text })),
  };
  refuseImpossible(current, target);
  const hops: UpgradeHop[] = [];
  for (let hop = nextHop(current, target); hop !== undefined; hop = nextHop(current, target)) {
    const { nodes } = current;
    current = after(current, hop);
    for (const { talos } of current.nodes)
      if (!runsKubernetes(talos, current.kubernetes)) throw unsupported({ ...hop.after, talos }, 'hop');
    hops.push({
      ...hop,
      nodes: nodes.filter(({ talos }) => hop.what === 'kubernetes' || compareVersions(talos, hop.to) < 0).map(({ name }) => name),
    });
  }
  const behind = from.nodes.filter(({ kubelet }) => kubelet !== undefined && compareVersions(kubelet, target.kubernetes) < 0);
  const [first] = behind;
  if (first?.kubelet === undefined || hops.some(({ what }) => what === 'kubernetes')) return hops;
  // The control planes run it, and an upgrade that was broken off has not come to these.
  const unfinished = { what: 'kubernetes', from: parseVersion(first.kubelet).text, to: target.kubernetes } as const;
  return [...hops, { ...unfinished, reason: { kind: 'unfinished' }, after: target, nodes: behind.map(({ name }) => name) }];
}

interface State {
  readonly kubernetes: string;
  readonly nodes: readonly { readonly name: string; readonly talos: string }[];
}

type Hop = Omit<UpgradeHop, 'nodes'>;

const talosOf = ({ nodes }: State): readonly string[] => nodes.map(({ talos }) => talos).sort(compareVersions);

function after(state: State, { what, to }: Hop): State {
  if (what === 'kubernetes') return { ...state, kubernetes: to };
  return { ...state, nodes: state.nodes.map((node) => (compareVersions(node.talos, to) < 0 ? { ...node, talos: to } : node)) };
}

function nextHop(state: State, target: VersionPair): Hop | undefined {
  const versions = talosOf(state);
  const current = { talos: versions[0] ?? target.talos, kubernetes: state.kubernetes };
  const top = talosMinorOf(versions.at(-1) ?? target.talos);
  const here = talosMinorOf(current.talos);
  const nextMinor = operatedMinors[operatedMinors.indexOf(here) + 1];
  const [oldestHere] = compatibility[top].kubernetes;
  // A cluster that lags behind its own Talos: no Talos can be installed over that.
  if (compareMinors(minorOf(current.kubernetes), oldestHere) < 0)
    return kubernetesHop(current, target, { kind: 'needed-by-talos', talos: top, lowest: oldestHere });
  if (minorOf(current.talos) !== minorOf(target.talos) && nextMinor !== undefined) {
    const newestHere = newestTalosPatch[here];
    if (compareVersions(current.talos, newestHere) < 0 && runsKubernetes(current.talos, current.kubernetes))
      return talosHop(current, newestHere, { kind: 'newest-patch', minor: minorOf(newestHere) });
    const [lowest] = compatibility[nextMinor].kubernetes;
    if (compareMinors(minorOf(current.kubernetes), lowest) < 0)
      return kubernetesHop(current, target, { kind: 'needed-by-talos', talos: nextMinor, lowest });
    const isLast = nextMinor === minorOf(target.talos);
    return talosHop(current, isLast ? target.talos : newestTalosPatch[nextMinor], { kind: isLast ? 'target' : 'one-minor' });
  }
  if (current.talos !== target.talos) return talosHop(current, target.talos, { kind: 'target' });
  return current.kubernetes === target.kubernetes ? undefined : kubernetesHop(current, target);
}

function talosHop(current: VersionPair, to: string, reason: HopReason): Hop {
  return { what: 'talos', from: current.talos, to, reason, after: { ...current, talos: to } };
}

function kubernetesHop(current: VersionPair, target: VersionPair, because?: HopReason): Hop {
  const { major, minor } = parseVersion(current.kubernetes);
  const next = `${major}.${minor + 1}`;
  const isLast = compareMinors(next, minorOf(target.kubernetes)) >= 0;
  const to = isLast ? target.kubernetes : (Object.values(defaultKubernetes).find((known) => minorOf(known) === next) ?? `v${next}.0`);
  const reason: HopReason = because ?? { kind: isLast ? 'target' : 'one-minor' };
  return { what: 'kubernetes', from: current.kubernetes, to, reason, after: { ...current, kubernetes: to } };
}

function refuseImpossible(current: State, target: VersionPair): void {
  for (const talos of talosOf(current)) {
    if (compareVersions(target.talos, talos) < 0)
      throw new TkError(clusterFailure('upgrade/downgrade', { what: 'Talos', from: talos, to: target.talos }));
    talosMinorOf(talos);
  }
  if (compareVersions(target.kubernetes, current.kubernetes) < 0)
    throw new TkError(clusterFailure('upgrade/downgrade', { what: 'Kubernetes', from: current.kubernetes, to: target.kubernetes }));
  talosMinorOf(target.talos);
  if (!runsKubernetes(target.talos, target.kubernetes)) throw unsupported(target, 'target');
}

/** Failure: `upgrade/unknown-talos`, `upgrade/unsupported-pair`. */
export function refuseUnsupported(pair: VersionPair): void {
  const { talos, kubernetes } = canonical(pair);
  if (!runsKubernetes(talos, kubernetes)) throw unsupported({ talos, kubernetes }, 'target');
}

/** Failure: `upgrade/unknown-talos`. */
function talosMinorOf(version: string): TalosMinor {
  const wanted = minorOf(version);
  const minor = operatedMinors.find((known) => known === wanted);
  if (minor === undefined) {
    const [oldest] = operatedMinors;
    throw new TkError(clusterFailure('upgrade/unknown-talos', { version, oldest, newest: operatedMinors.at(-1) ?? oldest }));
  }
  return minor;
}

function unsupported({ talos, kubernetes }: VersionPair, at: 'target' | 'hop'): TkError {
  const [lowest, highest] = compatibility[talosMinorOf(talos)].kubernetes;
  return new TkError(clusterFailure('upgrade/unsupported-pair', { talos, kubernetes, lowest, highest, at }));
}

const compareMinors = (a: string, b: string): number => compareVersions(`${a}.0`, `${b}.0`);

const canonical = ({ talos, kubernetes }: VersionPair): VersionPair => ({
  talos: parseVersion(talos).text,
  kubernetes: parseVersion(kubernetes).text,
});
