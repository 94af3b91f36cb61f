import { failuresOf } from '../../base/index.ts';

/** `node` is the name that people gave the machine, `address` where it was dialled. */
type At = { node: string; address: string };
/** `method` without its package: `MachineService/Bootstrap`. `message` is the machine's own text, made safe to print. */
type Refused = At & { method: string; message: string };

export type TalosClientFailures = {
  /** No connection; nothing was sent. `reason` as in `host/dial`. */
  'talos/unreachable': At & { reason: string; detail?: string };
  /** The connection or the machine went away during a call that only reads. */
  'talos/unavailable': Refused;
  /** No answer in time to a call that only reads. */
  'talos/deadline': At & { method: string; deadlineMs: number };
  /** The call may or may not have been carried out: look before doing it again. */
  'talos/outcome-unknown': At & { method: string; because: string };
  /** So long after the machine had proven who it is a change was to leave, and did not: this computer slept. Nothing was sent. */
  'talos/overslept': At & { method: string; lateMs: number };
  'talos/not-found': Refused;
  'talos/already-exists': Refused;
  'talos/permission-denied': Refused;
  'talos/unimplemented': Refused;
  'talos/failed-precondition': Refused;
  'talos/invalid-argument': Refused;
  /** Any other status. `status` is its name. */
  'talos/rpc': Refused & { status: string };
  /** The machine answered with something that cannot be what was asked for. */
  'talos/unexpected-reply': At & { method: string; expected: string };
  /** The machine behind this very connection is not the one that is meant. Nothing was changed. */
  'talos/wrong-machine': At & { differences: readonly { fact: string; expected: string; found: string }[] };
  /** The installer ran and failed; `lastLines` is what it said last. */
  'talos/installer-failed': At & { exitCode: number; lastLines: readonly string[] };
  /** What a machine sent as a snapshot of etcd cannot be restored. */
  'etcd/snapshot-invalid': { sizeBytes: number; reason: string };
  /** A call that could change something was about to go out on a port that may only read. */
  'talos/read-only': At & { method: string };
};

export const talosFailure = failuresOf<TalosClientFailures>();
