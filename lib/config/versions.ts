import { type Failure, placeOf, relatedPlace, type Span } from '../base/index.ts';
import { compareVersions, minorOf } from '../format/index.ts';
import { compatibility, defaultKubernetesVersion, newestTalos, type TalosMinor, talosMinors } from '../upstream/tables.ts';
import { configFailure } from './failures.ts';
import type { ClusterInput } from './schema.ts';
import type { Defaults } from './template-data.ts';

/** Below 1.12 the templates' documents for time and volumes are not all there. */
const oldestMinor: TalosMinor = '1.12';
const knownMinors: readonly TalosMinor[] = talosMinors.slice(talosMinors.indexOf(oldestMinor));

export function talosMinorOf(version: string): TalosMinor | undefined {
  const minor = minorOf(version);
  return knownMinors.find((known) => known === minor);
}

/** The newest of both, or the Kubernetes that goes with the Talos that was asked for. */
export function defaultVersions(cluster: Partial<ClusterInput>): Defaults {
  const talosVersion = cluster.talos_version ?? newestTalos;
  const minor = talosMinorOf(talosVersion) ?? knownMinors.at(-1) ?? oldestMinor;
  return { talosVersion, kubernetesVersion: `v${defaultKubernetesVersion[minor]}` };
}

/** Talos is one that tk knows, and takes this Kubernetes. */
export function checkVersions(cluster: Partial<ClusterInput>, spanOf: (key: string) => Span | undefined): Failure[] {
  const { talosVersion, kubernetesVersion } = defaultVersions(cluster);
  const talos = spanOf('talos_version');
  const minor = talosMinorOf(talosVersion);
  if (minor === undefined) {
    return [
      configFailure('config/unsupported-talos', { version: talosVersion, known: knownMinors }, talos ? { where: placeOf(talos) } : {}),
    ];
  }
  const [lowest, highest] = compatibility[minor].kubernetes;
  const kubernetes = cluster.kubernetes_version ?? kubernetesVersion;
  const wanted = `${minorOf(kubernetes)}.0`;
  if (compareVersions(wanted, `${lowest}.0`) >= 0 && compareVersions(wanted, `${highest}.0`) <= 0) return [];
  const place = spanOf('kubernetes_version') ?? talos;
  const related = place !== talos && talos ? [relatedPlace(talos, `Talos ${talosVersion} is asked for here`)] : [];
  const facts = { talos: talosVersion, kubernetes, lowest, highest };
  return [configFailure('config/incompatible-kubernetes', facts, place ? { where: placeOf(place, related) } : {})];
}
