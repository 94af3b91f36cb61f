import { type ClientCertificate, type HttpHandler, type HttpServerRequest, type HttpServerResponse, remembered } from '../../base/index.ts';
import { isTrusted } from '../certificates.ts';
import { aggregatedDiscovery, apiVersions, groupList, oneGroup, resourceList } from './discovery.ts';
import {
  ApiError,
  expired,
  forbidden,
  methodNotAllowed,
  invalidOptions,
  notFound,
  staleObject,
  statusOf,
  unauthorized,
  unknownResource,
} from './errors.ts';
import { evict } from './eviction.ts';
import { apiVersionOf, builtIn, builtInKinds, type Kind, resourceName } from './kinds.ts';
import { openApiV2, openApiV3, openApiV3Root } from './openapi.ts';
import { type Attributes, isAllowed } from './rbac.ts';
import {
  actorOf,
  agentOf,
  bodyOf,
  decodeContinue,
  deleteRequestOf,
  isTrue,
  parseRoute,
  patchKindOf,
  type Route,
  valueOf,
  wantsTable,
} from './request.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { definitionVersion, type KubeState } from './state.ts';
import { labelsText, tableOf } from './table.ts';
import { listAt, numberAt, type Obj, objAt, textAt, type Value } from './value.ts';
import { watchLines } from './watch.ts';
import type { Actor, Place, Writes } from './writes.ts';

const mostLists = 200;
const definitionKind = builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition');

/**
 * The kube-apiserver on one control plane. All of them stand on one state; what differs is which new kinds they serve already.
 * Source: apiserver pkg/endpoints/installer.go, pkg/endpoints/handlers, pkg/server/healthz
 */
export function createApiServer(state: KubeState, writes: Writes, node: string, versionOf: () => string): HttpHandler {
  /** By path: whoever polls gets the same bytes until something changes. */
  const listsBefore = new Map<string, { readonly revision: number; readonly response: HttpServerResponse }>();

  return async (request) => {
    try {
      const response = await answer(request);
      if (request.method !== 'GET') await state.kernel.commit();
      return response;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return json(error.code, statusOf(error), error.code === 429 || error.code === 503 ? { 'retry-after': '1' } : {});
    }
  };

  async function answer(request: HttpServerRequest): Promise<HttpServerResponse> {
    if (!state.host.apiServerRuns(node)) return plain(503, 'the API server is not running\n');
    const url = urlOf(request.path);
    const fault = state.kernel.fault('kube/request', { node, method: request.method, path: url.pathname });
    if (fault?.kind === 'throttled')
      throw new ApiError(429, 'TooManyRequests', 'the server has received too many requests and has asked us to try again later', {
        retryAfterSeconds: 1,
      });
    if (fault?.kind === 'unavailable')
      throw new ApiError(503, 'ServiceUnavailable', 'apiserver is shutting down', { retryAfterSeconds: 1 });
    const client = authenticate(request);
    const health = /^\/(healthz|livez|readyz)$/.exec(url.pathname);
    if (health) return healthOf(health[1] as string, url.searchParams.has('verbose'));
    const document = await documentAt(request, url);
    if (document !== undefined) return document;
    const route = parseRoute(url.pathname);
    if (!route) return plain(404, '404 page not found\n');
    const kind = kindsByName(state.kinds(node)).get(`${route.apiVersion} ${route.plural}`);
    if (!kind || (route.namespace !== undefined && !kind.isNamespaced)) {
      if (builtInKinds.some((one) => apiVersionOf(one) === route.apiVersion)) throw unknownResource();
      return plain(404, '404 page not found\n');
    }
    authorize(request, client, kind, route, url);
    if (!state.host.etcdHasQuorum()) throw new ApiError(500, '', 'etcdserver: request timed out');
    if (fault?.kind === 'conflict' && (request.method === 'PATCH' || request.method === 'PUT')) throw staleObject(kind, route.name);
    return resource(request, url, kind, route);
  }

  /** Ring A and ring B both let a certificate of another CA through to here. */
  function authenticate({ client, headers }: HttpServerRequest): ClientCertificate {
    const ca = state.host.kubernetesCa();
    if (!client || ca === undefined || !isTrusted(client.pem, ca)) throw unauthorized();
    const other = headers['impersonate-user'];
    if (other === undefined || !client.organizations.includes('system:masters')) return client;
    return { pem: client.pem, commonName: other, organizations: [] };
  }

  function authorize({ method }: HttpServerRequest, client: ClientCertificate, kind: Kind, route: Route, url: URL): void {
    const single: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
    const collection: Readonly<Record<string, string>> = {
      GET: url.searchParams.has('watch') ? 'watch' : 'list',
      POST: 'create',
      DELETE: 'deletecollection',
    };
    const verb = (route.name === '' ? collection : single)[method] ?? method.toLowerCase();
    // A namespace lies in itself, as far as roles go.
    const namespace = route.namespace ?? (kind.kind === 'Namespace' && kind.group === '' ? route.name : '');
    const attributes: Attributes = {
      verb,
      resource: kind.plural,
      group: kind.group,
      namespace,
      name: route.name,
      path: url.pathname,
    };
    if (isAllowed(state, client, attributes)) return;
    const where = namespace === '' ? ' at the cluster scope' : ` in the namespace "${namespace}"`;
    throw forbidden(
      `${resourceName(kind)}${route.name === '' ? '' : ` "${route.name}"`} is forbidden: User "${client.commonName}" cannot ${verb} resource "${kind.plural}" in API group "${kind.group}"${where}`,
      kind,
      route.name,
    );
  }

  function healthOf(which: string, verbose: boolean): HttpServerResponse {
    const isFine = state.host.etcdHasQuorum() || which === 'livez';
    const lines = ['[+]ping ok', '[+]log ok', isFine ? '[+]etcd ok' : '[-]etcd failed: reason withheld'];
    if (which === 'readyz') lines.push('[+]informer-sync ok', '[+]poststarthook/start-apiextensions-controllers ok', '[+]shutdown ok');
    if (!isFine) return plain(500, `${lines.join('\n')}\n${which} check failed\n`);
    return plain(200, verbose ? `${lines.join('\n')}\n${which} check passed\n` : 'ok');
  }

  async function documentAt({ headers, method }: HttpServerRequest, url: URL): Promise<HttpServerResponse | undefined> {
    if (method !== 'GET') return undefined;
    const kinds = () => state.kinds(node);
    const { pathname } = url;
    const wantsAggregated = /as=APIGroupDiscoveryList/.test(headers.accept ?? '');
    const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    switch (url.pathname) {
      case '/version': {
        const gitVersion = versionOf();
        const [, major = '1', minor = '0'] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
        return json(200, {
          major,
          minor,
          gitVersion,
          gitCommit: 'simulated',
          gitTreeState: 'clean',
          buildDate: '1970-01-01T00:00:00Z',
          goVersion: 'go1.26',
          compiler: 'gc',
          platform: 'linux/amd64',
        });
      }
      case '/api':
        return wantsAggregated
          ? json(200, aggregatedDiscovery(kinds(), true), { 'content-type': aggregatedType })
          : json(200, apiVersions(headers.host ?? ''));
      case '/apis':
        return wantsAggregated
          ? json(200, aggregatedDiscovery(kinds(), false), { 'content-type': aggregatedType })
          : documentOf(kinds(), pathname, groupList);
      case '/openapi/v2':
        return json(200, openApiV2(versionOf()));
      case '/openapi/v3':
        return json(200, openApiV3Root(kinds()));
      default: {
        const [, first, second, third] = pathname.split('/');
        const depth = pathname.replace(/\/$/, '').split('/').length - 1;
        if (first === 'openapi' && second === 'v3') return orUnknown(openApiV3(kinds(), pathname.replace(/^\/openapi\/v3\/apis?\//, '')));
        if (first === 'api' && depth === 2) return documentOf(kinds(), pathname, (all) => resourceList(all, second ?? ''));
        if (first === 'apis' && depth === 2) return documentOf(kinds(), pathname, (all) => oneGroup(all, second ?? ''));
        if (first === 'apis' && depth === 3) return documentOf(kinds(), pathname, (all) => resourceList(all, `${second}/${third}`));
        return undefined;
      }
    }
  }

  async function resource(request: HttpServerRequest, url: URL, kind: Kind, route: Route): Promise<HttpServerResponse> {
    const { method } = request;
    if (kind.isVirtual) return json(201, review(kind, bodyOf(request), request));
    const place: Place = { kind, namespace: route.namespace ?? '', name: route.name, subresource: route.subresource };
    const warnings: string[] = [];
    const actor = actorOf(request, url, warnings);
    const done = (status: number, object: Obj): HttpServerResponse => {
      const rendered = render(request, kind, object);
      if (warnings.length === 0 && rendered === object) return { status, headers: jsonHeaders, body: bytesOf(object) };
      return json(
        status,
        rendered,
        warnings.length === 0 ? {} : { warning: warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ') },
      );
    };
    if (route.subresource !== '' && !kind.subresources.includes(route.subresource))
      throw kind.definition === undefined ? unknownResource() : notFound(kind, route.name);
    switch (route.subresource) {
      case '':
      case 'status':
        break;
      case 'eviction':
        evict(state, writes, place, bodyOf(request), actor.isDryRun);
        return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
      case 'log':
        if (!state.get(kind, place.namespace, place.name)) throw notFound(kind, place.name);
        return plain(200, '');
      case 'scale':
        return scale(request, place, actor);
      case 'token':
        return json(201, { ...bodyOf(request), status: { token: 'simulated', expirationTimestamp: state.timestamp() } });
      default:
        throw methodNotAllowed();
    }
    if (route.name === '') {
      if (method === 'GET') return isTrue(url, 'watch') ? watch(request, url, kind, route) : list(request, url, kind, route);
      if (method === 'POST') return done(201, writes.create(place, bodyOf(request), actor));
      if (method === 'DELETE') return deleteAll(request, url, place, actor);
      throw methodNotAllowed();
    }
    switch (method) {
      case 'GET': {
        const found = state.get(kind, place.namespace, place.name);
        if (!found) throw notFound(kind, place.name);
        return done(200, found);
      }
      case 'PUT':
        return done(200, writes.replace(place, bodyOf(request), actor));
      case 'PATCH': {
        const how = patchKindOf(request.headers['content-type'] ?? '');
        if (how === 'apply' && actor.fieldManager === '')
          throw invalidOptions('PatchOptions', {
            reason: 'FieldValueRequired',
            message: 'Required value: is required for apply patch',
            field: 'fieldManager',
          });
        const { object, isNew } = writes.patch(place, how, valueOf(request), isTrue(url, 'force'), {
          ...actor,
          fieldManager: actor.fieldManager || agentOf(request),
        });
        return done(isNew ? 201 : 200, object);
      }
      case 'DELETE':
        return json(200, writes.delete(place, deleteRequestOf(request, url), actor));
      default:
        throw methodNotAllowed();
    }
  }

  function selection(url: URL, kind: Kind): (object: Obj) => boolean {
    const labels = parseLabelSelector(url.searchParams.get('labelSelector') ?? '');
    const fields = parseFieldSelector(url.searchParams.get('fieldSelector') ?? '', kind.kind);
    return (object) => labels(objAt(object, 'metadata', 'labels')) && fields(object);
  }

  function list(request: HttpServerRequest, url: URL, kind: Kind, route: Route): HttpServerResponse {
    const isTable = wantsTable(request);
    const before = isTable ? undefined : listsBefore.get(request.path);
    if (before?.revision === state.revision()) return before.response;
    const matches = selection(url, kind);
    const given = url.searchParams.get('continue');
    const [from, revision] = given ? decodeContinue(given) : [0, state.revision()];
    if (given && state.kernel.fault('kube/list', { kind: kind.kind })?.kind === 'expired')
      throw expired('The provided continue parameter is too old to display a consistent list result.');
    const all = state.list(kind, route.namespace).filter(matches);
    const limit = Number(url.searchParams.get('limit') ?? 0) || all.length;
    const items = all.slice(from, from + limit);
    const left = all.length - from - items.length;
    const metadata: Obj = {
      ...(kind.definition === undefined ? {} : { continue: '' }),
      resourceVersion: String(revision),
      ...(left > 0 ? { continue: Buffer.from(JSON.stringify([from + limit, revision])).toString('base64'), remainingItemCount: left } : {}),
    };
    if (isTable) {
      const { continue: next, ...rest } = metadata;
      return json(200, table(request, url, kind, items, next === '' ? rest : metadata));
    }
    const head = JSON.stringify({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata });
    const texts = items.map((item) => itemText(item, kind.definition === undefined));
    const response = { status: 200, headers: jsonHeaders, body: Buffer.from(`${head.slice(0, -1)},"items":[${texts.join(',')}]}\n`) };
    // A further page may have been forgotten meanwhile.
    if (!given) {
      if (listsBefore.size >= mostLists) listsBefore.clear();
      listsBefore.set(request.path, { revision, response });
    }
    return response;
  }

  function watch(request: HttpServerRequest, url: URL, kind: Kind, route: Route): HttpServerResponse {
    const version = url.searchParams.get('resourceVersion') ?? '';
    const sendsInitial = isTrue(url, 'sendInitialEvents');
    const timeoutMs = (Number(url.searchParams.get('timeoutSeconds') ?? 0) || 1800) * 1000;
    const untilMs = state.kernel.clock.monotonicMs() + timeoutMs;
    // Its firing is what wakes the stream to see that its time is over.
    state.kernel.schedule({ atMs: untilMs, model: 'kube', kind: 'watch-timeout' });
    const since = version === '' || version === '0' || sendsInitial ? undefined : Number(version);
    if (since !== undefined && state.changesSince(since) === undefined)
      throw expired(`too old resource version: ${since} (${state.revision()})`);
    const body = watchLines(state, {
      kind,
      namespace: route.namespace,
      matches: route.name === '' ? selection(url, kind) : (object) => textAt(object, 'metadata', 'name') === route.name,
      since,
      sendsInitial,
      untilMs,
      render: (object) =>
        wantsTable(request)
          ? table(request, url, kind, [object], { resourceVersion: textAt(object, 'metadata', 'resourceVersion') })
          : object,
      isServed: () => state.host.apiServerRuns(node) && state.host.etcdHasQuorum(),
      signal: request.signal,
    });
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }

  function deleteAll(request: HttpServerRequest, url: URL, place: Place, actor: Actor): HttpServerResponse {
    const items = state.list(place.kind, place.namespace === '' ? undefined : place.namespace).filter(selection(url, place.kind));
    for (const item of items)
      writes.delete(
        { ...place, name: textAt(item, 'metadata', 'name'), namespace: textAt(item, 'metadata', 'namespace') },
        deleteRequestOf(request, url),
        actor,
      );
    return json(200, {
      kind: `${place.kind.kind}List`,
      apiVersion: apiVersionOf(place.kind),
      metadata: { ...(place.kind.definition === undefined ? {} : { continue: '' }), resourceVersion: String(state.revision()) },
      items: place.kind.definition === undefined ? items.map(withoutType) : items,
    });
  }

  function scale(request: HttpServerRequest, place: Place, actor: Actor): HttpServerResponse {
    const found = state.get(place.kind, place.namespace, place.name);
    if (!found) throw notFound(place.kind, place.name);
    let current = found;
    if (request.method !== 'GET') {
      const replicas = numberAt(bodyOf(request), 'spec', 'replicas') ?? 0;
      const metadata = objAt(found, 'metadata');
      // Whoever scales does not come to own the number.
      const next: Obj = {
        ...found,
        metadata: { ...metadata, generation: Number(metadata.generation ?? 0) + 1 },
        spec: { ...objAt(found, 'spec'), replicas },
      };
      current = actor.isDryRun ? next : state.put(place.kind, next);
    }
    const { name, namespace = '', uid = '', resourceVersion = '', creationTimestamp = '' } = objAt(current, 'metadata');
    return json(200, {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: name as Value, namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas: numberAt(current, 'spec', 'replicas') ?? 0 },
      status: {
        replicas: numberAt(current, 'status', 'replicas') ?? 0,
        selector: labelsText(objAt(current, 'spec', 'selector', 'matchLabels')),
      },
    });
  }

  function table(_request: HttpServerRequest, url: URL, kind: Kind, items: readonly Obj[], metadata: Obj): Obj {
    const custom =
      kind.definition === undefined
        ? []
        : listAt(definitionVersion(state.get(definitionKind, undefined, kind.definition) ?? {}, kind.version), 'additionalPrinterColumns');
    return tableOf(kind, items, metadata, custom, url.searchParams.get('includeObject') ?? 'Metadata', state.kernel.clock.now());
  }

  function render(request: HttpServerRequest, kind: Kind, object: Obj): Obj {
    if (request.method === 'GET' && wantsTable(request))
      return table(request, new URL(request.path, 'https://kubernetes'), kind, [object], {
        resourceVersion: textAt(object, 'metadata', 'resourceVersion'),
      });
    return object;
  }

  function review(kind: Kind, body: Obj, { client }: HttpServerRequest): Obj {
    if (kind.kind === 'SelfSubjectReview')
      return {
        ...body,
        status: { userInfo: { username: client?.commonName ?? '', groups: [...(client?.organizations ?? []), 'system:authenticated'] } },
      };
    const attributes = objAt(body, 'spec', 'resourceAttributes');
    const allowed =
      client !== undefined &&
      isAllowed(state, client, {
        verb: textAt(attributes, 'verb'),
        resource: textAt(attributes, 'resource'),
        group: textAt(attributes, 'group'),
        namespace: textAt(attributes, 'namespace'),
        name: textAt(attributes, 'name'),
        path: '',
      });
    return { ...body, status: { allowed } };
  }
}

/** Only looked at, never changed. Clients ask for the same few again and again. */
const urlOf = remembered((path: string) => new URL(path, 'https://kubernetes'), { keyOf: (path) => path, limit: 1000 });

const namedKinds = new WeakMap<readonly Kind[], ReadonlyMap<string, Kind>>();

/** By `apiVersion plural`; the first of a name counts. */
function kindsByName(kinds: readonly Kind[]): ReadonlyMap<string, Kind> {
  let found = namedKinds.get(kinds);
  if (!found) {
    found = new Map(kinds.map((kind) => [`${apiVersionOf(kind)} ${kind.plural}`, kind] as const).toReversed());
    namedKinds.set(kinds, found);
  }
  return found;
}

const documents = new WeakMap<readonly Kind[], Map<string, HttpServerResponse>>();

/** What discovery says follows from the kinds alone. */
function documentOf(kinds: readonly Kind[], pathname: string, make: (kinds: readonly Kind[]) => Obj | undefined): HttpServerResponse {
  let known = documents.get(kinds);
  if (!known) documents.set(kinds, (known = new Map()));
  let document = known.get(pathname);
  if (!document) {
    document = inBytes(orUnknown(make(kinds)));
    if (known.size < 1000) known.set(pathname, document);
  }
  return document;
}

const itemTexts = new WeakMap<Obj, string>();

/** Stored objects are frozen, and lists of them are asked for again and again. */
function itemText(item: Obj, isBuiltIn: boolean): string {
  let text = itemTexts.get(item);
  if (text === undefined) {
    text = JSON.stringify(isBuiltIn ? withoutType(item) : item);
    itemTexts.set(item, text);
  }
  return text;
}

/** List items of built-in kinds carry neither apiVersion nor kind. */
function withoutType(object: Obj): Obj {
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
  return rest;
}

const bytesBefore = new WeakMap<Obj, Uint8Array>();

/** The same of one object. */
function bytesOf(object: Obj): Uint8Array {
  let bytes = bytesBefore.get(object);
  if (bytes === undefined) {
    bytes = Buffer.from(`${JSON.stringify(object)}\n`);
    bytesBefore.set(object, bytes);
  }
  return bytes;
}

const orUnknown = (document: Obj | undefined): HttpServerResponse =>
  document === undefined ? plain(404, '404 page not found\n') : json(200, document);

const inBytes = (response: HttpServerResponse): HttpServerResponse =>
  typeof response.body === 'string' ? { ...response, body: Buffer.from(response.body) } : response;

const jsonHeaders = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };

function json(status: number, body: Value, headers: Readonly<Record<string, string>> = {}): HttpServerResponse {
  return {
    status,
    headers: { ...jsonHeaders, ...headers },
    body: `${JSON.stringify(body)}\n`,
  };
}

const plain = (status: number, body: string): HttpServerResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});
