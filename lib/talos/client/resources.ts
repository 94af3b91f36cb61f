import { hasCode, TkError } from '../../base/index.ts';
import { cosiApi, type DescMessage, type MessageShape, timestampMs } from '../../upstream/index.ts';
import { decoded } from './decode.ts';
import { talosFailure } from './failures.ts';
import type { CallOptions, Session } from './session.ts';

/** A type with the namespace that its definition names as the default. */
export interface ResourceType {
  readonly type: string;
  readonly namespace: string;
}

/**
 * One resource of a machine. Versions are decimal texts that only grow. `yaml` is the spec as the machine writes it;
 * `proto` the same in wire form.
 */
export interface Resource {
  readonly namespace: string;
  readonly type: string;
  readonly id: string;
  readonly version: string;
  readonly phase: string;
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly createdMs?: number;
  readonly updatedMs?: number;
  readonly yaml: string;
  readonly proto: Uint8Array;
}

export type ResourceEvent =
  | { readonly kind: 'created' | 'updated' | 'destroyed'; readonly resource: Resource; readonly old?: Resource }
  /** Everything that was there has been reported. */
  | { readonly kind: 'bootstrapped' };

const state = () => cosiApi.State.method;

/** Failure: `talos/not-found` for a missing resource and for an unknown type alike. */
export async function getResource(
  session: Session,
  { type, namespace }: ResourceType,
  id: string,
  options: CallOptions,
): Promise<Resource> {
  const reply = await session.unary(state().get, { namespace, type, id, options: {} }, options).catch(unknownTypeIsAbsent);
  return resourceOf(reply.resource, session);
}

/** By id. */
export async function listResources(
  session: Session,
  { type, namespace }: ResourceType,
  options: CallOptions,
): Promise<readonly Resource[]> {
  const found: Resource[] = [];
  try {
    for await (const reply of session.stream(state().list, { namespace, type, options: {} }, options))
      found.push(resourceOf(reply.resource, session));
  } catch (error) {
    unknownTypeIsAbsent(error);
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Changes as the machine reports them: hints, the truth is polled. Of one id the current state comes first (`destroyed` when there
 * is none), of a whole type everything that is there and then `bootstrapped`.
 */
export async function* watchResources(
  session: Session,
  { type, namespace }: ResourceType,
  id: string | undefined,
  options: CallOptions & { readonly deadlineMs: number },
): AsyncGenerator<ResourceEvent> {
  // Up to 1.12 a watch without options ends the machine's whole API process.
  const request = { namespace, type, apiVersion: 1, options: { bootstrapContents: id === undefined }, ...(id === undefined ? {} : { id }) };
  for await (const { event: events } of session.stream(state().watch, request, options)) {
    // The first message is empty: it says that the watch is set.
    for (const event of events) {
      // The machine's buffer overran: what was missed has to be read again.
      if (event.eventType === cosiApi.EventType.ERRORED) return;
      if (event.eventType === cosiApi.EventType.BOOTSTRAPPED) yield { kind: 'bootstrapped' };
      const kind = kinds.get(event.eventType);
      if (kind) {
        yield { kind, resource: resourceOf(event.resource, session), ...(event.old ? { old: resourceOf(event.old, session) } : {}) };
      }
    }
  }
}

/**
 * A machine of an older version says of a type that it does not have that one may not read it.
 *
 * Source: Talos internal/app/resources/access.go
 */
function unknownTypeIsAbsent(error: unknown): never {
  if (
    !hasCode(error, 'talos/permission-denied') ||
    !/^resource type "[^"]*" is not supported$/.test(String(error.failure.facts['message']))
  )
    throw error;
  const { node, address, method, message } = error.failure.facts as {
    readonly [fact in 'node' | 'address' | 'method' | 'message']: string;
  };
  throw new TkError(talosFailure('talos/not-found', { node, address, method, message }, { cause: error.failure }));
}

const kinds = new Map<cosiApi.EventType, 'created' | 'updated' | 'destroyed'>([
  [cosiApi.EventType.CREATED, 'created'],
  [cosiApi.EventType.UPDATED, 'updated'],
  [cosiApi.EventType.DESTROYED, 'destroyed'],
]);

function resourceOf(resource: cosiApi.Resource | undefined, session: Session): Resource {
  const metadata = resource?.metadata;
  if (!metadata) throw unexpected(session, 'a resource with metadata');
  return {
    namespace: metadata.namespace,
    type: metadata.type,
    id: metadata.id,
    version: metadata.version,
    phase: metadata.phase,
    owner: metadata.owner,
    labels: metadata.labels,
    annotations: metadata.annotations,
    ...(metadata.created ? { createdMs: timestampMs(metadata.created) } : {}),
    ...(metadata.updated ? { updatedMs: timestampMs(metadata.updated) } : {}),
    yaml: resource.spec?.yamlSpec ?? '',
    proto: resource.spec?.protoSpec ?? new Uint8Array(),
  };
}

/** Failure: `talos/unexpected-reply` when the bytes are not of that message. */
export function specOf<S extends DescMessage>(resource: Resource, schema: S, session: Session): MessageShape<S> {
  try {
    return decoded(schema, resource.proto);
  } catch {
    throw unexpected(session, schema.typeName);
  }
}

function unexpected(session: Session, expected: string): TkError {
  const { node, host } = session.machine;
  return new TkError(talosFailure('talos/unexpected-reply', { node, address: host, method: 'State', expected }));
}
