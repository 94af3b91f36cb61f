import { type Json, TkError } from '../base/index.ts';
import type { ApiResource, Capabilities, ServerVersion } from './client.ts';
import { kubeFailure } from './failures.ts';
import { type Fields, fieldsAt, type KindRef, listAt, textAt } from './object.ts';
import type { Requester } from './requester.ts';

export interface Discovery {
  /** Failure: `kube/kind-not-served`, after a second look. */
  resource(kind: KindRef, signal: AbortSignal): Promise<ApiResource>;
  /** Asks this server now. */
  serves(kind: KindRef, signal: AbortSignal): Promise<boolean>;
  groupVersions(signal: AbortSignal): Promise<ReadonlySet<string>>;
  version(signal: AbortSignal): Promise<ServerVersion>;
  capabilities(signal: AbortSignal): Promise<Capabilities>;
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

export function createDiscovery(requester: Requester): Discovery {
  const cache = new Map<string, readonly ApiResource[]>();
  const pathOf = (apiVersion: string) => (apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`);
  const read = (path: string, accept: string | undefined, signal: AbortSignal) =>
    requester.json(
      { facts: { verb: 'discover', kind: path }, method: 'GET', path, repeat: 'always', ...(accept === undefined ? {} : { accept }) },
      signal,
    );

  const load = async (apiVersion: string, signal: AbortSignal): Promise<readonly ApiResource[]> => {
    try {
      const found = resourcesOf(apiVersion, await read(pathOf(apiVersion), undefined, signal));
      cache.set(apiVersion, found);
      return found;
    } catch (error) {
      // A group that nobody serves is an unknown path, in words or in plain text.
      if (!(error instanceof TkError) || error.failure.code !== 'kube/not-found') throw error;
      cache.delete(apiVersion);
      return [];
    }
  };

  const groupVersions = async (signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const groups = listAt(await read('/apis', undefined, signal), 'groups');
    return new Set(groups.flatMap((group) => listAt(group, 'versions').map((version) => textAt(fieldsAt(version), 'groupVersion') ?? '')));
  };

  const legacyCapabilities = async (signal: AbortSignal): Promise<Set<string>> => {
    const versions = [...listAt(await read('/api', undefined, signal), 'versions').map(String), ...(await groupVersions(signal))];
    const found = new Set<string>();
    for (const apiVersion of versions) {
      found.add(apiVersion);
      for (const resource of await load(apiVersion, signal)) found.add(`${apiVersion}/${resource.kind}`);
    }
    return found;
  };

  const version = async (signal: AbortSignal): Promise<ServerVersion> => {
    const fields = fieldsAt(await read('/version', undefined, signal));
    return { major: textAt(fields, 'major') ?? '', minor: textAt(fields, 'minor') ?? '', gitVersion: textAt(fields, 'gitVersion') ?? '' };
  };

  return {
    version,
    groupVersions,
    async resource(kind, signal) {
      const match = (resources: readonly ApiResource[] | undefined) => resources?.find((resource) => resource.kind === kind.kind);
      const found = match(cache.get(kind.apiVersion)) ?? match(await load(kind.apiVersion, signal));
      if (found) return found;
      throw new TkError(kubeFailure('kube/kind-not-served', { server: requester.server, apiVersion: kind.apiVersion, kind: kind.kind }));
    },
    serves: async (kind, signal) => (await load(kind.apiVersion, signal)).some((resource) => resource.kind === kind.kind),
    async capabilities(signal) {
      const kubeVersion = await version(signal);
      const roots = [await read('/api', aggregated, signal), await read('/apis', aggregated, signal)];
      const found = roots.every((root) => textAt(fieldsAt(root), 'kind') === 'APIGroupDiscoveryList')
        ? new Set(roots.flatMap(aggregatedVersions))
        : await legacyCapabilities(signal);
      return { kubeVersion, apiVersions: [...found].sort() };
    },
  };
}

/** Source: k8s.io/api/apidiscovery/v2 */
function aggregatedVersions(root: Json): string[] {
  const found: string[] = [];
  for (const group of listAt(root, 'items')) {
    const name = textAt(fieldsAt(group, 'metadata'), 'name');
    for (const version of listAt(group, 'versions')) {
      const text = textAt(fieldsAt(version), 'version') ?? '';
      const apiVersion = name === undefined || name === '' ? text : `${name}/${text}`;
      found.push(apiVersion);
      for (const resource of listAt(version, 'resources')) {
        const kind = textAt(fieldsAt(resource, 'responseKind'), 'kind');
        if (kind !== undefined) found.push(`${apiVersion}/${kind}`);
      }
    }
  }
  return found;
}

function resourcesOf(apiVersion: string, list: Json): ApiResource[] {
  const found: ApiResource[] = [];
  for (const item of listAt(list, 'resources')) {
    const fields: Fields = fieldsAt(item);
    const plural = textAt(fields, 'name') ?? '';
    if (plural.includes('/')) continue;
    found.push({
      apiVersion,
      kind: textAt(fields, 'kind') ?? '',
      plural,
      isNamespaced: fields.namespaced === true,
      verbs: listAt(item, 'verbs').map(String),
    });
  }
  return found;
}
