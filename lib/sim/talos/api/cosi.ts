import { stringifyYaml } from '../../../format/index.ts';
import { cosiApi, cosiMetaApi, create, type MessageInitShape, timestampFromMs, toBinary } from '../../../upstream/index.ts';
import { type ResourceDefinition, resourceDefinitions, resourceNamespaces } from '../../../upstream/tables.ts';
import type { SimKernel } from '../../kernel.ts';
import type { TalosMinor } from '../machine.ts';
import { type ResourceSource, resourceSources, type ResourceView } from '../resources.ts';
import { type ApiCall, type BoundMethod, refuse, streaming, unary } from './call.ts';

type WireResource = MessageInitShape<typeof cosiApi.ResourceSchema>;

const { method } = cosiApi.State;
const definitionType = 'ResourceDefinitions.meta.cosi.dev';
const namespaceType = 'Namespaces.meta.cosi.dev';

/**
 * Reads of the machine's resources; every write is refused.
 * Source: cosi-project/runtime pkg/state/protobuf/server, Talos internal/app/resources/access.go (the same at v1.12.6, v1.13.9, v1.14.0-rc.1)
 */
export const cosiMethods: readonly BoundMethod[] = [
  unary(method.get, (api, request) => {
    const type = typeOf(api, request.type, request.namespace);
    const found = viewsOf(api, type).find((view) => view.id === request.id);
    if (!found) throw missing(request.type, request.namespace, request.id);
    return replyOf(toWire(api, type, found));
  }),
  streaming(method.list, async function* (api, request) {
    const type = typeOf(api, request.type, request.namespace);
    const pattern = request.options?.idQuery?.regexp;
    for (const view of viewsOf(api, type)) {
      if (pattern && !new RegExp(pattern).test(view.id)) continue;
      yield replyOf(toWire(api, type, view));
    }
  }),
  streaming(method.watch, async function* (api, request) {
    const type = typeOf(api, request.type, request.namespace);
    const only = request.id;
    const read = () =>
      new Map(
        viewsOf(api, type)
          .filter(({ id }) => only === undefined || id === only)
          .map((view) => [view.id, toWire(api, type, view)]),
      );
    yield {};
    let known = read();
    if (only !== undefined) {
      const current = known.get(only);
      yield {
        event: [
          current
            ? { eventType: EventType.CREATED, resource: current }
            : { eventType: EventType.DESTROYED, resource: tombstone(type, request.namespace, only) },
        ],
      };
    } else if (request.options?.bootstrapContents) {
      for (const resource of known.values()) yield { event: [{ eventType: EventType.CREATED, resource }] };
      if (request.apiVersion > 0)
        yield { event: [{ eventType: EventType.BOOTSTRAPPED, resource: tombstone(type, request.namespace, '') }] };
    }
    for (;;) {
      await api.kernel.changed(api.signal);
      // A machine that lost power takes its streams with it.
      if (!api.machine.isUp()) throw refuse('unavailable', 'error reading from server: EOF');
      const now = read();
      for (const [id, resource] of now) {
        const old = known.get(id);
        if (!old) yield { event: [{ eventType: EventType.CREATED, resource }] };
        else if (old.metadata?.version !== resource.metadata?.version) yield { event: [{ eventType: EventType.UPDATED, resource, old }] };
      }
      for (const [id, resource] of known) if (!now.has(id)) yield { event: [{ eventType: EventType.DESTROYED, resource }] };
      known = now;
    }
  }),
  ...([method.create, method.update, method.destroy, method.teardown, method.teardownAndDestroy] as const).map((write) =>
    unary(write as typeof method.create, () => {
      throw refuse('permissionDenied', 'write access is not allowed');
    }),
  ),
];

const { EventType } = cosiApi;

interface ServedType extends ResourceDefinition {
  readonly source?: ResourceSource;
}

const sources = new Map(resourceSources.map((source) => [source.type, source]));
const served = new Map<string, ReadonlyMap<string, ServedType>>();

/** By their names in lower case. */
function typesOf(minor: TalosMinor): ReadonlyMap<string, ServedType> {
  let types = served.get(minor);
  if (!types) {
    const definitions = resourceDefinitions(minor);
    const all = definitions.map((definition) => {
      const source =
        definition.type === definitionType
          ? definitionsSource(definitions)
          : definition.type === namespaceType
            ? namespacesSource(minor)
            : sources.get(definition.type);
      return { ...definition, ...(source ? { source } : {}) };
    });
    // The first of a name counts.
    types = new Map(all.map((type) => [type.type.toLowerCase(), type] as const).toReversed());
    served.set(minor, types);
  }
  return types;
}

function typeOf(api: ApiCall, name: string, namespace: string): ServedType {
  const type = typesOf(api.machine.minor()).get(name.toLowerCase());
  if (!type) throw refuse('permissionDenied', `resource type "${name}" is not supported`);
  if (type.sensitive && !api.roles.has('os:admin')) throw refuse('permissionDenied', 'not authorized');
  if (namespace === type.namespace) return type;
  if (!namespacesOf(api.machine.minor()).has(namespace)) throw refuse('permissionDenied', `namespace "${namespace}" is not supported`);
  const { source: _, ...elsewhere } = type;
  return elsewhere;
}

function viewsOf(api: ApiCall, type: ServedType): readonly ResourceView[] {
  const views = type.source?.list(api) ?? [];
  return views.length < 2 ? views : views.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const missing = (type: string, namespace: string, id: string) =>
  refuse('notFound', `resource ${type}(${namespace}/${id}@undefined) doesn't exist`);

/** A resource of which nothing but the name is known. */
const tombstone = (type: ServedType, namespace: string, id: string): WireResource => ({
  metadata: { namespace: namespace || type.namespace, type: type.type, id, version: 'undefined', phase: 'running' },
  spec: {},
});

type Version = { readonly spec: string; readonly version: number; readonly createdMs: number; readonly updatedMs: number };

/** Versions count the changes that somebody looked at. */
function versionOf(kernel: SimKernel, key: string, spec: string): Version {
  const before = kernel.store.get<Version>(key);
  if (before?.spec === spec) return before;
  const nowMs = kernel.clock.now();
  const next = { spec, version: (before?.version ?? 0) + 1, createdMs: before?.createdMs ?? nowMs, updatedMs: nowMs };
  kernel.store.set(key, next);
  return next;
}

const texts = new Map<string, { readonly yaml: string; readonly proto: Uint8Array; readonly digest: string }>();

function toWire(api: ApiCall, type: ServedType, view: ResourceView): WireResource {
  const json = JSON.stringify([type.type, view.yaml]);
  let text = texts.get(json);
  if (!text) {
    if (texts.size > 2000) texts.clear();
    const { schema } = type.source as ResourceSource;
    const yaml = stringifyYaml(view.yaml);
    const digest = json.length > 400 ? `${json.length}/${yaml.length}/${checksum(json)}` : json;
    text = { yaml, proto: toBinary(schema, create(schema, view.proto as never)), digest };
    texts.set(json, text);
  }
  const stored = versionOf(api.kernel, `talos/${api.machine.name}/cosi/${type.type}/${view.id}`, text.digest);
  const about = JSON.stringify([type.namespace, view.version ?? stored.version, view.labels ?? {}]);
  const before = wiredBefore.get(stored);
  if (before?.text === text && before.about === about) return before.resource;
  const { version, createdMs, updatedMs } = stored;
  const resource: WireResource = {
    metadata: {
      namespace: type.namespace,
      type: type.type,
      id: view.id,
      version: String(view.version ?? version),
      owner: '',
      phase: 'running',
      created: timestampFromMs(createdMs),
      updated: timestampFromMs(updatedMs),
      labels: { ...view.labels },
    },
    spec: { yamlSpec: text.yaml, protoSpec: text.proto },
  };
  wiredBefore.set(stored, { text, about, resource });
  return resource;
}

/** By the record of its version: as long as that is the same one, so is the resource. */
const wiredBefore = new WeakMap<Version, { readonly text: object; readonly about: string; readonly resource: WireResource }>();

const repliesBefore = new WeakMap<WireResource, { readonly resource: WireResource }>();

/** Frozen: the same resource is the same reply. */
function replyOf(resource: WireResource): { readonly resource: WireResource } {
  const known = repliesBefore.get(resource) ?? Object.freeze({ resource });
  repliesBefore.set(resource, known);
  return known;
}

/** FNV-1a; long specs (machine configurations hold keys) are not copied into the bookkeeping of versions. */
function checksum(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}

const namespaceNames = new Map<TalosMinor, ReadonlySet<string>>();

function namespacesOf(minor: TalosMinor): ReadonlySet<string> {
  let names = namespaceNames.get(minor);
  if (!names) namespaceNames.set(minor, (names = new Set(resourceNamespaces(minor).map(({ name }) => name))));
  return names;
}

function namespacesSource(minor: TalosMinor): ResourceSource {
  const views = resourceNamespaces(minor).map(({ name, description }) => ({ id: name, yaml: { description }, proto: { description } }));
  return { type: namespaceType, schema: cosiMetaApi.NamespaceSpecSchema, list: () => views };
}

function definitionsSource(definitions: readonly ResourceDefinition[]): ResourceSource {
  const views = definitions.map((definition) => {
    const { type, displayType, namespace, columns, sensitive } = definition;
    const [aliases, allAliases] = [[...definition.aliases], [...definition.allAliases]];
    const printColumns = columns.map(({ name, jsonPath }) => ({ name, jsonPath }));
    return {
      id: type.toLowerCase(),
      yaml: {
        type,
        displayType,
        aliases,
        allAliases,
        defaultNamespace: namespace,
        printColumns,
        sensitivity: sensitive ? 'sensitive' : '',
      },
      proto: {
        resourceType: type,
        displayType,
        aliases,
        allAliases,
        defaultNamespace: namespace,
        printColumns,
        sensitivity: sensitive ? 1 : 0,
      },
    };
  });
  return { type: definitionType, schema: cosiMetaApi.ResourceDefinitionSpecSchema, list: () => views };
}
