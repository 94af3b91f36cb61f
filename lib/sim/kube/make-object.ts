import { apiVersionOf, type Kind } from './kinds.ts';
import type { KubeState } from './state.ts';
import { type Obj } from './value.ts';

/** An object of a controller's, new: with a uid and a time. */
export function makeObject(state: KubeState, kind: Kind, metadata: Obj, rest: Obj = {}): Obj {
  return state.put(kind, {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { ...metadata, uid: state.newUid(), creationTimestamp: state.timestamp() },
    ...rest,
  });
}
