import type { Json, TkError } from '../base/index.ts';
import type { KindRef, KubeObject, ObjectRef } from './object.ts';

/** Every call takes the caller's signal last; deadlines and retries are the client's (`ClientOptions`). */
export interface KubeReader {
  /** `https://192.168.42.120:6443` */
  readonly server: string;
  version(signal: AbortSignal): Promise<ServerVersion>;
  /** One look at `/readyz`, not repeated. Failure: `kube/unreachable`, `kube/busy` with what is not ready. */
  ready(signal: AbortSignal): Promise<void>;
  /** Everything Helm's `.Capabilities` wants to know; read anew each time. */
  capabilities(signal: AbortSignal): Promise<Capabilities>;
  /** Whether this API server serves the kind; asks it, not the cache. */
  serves(kind: KindRef, signal: AbortSignal): Promise<boolean>;
  /** `apps/v1` and every other version of a group that this API server serves now, in one question. Without the core's `v1`. */
  groupVersions(signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Failure: `kube/kind-not-served`, after discovery was read anew. */
  resource(kind: KindRef, signal: AbortSignal): Promise<ApiResource>;
  /** Undefined when there is no such object, and when its kind is not served. */
  get(ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** All pages. Items carry apiVersion and kind. Failure: `kube/kind-not-served`. */
  list(kind: KindRef, options: ListOptions, signal: AbortSignal): Promise<ObjectList>;
  /**
   * The current objects as `added`, then `synced`, then every change. Begins again by itself when the connection ends or the
   * resourceVersion expired (410); what vanished meanwhile comes as `deleted`. Ends only with the signal.
   */
  watch(kind: KindRef, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** What server-side apply would make of the object: `dryRun=All`, nothing changes. */
  preview(object: KubeObject, options: ApplyOptions, signal: AbortSignal): Promise<KubeObject>;
  /** What a full update would make of the object: `dryRun=All`, nothing changes. Failure: as `replace`. */
  previewReplace(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** A GET of any path, for what has no object: `/readyz?verbose`, `/api/v1/namespaces/x/pods/y/log`. */
  read(path: string, signal: AbortSignal): Promise<string>;
}

export interface KubeWriter extends KubeReader {
  /** Server-side apply. Failure: `kube/conflict` with the managers that own what differs. */
  apply(object: KubeObject, options: ApplyOptions, signal: AbortSignal): Promise<KubeObject>;
  /** Failure: `kube/exists`. An answer that got lost is not asked for again: `kube/no-answer`, `kube/unreachable`. */
  create(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** Full update; the object's resourceVersion must be the current one. Failure: `kube/stale`. */
  replace(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  patch(ref: ObjectRef, patch: Patch, signal: AbortSignal): Promise<KubeObject>;
  /** False when it was not there. */
  delete(ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<boolean>;
  /** One attempt. False when the pod is gone. Failure: `kube/eviction-blocked`. */
  evict(
    pod: { readonly namespace: string; readonly name: string; readonly uid?: string },
    options: EvictOptions,
    signal: AbortSignal,
  ): Promise<boolean>;
}

export interface ServerVersion {
  readonly major: string;
  readonly minor: string;
  /** `v1.37.0` */
  readonly gitVersion: string;
}

export interface Capabilities {
  readonly kubeVersion: ServerVersion;
  /** `v1`, `apps/v1` and `apps/v1/Deployment`; sorted. */
  readonly apiVersions: readonly string[];
}

export interface ApiResource extends KindRef {
  /** `deployments` */
  readonly plural: string;
  readonly isNamespaced: boolean;
  readonly verbs: readonly string[];
}

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface WatchOptions extends ListOptions {
  readonly resourceVersion?: string;
}

export interface ObjectList {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

export type WatchEvent =
  | { readonly kind: 'added' | 'modified' | 'deleted'; readonly object: KubeObject }
  /** Everything that existed when the watch began (or began again) has been told. */
  | { readonly kind: 'synced' };

export interface ApplyOptions {
  /** `tk` for our own objects, `helm-controller` for a release. */
  readonly fieldManager: string;
  /** Takes fields over from other managers. Default: a conflict is a failure. */
  readonly force?: boolean;
}

export type Patch =
  | { readonly type: 'merge' | 'strategic'; readonly value: Json; readonly subresource?: string; readonly fieldManager?: string }
  | { readonly type: 'json'; readonly value: readonly Json[]; readonly subresource?: string; readonly fieldManager?: string };

export interface DeleteOptions {
  /** Default: `Background`. */
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan';
  /** Deletes only this very object. */
  readonly uid?: string;
  readonly gracePeriodSeconds?: number;
}

export interface EvictOptions {
  readonly gracePeriodSeconds?: number;
}

/** Told before each repetition, so that a progress line can say what is being waited for. */
export interface RetryObserver {
  (retry: { readonly because: TkError; readonly attempt: number; readonly pauseMs: number }): void;
}
