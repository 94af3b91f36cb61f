import { TkError } from '../base/index.ts';
import { compareVersions, minorOf, parseVersion } from '../format/index.ts';
import { compatibility, defaultKubernetes, newestTalosPatch, type TalosMinor, talosMinors } from '../upstream/tables.ts';
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
  | { readonly kind: 'target' };

export interface UpgradeHop {
  readonly what: 'talos' | 'kubernetes';
  readonly from: string;
  readonly to: string;
  readonly reason: HopReason;
  /** What runs once this hop is done. */
  readonly after: VersionPair;
}

/**
 * The hops from one pair of versions to another, in the order in which each leaves a pair that Talos supports.
 *
 * Shape: empty when there is nothing to do. Talos goes before Kubernetes wherever both could: it is what has to know the other.
 * Failure: `upgrade/*` before the first hop when there is no way; `format/version`.
 * Source: pkg/machinery/compatibility; one minor at a time from its newest patch is what is documented and tested
 */
export function upgradePath(from: VersionPair, to: VersionPair): readonly UpgradeHop[] {
  const target = canonical(to);
  let current = canonical(from);
  refuseImpossible(current, target);
  const hops: UpgradeHop[] = [];
  for (let hop = nextHop(current, target); hop !== undefined; hop = nextHop(current, target)) {
    if (!isSupported(hop.after)) throw unsupported(hop.after, 'hop');
    hops.push(hop);
    current = hop.after;
  }
  return hops;
}

function nextHop(current: VersionPair, target: VersionPair): UpgradeHop | undefined {
  const here = talosMinorOf(current.talos);
  const nextMinor = talosMinors[talosMinors.indexOf(here) + 1];
  const [oldestHere] = compatibility[here].kubernetes;
  // A cluster that lags behind its own Talos: no Talos can be installed over that.
  if (compareMinors(minorOf(current.kubernetes), oldestHere) < 0)
    return kubernetesHop(current, target, { kind: 'needed-by-talos', talos: here, lowest: oldestHere });
  if (minorOf(current.talos) !== minorOf(target.talos) && nextMinor !== undefined) {
    const newestHere = newestTalosPatch[here];
    if (compareVersions(current.talos, newestHere) < 0 && isSupported(current))
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

function talosHop(current: VersionPair, to: string, reason: HopReason): UpgradeHop {
  return { what: 'talos', from: current.talos, to, reason, after: { ...current, talos: to } };
}

function kubernetesHop(current: VersionPair, target: VersionPair, because?: HopReason): UpgradeHop {
  const { major, minor } = parseVersion(current.kubernetes);
  const next = `${major}.${minor + 1}`;
  const isLast = compareMinors(next, minorOf(target.kubernetes)) >= 0;
  const to = isLast ? target.kubernetes : (Object.values(defaultKubernetes).find((known) => minorOf(known) === next) ?? `v${next}.0`);
  const reason: HopReason = because ?? { kind: isLast ? 'target' : 'one-minor' };
  return { what: 'kubernetes', from: current.kubernetes, to, reason, after: { ...current, kubernetes: to } };
}

function refuseImpossible(current: VersionPair, target: VersionPair): void {
  for (const [what, from, to] of [
    ['Talos', current.talos, target.talos],
    ['Kubernetes', current.kubernetes, target.kubernetes],
  ] as const) {
    if (compareVersions(to, from) < 0) throw new TkError(clusterFailure('upgrade/downgrade', { what, from, to }));
  }
  talosMinorOf(current.talos);
  if (!isSupported(target)) throw unsupported(target, 'target');
}

/** Failure: `upgrade/unknown-talos`. */
function talosMinorOf(version: string): TalosMinor {
  const wanted = minorOf(version);
  const minor = talosMinors.find((known) => known === wanted);
  if (minor === undefined) {
    const [oldest] = talosMinors;
    throw new TkError(clusterFailure('upgrade/unknown-talos', { version, oldest, newest: talosMinors.at(-1) ?? oldest }));
  }
  return minor;
}

function isSupported({ talos, kubernetes }: VersionPair): boolean {
  const [lowest, highest] = compatibility[talosMinorOf(talos)].kubernetes;
  const minor = minorOf(kubernetes);
  return compareMinors(minor, lowest) >= 0 && compareMinors(minor, highest) <= 0;
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
