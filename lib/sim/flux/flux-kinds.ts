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

export function ensureFluxKinds(state: KubeState): void {
  for (const [itsGroup, kind, plural, versions, short] of fluxKinds)
    ensureDefinition(state, {
      group: itsGroup,
      kind,
      plural,
      versions: versions.split(','),
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
