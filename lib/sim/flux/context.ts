import type { Json } from '../../base/index.ts';
import type { SimKernel } from '../kernel.ts';
import { ApiError } from '../kube/errors.ts';
import { apiVersionOf, builtIn, type Kind } from '../kube/kinds.ts';
import type { SimulatedKube } from '../kube/model.ts';
import type { KubeState } from '../kube/state.ts';
import { listAt, numberAt, type Obj, objAt, textAt } from '../kube/value.ts';
import type { Actor } from '../kube/writes.ts';
import type { FluxRepository } from './kustomize.ts';
import { kindFor } from './flux-kinds.ts';

export interface FluxOptions {
  readonly repository: FluxRepository;
  /**
   * The decrypted documents of one SOPS file, in their order. Failure: an Error when none of the age identities opens it.
   * `ageKeys` is the text of the key files in the decryption Secret.
   */
  readonly decrypt: (file: string, ageKeys: readonly string[]) => Promise<readonly Obj[]>;
  /**
   * The objects of a release whose chart nobody installed before. Without it the chart's definitions and one Deployment stand in.
   * Failure: an Error with the words of helm.
   */
  readonly renderChart?: (release: Obj, source: Obj) => Promise<readonly Obj[]>;
  /** Charts that somebody else pulled of which only the name is known: their definitions may be there, too. */
  readonly standInCharts?: () => readonly string[];
}

/** What every reconciler of the simulated Flux stands on. */
export interface FluxContext extends FluxOptions {
  readonly kernel: SimKernel;
  readonly kube: SimulatedKube;
  readonly state: KubeState;
  /** Places outside that a real Flux would fetch something from. */
  readonly absent: Set<string>;
  /** Kinds whose definitions were made up: `RecurringJob.longhorn.io`. */
  readonly standIns: Set<string>;
  /** Looks at this object again; an earlier appointment is dropped. */
  requeue(kind: string, namespace: string, name: string, inMs: number): void;
}

const deployments = builtIn('apps/v1', 'Deployment');
const secrets = builtIn('v1', 'Secret');
const configMaps = builtIn('v1', 'ConfigMap');

/** A controller works while one of its pods is ready. */
export function isRunning({ state }: FluxContext, controller: string): boolean {
  return state
    .list(deployments)
    .some((one) => textAt(one, 'metadata', 'name') === controller && (numberAt(one, 'status', 'readyReplicas') ?? 0) > 0);
}

export const secretData = (state: KubeState, namespace: string, name: string): Obj | undefined => state.get(secrets, namespace, name);
export const configMapData = (state: KubeState, namespace: string, name: string): Obj | undefined => state.get(configMaps, namespace, name);
export const decoded = (secret: Obj, key: string): string => Buffer.from(textAt(secret, 'data', key), 'base64').toString('utf8');

export const actorOf = (fieldManager: string): Actor => ({ fieldManager, isDryRun: false, fieldValidation: 'Ignore', warnings: [] });

/** Server-side apply with force, as Flux does it. Failure: an Error with Flux' words. */
export function apply(context: FluxContext, object: Obj, fieldManager: string): Obj {
  const { state, kube } = context;
  const apiVersion = textAt(object, 'apiVersion');
  const kindName = textAt(object, 'kind');
  const kind = kindFor(state, apiVersion, kindName);
  const name = textAt(object, 'metadata', 'name');
  const namespace = textAt(object, 'metadata', 'namespace');
  const label = `${kindName}/${namespace === '' ? '' : `${namespace}/`}${name}`;
  if (!kind) throw new Error(`${label} dry-run failed: no matches for kind "${kindName}" in version "${apiVersion}"`);
  const metadata = { ...objAt(object, 'metadata') };
  if (!kind.isNamespaced) delete metadata.namespace;
  else if (namespace === '') throw new Error(`${label} namespace not specified: the server could not find the requested resource`);
  try {
    return kube.writes.patch(
      { kind, namespace, name, subresource: '' },
      'apply',
      { ...object, apiVersion: apiVersionOf(kind), metadata },
      true,
      actorOf(fieldManager),
    ).object;
  } catch (error) {
    if (error instanceof ApiError)
      throw new Error(`${label} dry-run failed (${error.reason === '' ? 'InternalError' : error.reason}): ${error.message}`);
    throw error;
  }
}

export function remove(context: FluxContext, kind: Kind, namespace: string, name: string): void {
  if (!context.state.get(kind, namespace, name)) return;
  context.kube.writes.delete({ kind, namespace, name, subresource: '' }, { propagation: 'Background' }, actorOf('kustomize-controller'));
}

export const say = (context: FluxContext, kind: `flux/${string}`, facts: { readonly [fact: string]: Json }): void =>
  context.kernel.emit({ kind, facts });

/** `dependency 'flux-system/cilium' is not ready`, for the first that is not; undefined when all are. */
export function unmetDependency(
  context: FluxContext,
  kind: Kind,
  object: Obj,
  isReady: (dependency: Obj | undefined) => boolean,
): string | undefined {
  const namespace = textAt(object, 'metadata', 'namespace');
  for (const dependency of listAt(object, 'spec', 'dependsOn')) {
    const name = textAt(dependency, 'name');
    const where = textAt(dependency, 'namespace') || namespace;
    const found = context.state.get(kind, where, name);
    if (!found) return `dependency '${where}/${name}' not found`;
    if (!isReady(found)) return `dependency '${where}/${name}' is not ready`;
  }
  return undefined;
}
