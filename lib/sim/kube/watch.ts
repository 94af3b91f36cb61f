import { expired, statusOf } from './errors.ts';
import { apiVersionOf, type Kind } from './kinds.ts';
import type { KubeState } from './state.ts';
import { type Obj, objAt, textAt } from './value.ts';

export interface WatchRequest {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly matches: (object: Obj) => boolean;
  /** Undefined: begin with what there is. */
  readonly since: number | undefined;
  readonly sendsInitial: boolean;
  readonly untilMs: number;
  readonly render: (object: Obj) => Obj;
  /** Whether this API server still runs. */
  readonly isServed: () => boolean;
  readonly signal: AbortSignal;
}

const encoder = new TextEncoder();

/**
 * One line of JSON per change. An object that a change takes out of the selection is `DELETED` for this watch.
 * Source: apiserver pkg/storage/cacher/cache_watcher.go
 */
export async function* watchLines(state: KubeState, request: WatchRequest): AsyncGenerator<Uint8Array> {
  const { kind } = request;
  const resource = `${kind.group}/${kind.plural}`;
  const line = (type: string, object: Obj): Uint8Array => encoder.encode(`${JSON.stringify({ type, object })}\n`);
  const rendered = (object: Obj) => request.render({ ...object, apiVersion: apiVersionOf(kind) });
  let seen = request.since;
  if (seen === undefined) {
    seen = state.revision();
    for (const object of state.list(kind, request.namespace)) if (request.matches(object)) yield line('ADDED', rendered(object));
  }
  if (request.sendsInitial) {
    yield line('BOOKMARK', {
      kind: kind.kind,
      apiVersion: apiVersionOf(kind),
      metadata: { resourceVersion: String(seen), annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
  }
  for (;;) {
    const changes = state.changesSince(seen);
    const isForgotten = changes === undefined || state.kernel.fault('kube/watch', { kind: kind.kind })?.kind === 'expired';
    if (isForgotten) {
      yield line('ERROR', statusOf(expired(`too old resource version: ${seen} (${state.revision()})`)));
      return;
    }
    for (const change of changes) {
      seen = change.revision;
      if (change.resource !== resource) continue;
      if (request.namespace !== undefined && textAt(change.object, 'metadata', 'namespace') !== request.namespace) continue;
      const was = change.before !== undefined && request.matches(change.before);
      const is = change.type !== 'DELETED' && request.matches(change.object);
      if (is) yield line(was ? 'MODIFIED' : 'ADDED', rendered(change.object));
      else if (was) {
        // What leaves the selection is shown as it was when it belonged to it.
        const last = change.type === 'DELETED' ? change.object : (change.before as Obj);
        yield line('DELETED', rendered({ ...last, metadata: { ...objAt(last, 'metadata'), resourceVersion: String(change.revision) } }));
      }
    }
    if (!request.isServed() || state.kernel.clock.monotonicMs() >= request.untilMs) return;
    await state.kernel.changed(request.signal);
  }
}
