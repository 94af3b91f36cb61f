import { parseVersion, versionOf } from '../format/index.ts';
import { compatibility, kubernetesPaths } from '../upstream/tables.ts';

interface Limits {
  /** Lowest and highest minor. */
  readonly kubernetes: readonly [string, string];
  readonly upgradableFrom: string;
  readonly downgradableBelow: string;
}

const limits: Readonly<Record<string, Limits>> = compatibility;

/** Undefined for a minor that is not in the table. */
export function talosLimits(version: string): Limits | undefined {
  const { major, minor } = parseVersion(version);
  return limits[`${major}.${minor}`];
}

/**
 * Whether a Talos runs a Kubernetes. Pre-releases count as their release. False for a Talos that is not in the table.
 * Source: Talos pkg/machinery/compatibility/kubernetes_version.go
 */
export function runsKubernetes(talos: string, kubernetes: string): boolean {
  const known = talosLimits(talos);
  if (!known) return false;
  const [lowest, highest] = known.kubernetes;
  // Upstream writes the upper end as patch 99, exclusive.
  return compareCores(kubernetes, `${lowest}.0`) >= 0 && compareCores(kubernetes, `${highest}.99`) < 0;
}

/**
 * Whether the installer of `target` takes a machine that runs `host`; up and down.
 * Source: Talos pkg/machinery/compatibility/talos_version.go
 */
export function isInstallableOver(target: string, host: string): boolean {
  const known = talosLimits(target);
  return known !== undefined && compareCores(host, known.upgradableFrom) >= 0 && compareCores(host, known.downgradableBelow) < 0;
}

/**
 * Whether Kubernetes goes from one version to the other in one step: within a minor in any direction, or one minor up.
 * Source: go-kubernetes kubernetes/upgrade/path.go
 */
export function isKubernetesStep(from: string, to: string): boolean {
  const [a, b] = [parseVersion(from), parseVersion(to)];
  const isKnown = (minor: number) => minor >= kubernetesPaths.oldestMinor && minor <= kubernetesPaths.newestMinor;
  return a.major === 1 && b.major === 1 && isKnown(a.minor) && isKnown(b.minor) && (b.minor === a.minor || b.minor === a.minor + 1);
}

/** Major, minor and patch alone. Failure: `format/version`. */
export function compareCores(a: string, b: string): number {
  const [one, other] = [a, b].map((text) => {
    const { major, minor, patch } = versionOf(text) ?? parseVersion(`${text}.0`);
    return [major, minor, patch];
  }) as [number[], number[]];
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
