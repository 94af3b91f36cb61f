import { type Failure, TkError } from '../../../base/index.ts';
import { compareVersions, minorOf, parseVersion } from '../../../format/index.ts';
import { compatibility, type TalosMinor, operatedMinors } from '../../../upstream/tables.ts';
import { lifecycleFailure } from '../failures.ts';
import { isInstallableOver, runsKubernetes } from '../../compatibility.ts';
import { upgradePath } from '../../upgrade-path.ts';

export interface VersionQuestion {
  readonly node: string;
  /** What the machine runs. With `v`. */
  readonly from: string;
  readonly to: string;
  /** Of every kubelet and of the API server; empty: nobody could be asked. */
  readonly kubernetes: readonly string[];
}

/**
 * Whether this Talos may be installed over that one, below these Kubernetes versions.
 *
 * Failure: `gate/version-path`: older than what runs, more than one minor on, not installable over what runs, or without support for
 * a Kubernetes that runs. An unknown Talos is not decided on.
 * Source: pkg/machinery/compatibility (the installer's own pre-flight check), and one minor at a time, which is what is documented
 */
export function versionPathProblems({ node, from, to, kubernetes }: VersionQuestion): readonly Failure[] {
  const refuse = (
    because: 'downgrade' | 'skips-a-minor' | 'not-installable' | 'unknown' | 'kubernetes',
    more: { readonly other?: string; readonly hops?: readonly string[] } = {},
  ) => lifecycleFailure('gate/version-path', { node, from, to, because, ...more });
  const running = parseVersion(from);
  const target = parseVersion(to);
  const minor = operatedMinors.find((known) => known === minorOf(target));
  if (minor === undefined) return [refuse('unknown', { other: operatedMinors.at(-1) as string })];
  const problems: Failure[] = [];
  if (compareVersions(target, running) < 0) problems.push(refuse('downgrade'));
  else if (!isInstallableOver(to, from))
    problems.push(refuse('not-installable', { other: `v${compatibility[minor].upgradableFrom}`, hops: hopsTo(from, to, kubernetes) }));
  else if (target.major !== running.major || target.minor > running.minor + 1)
    problems.push(refuse('skips-a-minor', { hops: hopsTo(from, to, kubernetes) }));
  for (const version of new Set(kubernetes)) if (!runsKubernetes(to, version)) problems.push(refuse('kubernetes', { other: version }));
  return problems;
}

/** The way that would do, as versions; empty when there is none either. */
function hopsTo(from: string, to: string, kubernetes: readonly string[]): readonly string[] {
  const [lowest] = [...kubernetes].sort(compareVersions);
  if (lowest === undefined) return [];
  try {
    const newest = compatibility[minorOf(to) as TalosMinor].kubernetes[0];
    const target = compareVersions(lowest, `${newest}.0`) < 0 ? `v${newest}.0` : lowest;
    return upgradePath({ talos: from, kubernetes: lowest }, { talos: to, kubernetes: target }).map(
      (hop) => `${hop.what === 'talos' ? 'Talos' : 'Kubernetes'} ${hop.to}`,
    );
  } catch (error) {
    if (error instanceof TkError) return [];
    throw error;
  }
}
