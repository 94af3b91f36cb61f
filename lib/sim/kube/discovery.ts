import { apiVersionOf, type Kind } from './kinds.ts';
import type { Obj, Value } from './value.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const exceptions: Readonly<Record<string, string[]>> = {
  componentstatuses: ['get', 'list'],
  namespaces: verbs.filter((verb) => verb !== 'deletecollection'),
};
const customVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const verbsOf = (kind: Kind): string[] =>
  (kind.group === '' ? exceptions[kind.plural] : undefined) ??
  (kind.isVirtual ? ['create'] : kind.definition === undefined ? verbs : customVerbs);
const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

const subresourceKinds: Readonly<Record<string, { group: string; version: string; kind: string }>> = {
  scale: scaleKind,
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction' },
  token: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
  binding: { group: '', version: 'v1', kind: 'Binding' },
};
const subresourceVerbs: Readonly<Record<string, readonly string[]>> = {
  eviction: ['create'],
  token: ['create'],
  binding: ['create'],
  log: ['get'],
  finalize: ['update'],
};

/** `/api/v1`, `/apis/<group>/<version>`; undefined when nothing of it is served. */
export function resourceList(kinds: readonly Kind[], apiVersion: string): Obj | undefined {
  const mine = kinds.filter((kind) => apiVersionOf(kind) === apiVersion);
  if (mine.length === 0) return undefined;
  const resources: Obj[] = [];
  for (const kind of mine) {
    resources.push({
      name: kind.plural,
      singularName: kind.singular,
      namespaced: kind.isNamespaced,
      kind: kind.kind,
      verbs: verbsOf(kind),
      ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
      ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
    });
    for (const name of kind.subresources) {
      const other = subresourceKinds[name];
      resources.push({
        name: `${kind.plural}/${name}`,
        singularName: '',
        namespaced: kind.isNamespaced,
        ...(other === undefined ? {} : { group: other.group, version: other.version }),
        kind: other?.kind ?? kind.kind,
        verbs: [...(subresourceVerbs[name] ?? ['get', 'patch', 'update'])],
      });
    }
  }
  resources.sort((a, b) => ((a.name as string) < (b.name as string) ? -1 : 1));
  return { kind: 'APIResourceList', ...(apiVersion === 'v1' ? {} : { apiVersion: 'v1' }), groupVersion: apiVersion, resources };
}

const groupsOf = (kinds: readonly Kind[]): Map<string, string[]> => {
  const groups = new Map<string, string[]>();
  for (const { group, version } of kinds) {
    const versions = groups.get(group) ?? [];
    groups.set(group, versions);
    if (!versions.includes(version)) versions.push(version);
  }
  return groups;
};

function apiGroup(name: string, versions: readonly string[]): Obj {
  const all = versions.map((version): Obj => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] as Value };
}

export const apiVersions = (host: string): Obj => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: host }],
});

export function groupList(kinds: readonly Kind[]): Obj {
  const groups = [...groupsOf(kinds)].filter(([name]) => name !== '').map(([name, versions]) => apiGroup(name, versions));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

export function oneGroup(kinds: readonly Kind[], name: string): Obj | undefined {
  const versions = groupsOf(kinds).get(name);
  return versions && { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(name, versions) };
}

/** Source: k8s.io/api/apidiscovery/v2 types.go */
export function aggregatedDiscovery(kinds: readonly Kind[], isCore: boolean): Obj {
  const items = [...groupsOf(kinds)]
    .filter(([name]) => (name === '') === isCore)
    .map(
      ([name, versions]): Obj => ({
        metadata: { ...(name === '' ? {} : { name }), creationTimestamp: null },
        versions: versions.map((version) => ({
          version,
          resources: kinds.filter((kind) => kind.group === name && kind.version === version).map(aggregatedResource),
          freshness: 'Current',
        })),
      }),
    );
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedResource(kind: Kind): Obj {
  const { group, version } = kind;
  return {
    resource: kind.plural,
    responseKind: { group, version, kind: kind.kind },
    scope: kind.isNamespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: verbsOf(kind),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
    ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
    ...(kind.subresources.length === 0
      ? {}
      : {
          subresources: kind.subresources.map(
            (name): Obj => ({
              subresource: name,
              responseKind: subresourceKinds[name] ?? { group, version, kind: kind.kind },
              verbs: [...(subresourceVerbs[name] ?? ['get', 'patch', 'update'])],
            }),
          ),
        }),
  };
}
