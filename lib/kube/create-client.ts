import { type Clock, type Dial, type HttpTarget, type Json, type Secret, TkError } from '../base/index.ts';
import type { ApplyOptions, KubeReader, KubeWriter, ListOptions, ObjectList, Patch, RetryObserver } from './client.ts';
import { createDiscovery } from './discovery.ts';
import { kubeFailure, type RequestFacts } from './failures.ts';
import { fieldsAt, isFields, type KindRef, type KubeObject, listAt, type ObjectRef, refOf, textAt } from './object.ts';
import { createRequester, type Request, textIn } from './requester.ts';
import { watchObjects } from './watch.ts';

export interface ClientOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  /** From `targetOf(kubeconfig)`, or put together: one API server with this cluster's CA and a client certificate. */
  readonly target: HttpTarget;
  /** Bearer token; instead of a client certificate. */
  readonly token?: Secret<string>;
  /** For one request with its whole answer. Default 15 s. */
  readonly requestTimeoutMs?: number;
  /** Shorter than the table of retries says; 0 never repeats. */
  readonly retryForMs?: number;
  readonly onRetry?: RetryObserver;
}

const pageSize = 500;

/** A client that cannot change anything: what a plan and a dry run get. */
export function createKubeReader(options: ClientOptions): KubeReader {
  const { server, version, ready, capabilities, serves, groupVersions, resource, get, list, watch, preview, previewReplace, read } =
    createKubeClient(options);
  return { server, version, ready, capabilities, serves, groupVersions, resource, get, list, watch, preview, previewReplace, read };
}

/** Nothing is dialled before the first call. */
export function createKubeClient(options: ClientOptions): KubeWriter {
  const { token } = options;
  const requester = createRequester({ ...options, ...(token === undefined ? {} : { authorization: () => `Bearer ${token.reveal()}` }) });
  const { server } = requester;
  const discovery = createDiscovery(requester);

  const collectionOf = async (kind: KindRef, namespace: string | undefined, signal: AbortSignal): Promise<string> => {
    const resource = await discovery.resource(kind, signal);
    const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
    return resource.isNamespaced && namespace !== undefined
      ? `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`
      : `${root}/${resource.plural}`;
  };
  const pathOf = async (ref: ObjectRef, signal: AbortSignal): Promise<string> =>
    `${await collectionOf(ref, ref.namespace ?? 'default', signal)}/${encodeURIComponent(ref.name)}`;
  const factsOf = (verb: string, ref: KindRef & Partial<ObjectRef>): Omit<RequestFacts, 'server'> => ({
    verb,
    kind: ref.kind,
    ...(ref.name === undefined ? {} : { name: ref.name }),
    ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }),
  });
  const notServed = ({ apiVersion, kind }: KindRef) => kubeFailure('kube/kind-not-served', { server, apiVersion, kind });
  const objectFrom = async (request: Request, signal: AbortSignal): Promise<KubeObject> => {
    const value = await requester.json(request, signal);
    if (isFields(value) && isFields(value.metadata)) return value as unknown as KubeObject;
    throw new TkError(
      kubeFailure('kube/malformed-answer', { server, path: request.path, status: 200, reason: 'the body is not an object of Kubernetes' }),
    );
  };

  const sendApply = async (
    verb: string,
    object: KubeObject,
    { fieldManager, force }: ApplyOptions,
    dryRun: boolean,
    signal: AbortSignal,
  ) => {
    const ref = refOf(object);
    const query = new URLSearchParams({ fieldManager, ...(force === true ? { force: 'true' } : {}), ...(dryRun ? { dryRun: 'All' } : {}) });
    const { managedFields: _ours, ...metadata } = object.metadata;
    return objectFrom(
      {
        facts: factsOf(verb, ref),
        method: 'PATCH',
        path: `${await pathOf(ref, signal)}?${query}`,
        contentType: 'application/apply-patch+yaml',
        body: { ...object, metadata } as Json,
        repeat: 'always',
        unknownPath: notServed(ref),
      },
      signal,
    );
  };

  const sendReplace = async (object: KubeObject, dryRun: boolean, signal: AbortSignal) => {
    const ref = refOf(object);
    return objectFrom(
      {
        facts: factsOf(dryRun ? 'preview' : 'replace', ref),
        method: 'PUT',
        path: `${await pathOf(ref, signal)}${dryRun ? '?dryRun=All' : ''}`,
        body: object as Json,
        repeat: dryRun ? 'always' : 'not-sent',
        unknownPath: notServed(ref),
      },
      signal,
    );
  };

  const list = async (kind: KindRef, listOptions: ListOptions, signal: AbortSignal): Promise<ObjectList> => {
    for (;;) {
      const collection = await collectionOf(kind, listOptions.namespace, signal);
      const items: KubeObject[] = [];
      let next: string | undefined;
      try {
        for (;;) {
          const query = new URLSearchParams({
            ...selectorsOf(listOptions),
            limit: String(pageSize),
            ...(next === undefined ? {} : { continue: next }),
          });
          const page = await requester.json(
            {
              facts: factsOf('list', { ...kind, ...listOptions }),
              method: 'GET',
              path: `${collection}?${query}`,
              repeat: 'always',
              unknownPath: notServed(kind),
            },
            signal,
          );
          for (const item of listAt(page, 'items'))
            items.push({ ...fieldsAt(item), apiVersion: kind.apiVersion, kind: kind.kind } as unknown as KubeObject);
          const metadata = fieldsAt(page, 'metadata');
          next = textAt(metadata, 'continue');
          if (next === undefined || next === '') return { items, resourceVersion: textAt(metadata, 'resourceVersion') ?? '' };
        }
      } catch (error) {
        // The pages of one list belong together: when the server forgot the first, all are read again.
        if (next === undefined || !(error instanceof TkError) || error.failure.code !== 'kube/expired') throw error;
      }
    }
  };

  return {
    server,
    version: discovery.version,
    capabilities: discovery.capabilities,
    serves: discovery.serves,
    groupVersions: discovery.groupVersions,
    resource: discovery.resource,
    list,
    async ready(signal) {
      await requester.send({ facts: { verb: 'get', kind: '/readyz' }, method: 'GET', path: '/readyz?verbose', repeat: 'never' }, signal);
    },
    async get(ref, signal) {
      try {
        return await objectFrom({ facts: factsOf('get', ref), method: 'GET', path: await pathOf(ref, signal), repeat: 'always' }, signal);
      } catch (error) {
        if (error instanceof TkError && (error.failure.code === 'kube/not-found' || error.failure.code === 'kube/kind-not-served'))
          return undefined;
        throw error;
      }
    },
    async read(path, signal) {
      const { body } = await requester.send(
        { facts: { verb: 'get', kind: path.replace(/\?.*/, '') }, method: 'GET', path, accept: '*/*', repeat: 'always' },
        signal,
      );
      return textIn(body);
    },
    watch: (kind, watchOptions, signal) =>
      watchObjects(
        { requester, clock: options.clock, list, collection: () => collectionOf(kind, watchOptions.namespace, signal) },
        kind,
        watchOptions,
        signal,
      ),
    preview: (object, applyOptions, signal) => sendApply('preview', object, applyOptions, true, signal),
    apply: (object, applyOptions, signal) => sendApply('apply', object, applyOptions, false, signal),
    async create(object, signal) {
      const { namespace = 'default' } = object.metadata;
      return objectFrom(
        {
          facts: factsOf('create', refOf(object)),
          method: 'POST',
          path: await collectionOf(object, namespace, signal),
          body: object as Json,
          repeat: 'not-sent',
          unknownPath: notServed(object),
        },
        signal,
      );
    },
    replace: (object, signal) => sendReplace(object, false, signal),
    previewReplace: (object, signal) => sendReplace(object, true, signal),
    async patch(ref, patch, signal) {
      const query = patch.fieldManager === undefined ? '' : `?${new URLSearchParams({ fieldManager: patch.fieldManager })}`;
      return objectFrom(
        {
          facts: factsOf('patch', ref),
          method: 'PATCH',
          path: `${await pathOf(ref, signal)}${patch.subresource === undefined ? '' : `/${patch.subresource}`}${query}`,
          contentType: patchTypes[patch.type],
          body: patch.value as Json,
          // A JSON patch may add to a list, and twice is once too often.
          repeat: patch.type === 'json' ? 'not-sent' : 'always',
          unknownPath: notServed(ref),
        },
        signal,
      );
    },
    async delete(ref, { propagation = 'Background', uid, gracePeriodSeconds }, signal) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: propagation,
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      };
      try {
        await requester.send(
          { facts: factsOf('delete', ref), method: 'DELETE', path: await pathOf(ref, signal), body, repeat: 'always' },
          signal,
        );
        return true;
      } catch (error) {
        if (isGone(error)) return false;
        throw error;
      }
    },
    async evict({ namespace, name, uid }, { gracePeriodSeconds }, signal) {
      const deleteOptions = {
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      };
      const body = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace },
        ...(Object.keys(deleteOptions).length === 0 ? {} : { deleteOptions }),
      };
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`;
      try {
        await requester.send(
          { facts: { verb: 'evict', kind: 'Pod', namespace, name }, method: 'POST', path, body, repeat: 'never' },
          signal,
        );
        return true;
      } catch (error) {
        if (isGone(error)) return false;
        throw error;
      }
    },
  };
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const satisfies Record<Patch['type'], string>;

/** Not there, or another object of the same name is there now. */
const isGone = (error: unknown): boolean =>
  error instanceof TkError &&
  (error.failure.code === 'kube/not-found' ||
    error.failure.code === 'kube/kind-not-served' ||
    (error.failure.code === 'kube/stale' && /the UID in the precondition/.test(String(error.failure.facts.message))));

export const selectorsOf = ({ labelSelector, fieldSelector }: ListOptions): Record<string, string> => ({
  ...(labelSelector === undefined ? {} : { labelSelector }),
  ...(fieldSelector === undefined ? {} : { fieldSelector }),
});
