import { type Failure, placeOf, relatedPlace, type Span } from '../base/index.ts';
import { compareVersions, minorOf } from '../format/index.ts';
import { defaultKubernetes, kubernetesRanges, newestTalos } from '../upstream/index.ts';
import { configFailure } from './failures.ts';
import type { ClusterInput } from './schema.ts';
import type { Defaults } from './template-data.ts';

/** Talos releases whose machine configurations tk writes. */
const knownMinors: readonly string[] = Object.keys(defaultKubernetes);

/** The newest of both, or the Kubernetes that goes with the Talos that was asked for. */
export function defaultVersions(cluster: Partial<ClusterInput>): Defaults {
  const talosVersion = cluster.talos_version ?? newestTalos;
  return { talosVersion, kubernetesVersion: defaultKubernetes[minorOf(talosVersion)] ?? defaultKubernetes[minorOf(newestTalos)] ?? '' };
}

/** Talos is one that tk knows, and takes this Kubernetes. */
export function checkVersions(cluster: Partial<ClusterInput>, spanOf: (key: string) => Span | undefined): Failure[] {
  const { talosVersion, kubernetesVersion } = defaultVersions(cluster);
  const talos = spanOf('talos_version');
  const minor = minorOf(talosVersion);
  const range = knownMinors.includes(minor) ? kubernetesRanges[minor] : undefined;
  if (!range) {
    return [
      configFailure('config/unsupported-talos', { version: talosVersion, known: knownMinors }, talos ? { where: placeOf(talos) } : {}),
    ];
  }
  const kubernetes = cluster.kubernetes_version ?? kubernetesVersion;
  const isTooOld = compareVersions(`${minorOf(kubernetes)}.0`, `${range.lowest}.0`) < 0;
  if (!isTooOld && compareVersions(`${minorOf(kubernetes)}.0`, `${range.highest}.0`) <= 0) return [];
  const facts = { talos: talosVersion, kubernetes, lowest: range.lowest, highest: range.highest };
  const place = spanOf('kubernetes_version') ?? talos;
  const related = place !== talos && talos ? [relatedPlace(talos, `Talos ${talosVersion} is asked for here`)] : [];
  return [configFailure('config/incompatible-kubernetes', facts, place ? { where: placeOf(place, related) } : {})];
}
