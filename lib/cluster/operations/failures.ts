import { failuresOf } from '../../base/index.ts';

export type OperationFailures = {
  'resource/unknown-type': { asked: string; suggestion?: string };
  /** Several types have this alias. */
  'resource/ambiguous-type': { asked: string; types: readonly string[] };
  'resource/unknown-namespace': { asked: string; known: readonly string[]; suggestion?: string };
  'service/unknown': { asked: string; suggestion?: string };
  /** Only control planes have a member of etcd. */
  'node/no-control-plane': { nodes: readonly string[] };
  /** What a reset may wipe alone are the volumes that the machine tells of. */
  'disk/unknown-volume': { node: string; label: string; known: readonly string[]; suggestion?: string };
  /** A volume without a partition of its own: such ones lie on EPHEMERAL. */
  'disk/is-directory': { node: string; label: string };
  'disk/unknown': { node: string; disk: string; known: readonly string[]; suggestion?: string };
  /** `--user-disks` is for the others. */
  'disk/is-system': { node: string; disk: string };
  'etcd/unknown-member': { asked: string; known: readonly string[]; suggestion?: string };
  /** A member that answers leaves by itself, with its machine: nobody removes it behind its back. */
  'etcd/member-works': { member: string };
  'patch/no-file': { path: string };
  'patch/no-config': { node: string };
  'etcd/no-snapshot': { path: string };
  /** Its names and keys are another cluster's. `authority`: of Kubernetes, 16 hex digits of SHA-256; absent where one side has none. */
  'etcd/snapshot-foreign': {
    path: string;
    members: readonly string[];
    nodes: readonly string[];
    wantedMembers: readonly string[];
    authority?: readonly string[];
    wantedAuthority?: readonly string[];
  };
  /** A member that works has newer data than any snapshot. */
  'etcd/works': { node: string };
  /** It keeps its config and is back, with the volumes that were to be wiped. */
  'node/not-wiped': { node: string; volumes: readonly string[] };
  /** The machine answers, and its etcd does not work. */
  'node/half-works': { node: string };
  /** Whoever is to take a place is there before anybody is removed for it. */
  'node/no-successor': { node: string; address: string; state: 'unreachable' | 'configured' };
  'flux/no-kustomization': { namespace: string; name: string };
  /** Its controller has given up. `message` is its own text. */
  'flux/not-ready': { kind: string; namespace: string; name: string; reason: string; message: string };
  // --- what the doctor finds
  'doctor/not-rendered': { paths: readonly string[] };
  'doctor/not-generated': { paths: readonly string[] };
  'doctor/wide-file': { path: string; mode: string };
  'doctor/not-ignored': { path: string };
  'doctor/unreachable': { node: string; address: string; reason: string };
  'doctor/foreign': { node: string; address: string };
  'doctor/maintenance': { node: string };
  'doctor/not-ready': { node: string; stage: string; unmet: readonly string[] };
  'doctor/time-not-synced': { node: string };
  'doctor/clock': { node: string; offsetMs: number };
  /** Every machine agrees, and not with this computer. */
  'doctor/own-clock': { offsetMs: number; nodes: number };
  'doctor/no-talosconfig': { path: string };
  'doctor/certificate': { what: string; state: 'expired' | 'not-yet-valid' | 'ends-soon'; daysLeft: number; node?: string };
  'doctor/etcd': { node: string; problem: string };
  'doctor/etcd-views': { nodes: readonly string[] };
  /** A member that no control plane of the inventory is. */
  'doctor/etcd-stranger': { member: string };
  'doctor/alarm': { member: string; alarm: string };
  'doctor/kubeconfig': { because: string };
  'doctor/kubernetes-unreachable': { server: string };
  'doctor/flux-not-ready': { kind: string; namespace: string; name: string; reason: string; message: string };
  'doctor/flux-suspended': { kind: string; namespace: string; name: string };
  /** Its source offers another revision than it has applied. */
  'doctor/flux-behind': { kind: string; namespace: string; name: string; applied: string; offered: string };
  /** The branch that it follows is checked out here at another commit. */
  'doctor/flux-other-commit': { kind: string; namespace: string; name: string; branch: string; theirs: string; ours: string };
  'doctor/version': { node: string; what: 'Talos' | 'Kubernetes' | 'schematic'; running: string; wanted: string; isAhead?: boolean };
  'doctor/config': { node: string; changed: readonly string[] };
  'doctor/cordon': { node: string; run?: string };
  'doctor/node-missing': { node: string };
  'doctor/node-not-ready': { node: string };
  'doctor/unfinished-run': { run: string; goals: readonly string[]; ageMs: number };
  'doctor/open-intent': { key: string; run: string; ageMs: number };
};

export const operationFailure = failuresOf<OperationFailures>();
