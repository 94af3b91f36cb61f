import { type Condition, holds, minutes, never, notYet, seconds, TkError, withoutMiddle } from '../../base/index.ts';
import { conditionOf, type KubeObject, type KubeReader } from '../../kube/index.ts';
import { requestReconciliation, shortRevision } from '../flux.ts';
import type { KubeAccess } from '../kube-access.ts';
import { fields, text } from '../lifecycle/node-mark.ts';
import { operationFailure } from './failures.ts';

/** Something that Flux reconciles. */
export interface FluxObject {
  readonly apiVersion: string;
  /** `GitRepository`, `OCIRepository`, `Bucket`, `Kustomization`. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface FluxOperationsView {
  /** The source, then the Kustomization. Failure: `flux/no-kustomization`. */
  objects(asked: { readonly name?: string | undefined; readonly namespace: string }, signal: AbortSignal): Promise<readonly FluxObject[]>;
  /** The controller has handled this very request, and the object is Ready. Shape: the revision, short. */
  handled(object: FluxObject, requestedAt: string): Condition<string>;
}

export interface FluxOperations extends FluxOperationsView {
  /** Asks for a reconciliation. Returns what the object will repeat when it was handled. */
  request(object: FluxObject, signal: AbortSignal): Promise<string>;
}

const kustomize = 'kustomize.toolkit.fluxcd.io/v1';
export function createFluxOperations(access: KubeAccess, now: () => number): FluxOperations {
  return {
    async objects({ name, namespace }, signal) {
      const kube = await access.reader();
      const wanted = name ?? (await rootName(kube, signal));
      const found = await kube.get({ apiVersion: kustomize, kind: 'Kustomization', namespace, name: wanted }, signal);
      if (found === undefined) throw new TkError(operationFailure('flux/no-kustomization', { namespace, name: wanted }));
      const source = fields(fields(found['spec'])['sourceRef']);
      const kind = text(source['kind']);
      const sourceName = text(source['name']);
      const own = { apiVersion: kustomize, kind: 'Kustomization', namespace, name: wanted };
      if (kind === '' || sourceName === '') return [own];
      return [
        {
          apiVersion: text(source['apiVersion']) || 'source.toolkit.fluxcd.io/v1',
          kind,
          namespace: text(source['namespace']) || namespace,
          name: sourceName,
        },
        own,
      ];
    },
    async request(object, signal) {
      return requestReconciliation(await access.writer(), object, now(), signal);
    },
    handled: (object, requestedAt) => ({
      description: `${object.kind} ${object.namespace}/${object.name} to be reconciled`,
      deadlineMs: minutes(10),
      intervalMs: seconds(2),
      see: `kubectl -n ${object.namespace} describe ${object.kind.toLowerCase()} ${object.name}`,
      transient: (failure) => failure.code.startsWith('kube/'),
      async check(signal) {
        const found = await (await access.reader()).get(object, signal);
        if (found === undefined) return notYet('it does not exist');
        const status = fields(found['status']);
        const ready = conditionOf(found, 'Ready');
        if (text(status['lastHandledReconcileAt']) !== requestedAt) return notYet(ready?.message || 'the request was not handled yet');
        if (ready?.status === 'True') return holds(shortRevision(revisionOf(found)));
        // Waiting does not help against what its controller has given up on.
        if (ready?.status === 'False' && ready.reason !== 'Progressing' && ready.reason !== 'DependencyNotReady')
          return never(
            operationFailure('flux/not-ready', { ...object, reason: ready.reason ?? '', message: withoutMiddle(ready.message ?? '', 300) }),
          );
        return notYet(ready?.message || 'it has no Ready condition yet');
      },
    }),
  };
}

function revisionOf(object: KubeObject): string {
  const status = fields(object['status']);
  return text(status['lastAppliedRevision']) || text(fields(status['artifact'])['revision']);
}

async function rootName(kube: KubeReader, signal: AbortSignal): Promise<string> {
  const instance = await kube.get(
    { apiVersion: 'fluxcd.controlplane.io/v1', kind: 'FluxInstance', namespace: 'flux-system', name: 'flux' },
    signal,
  );
  return text(fields(fields(instance?.['spec'])['sync'])['name']) || 'flux-system';
}
