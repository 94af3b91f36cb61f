import { type Clock, type Json, throwIfAborted, TkError } from '../base/index.ts';
import type { ListOptions, ObjectList, WatchEvent, WatchOptions } from './client.ts';
import { fieldsAt, type KindRef, type KubeObject, numberAt, textAt } from './object.ts';
import type { Requester } from './requester.ts';
import { isTransient, pauseMs } from './retry.ts';
import { failureOfStatus } from './status.ts';

export interface WatchParts {
  readonly requester: Requester;
  readonly clock: Clock;
  list(kind: KindRef, options: ListOptions, signal: AbortSignal): Promise<ObjectList>;
  collection(): Promise<string>;
}

/** The server ends the stream after this long, so that a connection which died without a word is noticed. */
const streamSeconds = 300;
const graceMs = 30_000;

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

export async function* watchObjects(
  parts: WatchParts,
  kind: KindRef,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const known = new Map<string, KubeObject>();
  let version = options.resourceVersion;
  let attempt = 0;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const listed = await parts.list(kind, options, signal);
        yield* catchUp(known, listed.items);
        yield { kind: 'synced' };
        version = listed.resourceVersion;
      }
      for await (const event of stream(parts, kind, options, version, signal)) {
        attempt = 0;
        version = event.object.metadata.resourceVersion ?? version;
        if (event.kind === 'bookmark') continue;
        if (event.kind === 'deleted') known.delete(keyOf(event.object));
        else known.set(keyOf(event.object), event.object);
        yield { kind: event.kind, object: event.object };
      }
      // The server closed an idle stream in order; a little later, or a server that closes at once would be asked in a loop.
      await parts.clock.sleep(pauseMs(1), signal);
    } catch (error) {
      throwIfAborted(signal, `watch ${kind.kind}`);
      if (!(error instanceof TkError)) throw error;
      if (error.failure.code === 'kube/expired') version = undefined;
      else if (!isTransient(error.failure)) throw error;
      attempt += 1;
      await parts.clock.sleep(pauseMs(attempt), signal);
    }
  }
  throwIfAborted(signal, `watch ${kind.kind}`);
}

/** What a new list says about objects that an earlier stream told of. */
function* catchUp(known: Map<string, KubeObject>, items: readonly KubeObject[]): Generator<WatchEvent> {
  const current = new Map(items.map((item) => [keyOf(item), item]));
  for (const [key, object] of known) {
    if (current.has(key)) continue;
    known.delete(key);
    yield { kind: 'deleted', object };
  }
  for (const [key, object] of current) {
    const before = known.get(key);
    known.set(key, object);
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion && before !== undefined) continue;
    yield { kind: before === undefined ? 'added' : 'modified', object };
  }
}

interface StreamEvent {
  readonly kind: 'added' | 'modified' | 'deleted' | 'bookmark';
  readonly object: KubeObject;
}

const eventKinds: Readonly<Record<string, StreamEvent['kind']>> = {
  ADDED: 'added',
  MODIFIED: 'modified',
  DELETED: 'deleted',
  BOOKMARK: 'bookmark',
};

async function* stream(
  { requester, clock, collection }: WatchParts,
  kind: KindRef,
  options: WatchOptions,
  version: string,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const cutOff = new AbortController();
  const timer = new AbortController();
  const both = AbortSignal.any([signal, cutOff.signal]);
  clock.sleep(streamSeconds * 1000 + graceMs, AbortSignal.any([timer.signal, signal])).then(
    () => cutOff.abort(),
    () => {},
  );
  const query = new URLSearchParams({
    watch: '1',
    resourceVersion: version,
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(streamSeconds),
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  });
  const facts = { verb: 'watch', kind: kind.kind, ...(options.namespace === undefined ? {} : { namespace: options.namespace }) };
  try {
    const response = await requester.open({ facts, method: 'GET', path: `${await collection()}?${query}`, repeat: 'never' }, both);
    for await (const line of lines(response.body)) {
      const event = fieldsAt(JSON.parse(line) as Json);
      if (event.type === 'ERROR') {
        const status = fieldsAt(event.object);
        throw new TkError(failureOfStatus({ ...facts, server: requester.server }, numberAt(status, 'code') ?? 500, status as Json));
      }
      const told = eventKinds[textAt(event, 'type') ?? ''];
      if (told) yield { kind: told, object: { ...fieldsAt(event.object), ...kind } as unknown as KubeObject };
    }
  } catch (error) {
    // A connection that breaks under a watch is the ordinary end of a watch.
    if (error instanceof TkError && error.failure.code !== 'host/dial') throw error;
    if (!(error instanceof TkError) && !both.aborted) throw error;
  } finally {
    timer.abort();
    cutOff.abort();
  }
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim() !== '') yield part;
  }
}
