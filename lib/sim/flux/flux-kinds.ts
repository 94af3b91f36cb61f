import { ensureDefinition } from '../kube/operators.ts';
import type { Kind } from '../kube/kinds.ts';
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

/** Any kind that the API serves; undefined when its definition is missing. */
export const kindFor = (state: KubeState, apiVersion: string, kind: string): Kind | undefined =>
  state.kinds('-').find((one) => one.kind === kind && (one.group === '' ? one.version : `${one.group}/${one.version}`) === apiVersion);

/** The first served version of a kind of Flux. */
export const fluxKind = (state: KubeState, itsGroup: string, kind: string): Kind | undefined =>
  state.kinds('-').find((one) => one.kind === kind && one.group === itsGroup);
