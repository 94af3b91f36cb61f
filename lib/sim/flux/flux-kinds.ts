import { ensureDefinition } from '../kube/operators.ts';
import { apiVersionOf, type Kind } from '../kube/kinds.ts';
import type { KubeState } from '../kube/state.ts';

export const group = {
  source: 'source.toolkit.fluxcd.io',
  kustomize: 'kustomize.toolkit.fluxcd.io',
  helm: 'helm.toolkit.fluxcd.io',
  notification: 'notification.toolkit.fluxcd.io',
};

/** Group, kind, plural, versions, short name. */
export const fluxKinds = [
  [group.source, 'GitRepository', 'gitrepositories', 'v1', 'gitrepo'],
  [group.source, 'OCIRepository', 'ocirepositories', 'v1,v1beta2', 'ocirepo'],
  [group.source, 'HelmRepository', 'helmrepositories', 'v1', 'helmrepo'],
  [group.source, 'HelmChart', 'helmcharts', 'v1', 'hc'],
  [group.source, 'Bucket', 'buckets', 'v1', ''],
  [group.source, 'ExternalArtifact', 'externalartifacts', 'v1', ''],
  [group.kustomize, 'Kustomization', 'kustomizations', 'v1', 'ks'],
  [group.helm, 'HelmRelease', 'helmreleases', 'v2', 'hr'],
  [group.notification, 'Receiver', 'receivers', 'v1', ''],
  [group.notification, 'Alert', 'alerts', 'v1beta3', ''],
  [group.notification, 'Provider', 'providers', 'v1beta3', ''],
] as const;

/** The minor of Flux that took a version out. Source: CHANGELOG.md of source-controller and kustomize-controller 1.8, helm-controller 1.4 and 1.5 */
const removedIn: readonly (readonly [group: string, version: string, minor: number])[] = [
  [group.source, 'v1beta2', 8],
  [group.kustomize, 'v1beta2', 8],
  [group.helm, 'v2beta2', 8],
  [group.helm, 'v2beta1', 7],
];

/** `distribution` is the version of Flux that an instance asks for: `2.6.1`; `2.x` and nothing are the newest. */
export function ensureFluxKinds(state: KubeState, distribution = ''): void {
  const minor = Number(/^v?2\.(\d+)/.exec(distribution)?.[1] ?? Number.POSITIVE_INFINITY);
  const earlier = (itsGroup: string) => removedIn.flatMap(([of, version, gone]) => (of === itsGroup && minor < gone ? [version] : []));
  for (const [itsGroup, kind, plural, versions, short] of fluxKinds)
    ensureDefinition(state, {
      group: itsGroup,
      kind,
      plural,
      versions: [...new Set([...versions.split(','), ...earlier(itsGroup)])],
      scope: 'Namespaced',
      shortNames: short === '' ? [] : [short],
    });
}

/** Groups whose earlier versions an API server serves when its `runtime-config` says so, as machine configs of many repositories do. */
const earlierVersions = /^(?:admissionregistration|resource)\.k8s\.io\/v1(?:alpha|beta)\d+$/;

/** Any kind that the API serves; undefined when its definition is missing. An earlier version of a built-in kind is the one that is served. */
export function kindFor(state: KubeState, apiVersion: string, kind: string): Kind | undefined {
  const served = state.kinds('-').filter((one) => one.kind === kind);
  const exact = served.find((one) => apiVersionOf(one) === apiVersion);
  if (exact !== undefined || !earlierVersions.test(apiVersion)) return exact;
  return served.find((one) => one.definition === undefined && apiVersion.startsWith(`${one.group}/`));
}

/** The first served version of a kind of Flux. */
export const fluxKind = (state: KubeState, itsGroup: string, kind: string): Kind | undefined =>
  state.kinds('-').find((one) => one.kind === kind && one.group === itsGroup);
