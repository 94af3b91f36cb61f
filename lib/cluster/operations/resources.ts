import {
  type Clock,
  type Failure,
  failureOf,
  minutes,
  seconds,
  stripControl,
  suggestionFor,
  throwIfAborted,
  hasCode,
  TkError,
} from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { parseYamlBulk, stringifyYaml } from '../../format/index.ts';
import { calendarTime } from '../../pki/index.ts';
import type { Resource, ResourceEvent, ResourceType, TalosReader } from '../../talos/index.ts';
import { fromBinary, machineConfigApi } from '../../upstream/index.ts';
import type { ResourceDefinition } from '../../upstream/tables.ts';
import type { Connections } from '../connections.ts';
import { showConfigValue, type ShownValue } from '../redact-config.ts';
import { isTransientTalos } from '../transient.ts';
import { operationFailure } from './failures.ts';
import { evaluateJsonPath } from './json-path.ts';
import { isQuiet } from './lines.ts';

/** What is asked for: a type by its name or one of its aliases, of one id or of all. */
export interface ResourceQuery {
  /** `disks`, `members`, `MachineConfigs.config.talos.dev`. */
  readonly type: string;
  readonly id?: string | undefined;
  /** Default: where the type's resources lie. */
  readonly namespace?: string | undefined;
  /** Keys too. Default false: what a type that holds keys has is redacted. */
  readonly showsSecrets?: boolean;
}

/** A resource as it may be shown. */
export interface ShownResource {
  readonly node: string;
  readonly namespace: string;
  readonly type: string;
  readonly id: string;
  readonly version: string;
  readonly phase: string;
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdMs?: number;
  readonly updatedMs?: number;
  /** Text where it is no tree. */
  readonly spec: ShownValue;
  /** What its type shows in a table, besides the usual columns. */
  readonly columns: readonly string[];
}

export type ShownResourceEvent =
  | { readonly kind: 'created' | 'updated' | 'destroyed'; readonly resource: ShownResource }
  /** What was there when the watch began has been told. */
  | { readonly kind: 'bootstrapped' };

export interface WatchOptions {
  /** Told when the watch broke off and is set anew. */
  readonly lost: (failure: Failure) => void;
}

export interface Resources {
  /** The type that a word means. Failure: `resource/unknown-type`, `resource/ambiguous-type`. */
  definition(node: NodeModel, word: string, signal: AbortSignal): Promise<ResourceDefinition>;
  /** By id. Failure: `talos/not-found` for an id that is not there, `resource/unknown-namespace`. */
  list(node: NodeModel, definition: ResourceDefinition, query: ResourceQuery, signal: AbortSignal): Promise<readonly ShownResource[]>;
  /** What is there, then every change, until the signal; also over the reboot of the machine. */
  watch(
    node: NodeModel,
    definition: ResourceDefinition,
    query: ResourceQuery,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<ShownResourceEvent>;
}

export interface ResourceParts {
  readonly connections: Connections;
  readonly clock: Clock;
  /** Every key of this cluster, for what is shown of machine configs. */
  readonly secretValues: () => Promise<readonly string[]>;
}

const machineConfigType = 'MachineConfigs.config.talos.dev';
const lookForMs = minutes(15);

const namespaces: ResourceType = { type: 'Namespaces.meta.cosi.dev', namespace: 'meta' };

/** A namespace that the machine does not have is a slip of the finger, though Talos speaks of permissions. */
async function namedBetter(error: unknown, machine: TalosReader, { namespace }: ResourceQuery, signal: AbortSignal): Promise<unknown> {
  if (namespace === undefined || !hasCode(error, 'talos/permission-denied')) return error;
  if (error.failure.facts['message'] !== `namespace "${namespace}" is not supported`) return error;
  const known = (await machine.list(namespaces, signal)).map(({ id }) => id);
  const suggestion = suggestionFor(namespace, known);
  return new TkError(operationFailure('resource/unknown-namespace', { asked: namespace, known, ...(suggestion ? { suggestion } : {}) }));
}

/** Source: Talos cmd/talosctl/cmd/talos/get.go, pkg/machinery/client/resources.go (ResolveResourceKind) */
export function createResources({ connections, clock, secretValues }: ResourceParts): Resources {
  const typeOf = ({ type, namespace }: ResourceDefinition, query: ResourceQuery): ResourceType => ({
    type,
    namespace: query.namespace || namespace,
  });
  const shower = async (node: NodeModel, definition: ResourceDefinition, { showsSecrets = false }: ResourceQuery) => {
    const secrets = definition.sensitive && !showsSecrets ? await secretValues() : [];
    return (resource: Resource): ShownResource => shownResource(node.name, definition, resource, { secrets, showsSecrets });
  };
  return {
    async definition(node, word, signal) {
      return connections.readAny(node, signal, async (machine) => definitionOf(await machine.resourceDefinitions(signal), word));
    },
    async list(node, definition, query, signal) {
      const show = await shower(node, definition, query);
      const type = typeOf(definition, query);
      return connections.readAny(node, signal, async (machine) => {
        try {
          if (query.id !== undefined) return [show(await machine.get(type, query.id, signal))];
          return (await machine.list(type, signal)).map(show);
        } catch (error) {
          throw await namedBetter(error, machine, query, signal);
        }
      });
    },
    async *watch(node, definition, query, { lost }, signal) {
      const show = await shower(node, definition, query);
      const type = typeOf(definition, query);
      const known = new Map<string, ShownResource>();
      let isFirst = true;
      let awaySinceMs: number | undefined;
      for (;;) {
        const machine = await connections.anyReader(node, signal);
        try {
          const before = new Set(known.keys());
          for await (const event of machine.watch(type, query.id, signal)) {
            if (event.kind === 'bootstrapped' || query.id !== undefined) {
              awaySinceMs = undefined;
              // What has gone while nobody looked.
              if (event.kind === 'bootstrapped') for (const id of before) yield* forgotten(known, id);
              if (isFirst && event.kind === 'bootstrapped') yield { kind: 'bootstrapped' };
            }
            if (event.kind === 'bootstrapped') {
              isFirst = false;
              continue;
            }
            before.delete(event.resource.id);
            yield* changed(known, event, show);
          }
          throwIfAborted(signal, `watching ${definition.displayType}`);
        } catch (error) {
          throwIfAborted(signal, `watching ${definition.displayType}`);
          const failure = failureOf(error);
          if (!isTransientTalos(failure) || (isFirst && known.size === 0)) throw await namedBetter(error, machine, query, signal);
          if (isQuiet(failure)) continue;
          if (awaySinceMs === undefined) lost(failure);
          awaySinceMs ??= clock.monotonicMs();
          if (clock.monotonicMs() - awaySinceMs > lookForMs) throw error;
        } finally {
          machine.close();
        }
        await clock.sleep(seconds(2), signal);
      }
    },
  };
}

function* forgotten(known: Map<string, ShownResource>, id: string): Generator<ShownResourceEvent> {
  const resource = known.get(id);
  known.delete(id);
  if (resource) yield { kind: 'destroyed', resource };
}

/** A watch that is set anew tells everything once more; only what is different is told on. */
function* changed(
  known: Map<string, ShownResource>,
  event: Exclude<ResourceEvent, { kind: 'bootstrapped' }>,
  show: (resource: Resource) => ShownResource,
): Generator<ShownResourceEvent> {
  const { id, version } = event.resource;
  const old = known.get(id);
  if (event.kind === 'destroyed') {
    if (old) yield* forgotten(known, id);
    return;
  }
  if (old?.version === version && old.updatedMs === event.resource.updatedMs) return;
  const resource = show(event.resource);
  known.set(id, resource);
  yield { kind: old ? 'updated' : 'created', resource };
}

function definitionOf(known: readonly ResourceDefinition[], word: string): ResourceDefinition {
  const asked = word.toLowerCase();
  const names = (one: ResourceDefinition) => [one.type, ...one.allAliases].map((name) => name.toLowerCase());
  const matching = known.filter((one) => names(one).includes(asked));
  const [first, second] = matching;
  if (first === undefined) {
    const suggestion = suggestionFor(word, known.flatMap(names));
    throw new TkError(operationFailure('resource/unknown-type', { asked: word, ...(suggestion ? { suggestion } : {}) }));
  }
  if (second !== undefined)
    throw new TkError(operationFailure('resource/ambiguous-type', { asked: word, types: matching.map(({ type }) => type) }));
  return first;
}

const redacted = '[redacted]';

function shownResource(
  node: string,
  definition: ResourceDefinition,
  resource: Resource,
  { secrets, showsSecrets }: { readonly secrets: readonly string[]; readonly showsSecrets: boolean },
): ShownResource {
  const isHidden = definition.sensitive && !showsSecrets;
  const tree = specOf(definition, resource);
  const spec = !isHidden
    ? (safe(tree) as ShownValue)
    : definition.type === machineConfigType
      ? showConfigValue(tree, [], secrets)
      : redacted;
  return {
    node,
    namespace: resource.namespace,
    type: definition.displayType,
    id: stripControl(resource.id),
    version: resource.version,
    phase: resource.phase,
    owner: stripControl(resource.owner),
    labels: safe(resource.labels) as Readonly<Record<string, string>>,
    annotations: safe(resource.annotations) as Readonly<Record<string, string>>,
    ...(resource.createdMs === undefined ? {} : { createdMs: resource.createdMs }),
    ...(resource.updatedMs === undefined ? {} : { updatedMs: resource.updatedMs }),
    spec,
    columns: definition.columns.map(({ jsonPath }) => (isHidden ? redacted : stripControl(evaluateJsonPath(jsonPath, tree) ?? ''))),
  };
}

/** A machine config is several documents, which the machine writes as one text or as it is. */
function specOf({ type }: ResourceDefinition, resource: Resource): unknown {
  if (type === machineConfigType) {
    const { yamlMarshalled } = fromBinary(machineConfigApi.MachineConfigSpecSchema, resource.proto);
    return parsed(Buffer.from(yamlMarshalled).toString('utf8'));
  }
  const documents = parsed(resource.yaml);
  return Array.isArray(documents) && documents.length === 1 ? documents[0] : documents;
}

function parsed(yaml: string): unknown {
  try {
    return parseYamlBulk(yaml);
  } catch {
    return yaml;
  }
}

/** Remote text without what could steer a terminal; line ends stay. */
function safe(value: unknown): unknown {
  if (typeof value === 'string') return value.split('\n').map(stripControl).join('\n');
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(safe);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [stripControl(key), safe(part)]));
}

/** As a document of YAML, the node first. */
export function resourceYaml({
  node,
  namespace,
  type,
  id,
  version,
  owner,
  phase,
  createdMs,
  updatedMs,
  labels,
  annotations,
  spec,
}: ShownResource): string {
  const some = (map: object) => Object.keys(map).length > 0;
  return stringifyYaml(
    {
      node,
      metadata: {
        namespace,
        type,
        id,
        version: /^\d+$/.test(version) ? Number(version) : version,
        ...(owner === '' ? {} : { owner }),
        phase,
        ...(createdMs === undefined ? {} : { created: rfc3339(createdMs) }),
        ...(updatedMs === undefined ? {} : { updated: rfc3339(updatedMs) }),
        ...(some(labels) ? { labels } : {}),
        ...(some(annotations) ? { annotations } : {}),
      },
      spec,
    },
    { indent: 4 },
  );
}

/** Whole seconds in UTC. */
export function rfc3339(ms: number): string {
  const { year, month, day, hour, minute, second } = calendarTime(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`;
}
