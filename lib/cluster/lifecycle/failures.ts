import { failuresOf } from '../../base/index.ts';

type Problems = readonly { member: string; reason: string }[];

export type LifecycleFailures = {
  // --- gates: nothing was done
  /** Too few members would be left. `because`: why those that do not count do not. */
  'gate/etcd-quorum': { node: string; members: number; left: number; needed: number; because: Problems; passesInMs?: number };
  /** Enough would be left, and something is wrong nevertheless. */
  'gate/etcd-unhealthy': { node: string; problems: Problems; passesInMs?: number };
  'gate/etcd-last-voter': { node: string };
  /** One or two members: etcd stands still meanwhile, and nobody said that it may. */
  'gate/etcd-downtime': { node: string; members: number };
  'gate/one-at-a-time': { node: string; limit: number; away: readonly { node: string; seen: string }[] };
  'gate/version-path': {
    node: string;
    from: string;
    to: string;
    because: 'downgrade' | 'skips-a-minor' | 'not-installable' | 'unknown' | 'kubernetes';
    /** The oldest Talos that it installs over, the Kubernetes that it does not run, the newest Talos that we know. */
    other?: string;
    hops?: readonly string[];
  };
  'gate/other-driver': { node: string; driver: string; what: string; seen: string };
  'gate/foreign-cordon': { node: string; cordoned: readonly string[] };
  'gate/lease': { holder: string; renewed: string };
  /** A storage gate, or one of tasks.config.ts. */
  'gate/not-well': { gate: string; node: string; problems: readonly string[]; help?: string };
  'gate/volumes': { node: string; volumes: readonly string[] };
  'gate/kubernetes': { node: string };
  /** The gate could not find out; the cause says why. */
  'gate/unknown': { gate: string; node: string };
  /** Every try took longer than the answers keep. */
  'gate/stale': { node: string; ageMs: number; freshForMs: number };
  'gate/image': {
    node: string;
    image: string;
    /** The machine would not boot: no reason makes it right. */
    isFatal: boolean;
    disagreements: readonly { fact: string; one: string; oneFrom: string; other: string; otherFrom: string }[];
  };
  'usage/override-unknown': { asked: string; known: readonly string[]; suggestion?: string };
  'usage/override-reason': { gate: string };
  'usage/share': { asked: string; what: string };
  /** No worker among those that are upgraded. */
  'usage/canary': { asked: string; isControlPlane: boolean; known: readonly string[] };
  // --- on the way
  'drain/blocked': {
    node: string;
    pods: readonly { namespace: string; name: string; message: string; budget?: string }[];
    afterMs: number;
  };
  'drain/timeout': { node: string; pods: readonly { namespace: string; name: string }[]; afterMs: number };
  'drain/refused': { node: string; namespace: string; name: string };
  'node/not-in-kubernetes': { node: string };
  /** A cordon of ours that could not be taken back when the run ended early; the cause says why. */
  'node/still-cordoned': { node: string };
  /** By itself or by somebody, after it was looked at; nothing was installed. `running`: what it came up with. */
  'node/restarted': { node: string; running: string };
  'node/rolled-back': { node: string; running: string; wanted: string };
  /** The machine was never upgraded, so its other boot slot is empty. `running`: what it goes on with. */
  'node/nothing-before': { node: string; running: string };
  /** Silent for a while, and back in the same boot: the call of an earlier run never arrived. */
  'node/never-left': { node: string };
  'node/not-returned': { node: string; address: string; after: string; last?: string };
  'etcd/no-member': { asked: readonly string[] };
};

export const lifecycleFailure = failuresOf<LifecycleFailures>();
