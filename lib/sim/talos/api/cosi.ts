import { stringifyYaml } from '../../../format/index.ts';
import { cosiApi, cosiMetaApi, create, type MessageInitShape, timestampFromMs, toBinary } from '../../../upstream/index.ts';
import type { SimKernel } from '../../kernel.ts';
import { type ResourceType, resourceTypes, type ResourceView } from '../resources.ts';
import { type ApiCall, type BoundMethod, refuse, streaming, unary } from './call.ts';

type WireResource = MessageInitShape<typeof cosiApi.ResourceSchema>;

const { method } = cosiApi.State;
const definitionType = 'ResourceDefinitions.meta.cosi.dev';
const minors = ['1.12', '1.13', '1.14'];

/**
 * Reads of the machine's resources; every write is refused.
 * Source: cosi-project/runtime pkg/state/protobuf/server, Talos internal/app/machined/pkg/system/services/machined.go (access filter)
 */
export const cosiMethods: readonly BoundMethod[] = [
  unary(method.get, (api, request) => {
    const type = typeOf(api, request.type, request.namespace);
    const found = viewsOf(api, type).find((view) => view.id === request.id);
    if (!found) throw missing(request.type, request.namespace, request.id);
    return { resource: toWire(api, type, found) };
  }),
  streaming(method.list, async function* (api, request) {
    const type = typeOf(api, request.type, request.namespace);
    const pattern = request.options?.idQuery?.regexp;
    for (const view of viewsOf(api, type)) {
      if (pattern && !new RegExp(pattern).test(view.id)) continue;
      yield { resource: toWire(api, type, view) };
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

const definitionsType: ResourceType = {
  type: definitionType,
  namespace: 'meta',
  aliases: ['api-resources'],
  columns: [['Aliases', '{.aliases[:]}']],
  schema: cosiMetaApi.ResourceDefinitionSpecSchema,
  list: ({ machine }) => known(machine.minor()).map(definitionOf),
};

function known(minor: string): readonly ResourceType[] {
  return [...resourceTypes.filter(({ since = '1.12' }) => minors.indexOf(since) <= minors.indexOf(minor)), definitionsType];
}

function typeOf(api: ApiCall, name: string, namespace: string): ResourceType {
  const type = known(api.machine.minor()).find((candidate) => candidate.type.toLowerCase() === name.toLowerCase());
  if (!type) throw refuse('notFound', `resource type "${name}" is not supported`);
  if (type.sensitive && !api.roles.has('os:admin')) throw refuse('permissionDenied', 'not authorized');
  if (namespace !== '' && namespace !== type.namespace) return { ...type, list: () => [] };
  return type;
}

const viewsOf = (api: ApiCall, type: ResourceType): ResourceView[] => [...type.list(api)].sort((a, b) => (a.id < b.id ? -1 : 1));

const missing = (type: string, namespace: string, id: string) =>
  refuse('notFound', `resource ${type}(${namespace}/${id}@undefined) doesn't exist`);

/** A resource of which nothing but the name is known. */
const tombstone = (type: ResourceType, namespace: string, id: string): WireResource => ({
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

const texts = new Map<string, { readonly yaml: string; readonly proto: Uint8Array }>();

function toWire(api: ApiCall, type: ResourceType, view: ResourceView): WireResource {
  const json = JSON.stringify([type.type, view.yaml]);
  let text = texts.get(json);
  if (!text) {
    if (texts.size > 2000) texts.clear();
    text = { yaml: stringifyYaml(view.yaml), proto: toBinary(type.schema, create(type.schema, view.proto as never)) };
    texts.set(json, text);
  }
  const digest = json.length > 400 ? `${json.length}/${text.yaml.length}/${checksum(json)}` : json;
  const { version, createdMs, updatedMs } = versionOf(api.kernel, `talos/${api.machine.name}/cosi/${type.type}/${view.id}`, digest);
  return {
    metadata: {
      namespace: type.namespace,
      type: type.type,
      id: view.id,
      version: String(version),
      owner: '',
      phase: 'running',
      created: timestampFromMs(createdMs),
      updated: timestampFromMs(updatedMs),
      labels: { ...view.labels },
    },
    spec: { yamlSpec: text.yaml, protoSpec: text.proto },
  };
}

/** FNV-1a; long specs (machine configurations hold keys) are not copied into the bookkeeping of versions. */
function checksum(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}

/** Source: cosi-project/runtime pkg/resource/meta/spec (names made from the type) */
function definitionOf(type: ResourceType): ResourceView {
  const [name = '', ...suffixes] = type.type.split('.');
  const displayType = singular(name);
  const capitals = name.replace(/[^A-Z]/g, '').toLowerCase();
  const aliases = [
    ...new Set([
      ...(type.aliases ?? []),
      name.toLowerCase(),
      displayType.toLowerCase(),
      ...(capitals.length > 1 ? [capitals, `${capitals}s`] : []),
    ]),
  ];
  const allAliases = [
    ...new Set([
      ...aliases,
      ...suffixes.map((_, index) => [name.toLowerCase(), ...suffixes.slice(0, index + 1)].join('.')),
      type.type.toLowerCase(),
    ]),
  ];
  const printColumns = (type.columns ?? []).map(([column, jsonPath]) => ({ name: column, jsonPath }));
  return {
    id: type.type.toLowerCase(),
    yaml: {
      type: type.type,
      displayType,
      defaultNamespace: type.namespace,
      aliases,
      allAliases,
      printColumns: printColumns.map((column) => ({ name: column.name, jsonPath: column.jsonPath })),
      sensitivity: type.sensitive ? 'sensitive' : '',
    },
    proto: {
      resourceType: type.type,
      displayType,
      defaultNamespace: type.namespace,
      aliases,
      allAliases,
      printColumns,
      sensitivity: type.sensitive ? 1 : 0,
    },
  };
}

function singular(name: string): string {
  if (name.endsWith('sses') || name.endsWith('uses')) return name.slice(0, -2);
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return name.endsWith('s') ? name.slice(0, -1) : name;
}
