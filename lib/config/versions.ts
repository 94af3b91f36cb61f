import { type Failure, placeOf, relatedPlace, type Span } from '../base/index.ts';
import { compareVersions, type DataDocument, type DataPath, minorOf, versionOf } from '../format/index.ts';
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

interface VersionedNode {
  readonly read: { readonly values: Readonly<Record<string, unknown>>; readonly paths: ReadonlyMap<string, DataPath> };
  readonly document: DataDocument;
}

/** Each Talos that a node would run is one that tk knows, and takes this Kubernetes. */
export function checkVersions(
  cluster: Partial<ClusterInput>,
  spanOf: (key: string) => Span | undefined,
  nodes: readonly VersionedNode[],
): Failure[] {
  const failures: Failure[] = [];
  const { talosVersion, kubernetesVersion } = defaultVersions(cluster);
  const asked = [
    { talos: talosVersion, span: spanOf('talos_version') },
    ...nodes.flatMap(({ read, document }) => {
      const path = read.paths.get('talos_version');
      return path ? [{ talos: String(read.values['talos_version']), span: document.spanOf(path) }] : [];
    }),
  ];
  const kubernetes = cluster.kubernetes_version ?? kubernetesVersion;
  for (const { talos, span } of asked) {
    if (!versionOf(talos)) continue;
    const minor = minorOf(talos);
    const range = knownMinors.includes(minor) ? kubernetesRanges[minor] : undefined;
    if (!range) {
      const where = span ? { where: placeOf(span) } : {};
      failures.push(configFailure('config/unsupported-talos', { version: talos, known: knownMinors }, where));
      continue;
    }
    const within = minorOf(kubernetes);
    const tooOld = compareVersions(`${within}.0`, `${range.lowest}.0`) < 0;
    if (!tooOld && compareVersions(`${within}.0`, `${range.highest}.0`) <= 0) continue;
    const facts = { talos, kubernetes, lowest: range.lowest, highest: range.highest };
    const place = spanOf('kubernetes_version') ?? span;
    const related = place !== span && span ? [relatedPlace(span, `Talos ${talos} is asked for here`)] : [];
    failures.push(configFailure('config/incompatible-kubernetes', facts, place ? { where: placeOf(place, related) } : {}));
  }
  return failures;
}
