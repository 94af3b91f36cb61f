import type { Clock, Json, Random } from '../base/index.ts';
import type { VirtualClock } from './clock.ts';

/**
 * What every simulated model stands on. Models keep their whole state in `store` and their future in `schedule`, never in
 * closures or promises: so a killed process finds the cluster as it left it, and one seed replays a run byte for byte.
 */
export interface SimKernel {
  /** Virtual time. Model code reads it and never sleeps on it; what happens later is a scheduled timer. */
  readonly clock: Clock & Pick<VirtualClock, 'inTurn'>;
  /** One independent stream per name, so that a draw in one model does not shift another's. */
  random(stream: string): Random;
  readonly store: SimStore;
  /** At `atMs` on the monotonic virtual clock the model's `onTimer` runs. Stored; survives a restart. */
  schedule(timer: SimTimer): void;
  /** Drops this model's timers with that kind (and key, when given). */
  cancel(model: string, kind: string, key?: string): void;
  register(model: SimModel): void;
  /** Calls of the models' own listeners; synchronous, in order of registration. */
  emit(event: Omit<SimEvent, 'atMs'>): void;
  onEvent(listener: (event: SimEvent) => void): void;
  /**
   * Resolves at the next change of the store. What a stream (watch, events, followed logs) waits for between messages; rejects
   * with `run/aborted` when the signal fires.
   */
  changed(signal: AbortSignal): Promise<void>;
  /**
   * Makes everything since the last commit durable. Call before acknowledging a mutation. Ring A: no disk, returns at once.
   */
  commit(): Promise<void>;
  /** Asks whether something goes wrong here now. Undefined nearly always; never draws when no fault of that kind is armed. */
  fault(point: string, facts: { readonly [fact: string]: Json }): SimFault | undefined;
}

export interface SimTimer {
  readonly atMs: number;
  readonly model: string;
  readonly kind: string;
  readonly key?: string;
  readonly data?: Json;
}

export interface SimModel {
  readonly name: string;
  onTimer(timer: SimTimer): void;
}

/** `kind` is `area/what`; the ground truth that invariants watch. No secrets. */
export interface SimEvent {
  readonly kind: string;
  readonly atMs: number;
  readonly facts: { readonly [fact: string]: Json };
}

export interface SimFault {
  readonly kind: string;
  readonly facts: { readonly [fact: string]: Json };
}

/** Flat key-value state: `talos/cp-1/config`, `kube/objects/v1/Secret/flux-system/sops-age`. Values are plain JSON, treated as frozen. */
export interface SimStore {
  get<T extends Json>(key: string): T | undefined;
  set(key: string, value: Json): void;
  delete(key: string): void;
  /** Sorted. */
  keys(prefix: string): readonly string[];
}
