import { failuresOf } from '../base/index.ts';

/** Which object a request was about; `verb` as Kubernetes calls it: get, list, apply, patch, delete, … */
export type RequestFacts = { verb: string; kind: string; name?: string; namespace?: string; server: string };

export type KubeFailures = {
  /** No connection, or it broke. `reason` as the dialler tells it. */
  'kube/unreachable': RequestFacts & { reason: string };
  /** The request was sent and no answer came in time: whether it took effect is not known. */
  'kube/no-answer': RequestFacts & { timeoutMs: number };
  /** 429 and 503, and an API server without etcd. */
  'kube/busy': RequestFacts & { status: number; message: string };
  'kube/unauthorized': RequestFacts & { message: string };
  'kube/forbidden': RequestFacts & { message: string };
  'kube/not-found': RequestFacts & { message: string };
  /** The object to create is there already. */
  'kube/exists': RequestFacts;
  /** Somebody changed the object after it was read. */
  'kube/stale': RequestFacts & { message: string };
  /** Server-side apply: these fields belong to other managers. */
  'kube/conflict': RequestFacts & { conflicts: readonly { manager: string; field: string }[] };
  'kube/invalid': RequestFacts & { message: string; problems: readonly { field: string; reason: string; message: string }[] };
  /** An admission webhook or policy looked at the object and said no. */
  'kube/denied': RequestFacts & { webhook: string; message: string };
  /** An admission webhook could not be asked. */
  'kube/webhook-unreachable': RequestFacts & { webhook: string; message: string };
  /** A PodDisruptionBudget does not allow it now. */
  /** `budget` and what it says of itself, where the API server names it. */
  'kube/eviction-blocked': RequestFacts & { message: string; budget?: string; needs?: string };
  /** The resourceVersion is too old to go on from. */
  'kube/expired': RequestFacts & { message: string };
  /** This API server does not serve the kind: a missing or very new CustomResourceDefinition. */
  'kube/kind-not-served': { server: string; apiVersion: string; kind: string };
  'kube/refused': RequestFacts & { status: number; reason: string; message: string };
  /** The answer is not what an API server says: a proxy or another server is behind the address. */
  'kube/malformed-answer': { server: string; path: string; status: number; reason: string };
  /** A workload that will not become ready by waiting. */
  'kube/workload-failed': { kind: string; name: string; namespace?: string; reason: string; message: string };
  'kube/kubeconfig-malformed': { reason: string; path?: string };
  /** A way to authenticate that we do not have. `what`: `exec`, `auth-provider`, … */
  'kube/kubeconfig-unsupported': { what: string; user: string };
  'kube/kubeconfig-no-context': { context: string; contexts: readonly string[] };
};

export const kubeFailure = failuresOf<KubeFailures>();
