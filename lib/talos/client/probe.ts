import { hasCode, type TalosTrust, TkError } from '../../base/index.ts';
import type { MachineStatus, TalosVersion } from './machine-facts.ts';
import { createTalosReader, type TalosReader } from './reader.ts';
import type { Detours, TalosPorts } from './session.ts';

export type MachineProbe =
  | {
      readonly state: 'maintenance';
      /** Pin this for everything that follows. */
      readonly spkiSha256: string;
      /** Absent up to 1.12, whose maintenance mode does not tell. */
      readonly version?: TalosVersion;
    }
  | { readonly state: 'configured'; readonly version: TalosVersion; readonly status: MachineStatus; readonly spkiSha256: string }
  /** It runs with another cluster's certificates, or does not accept ours, or we have none to tell. */
  | { readonly state: 'foreign'; readonly because: 'unknown-authority' | 'certificate-rejected' | 'no-credentials' }
  | { readonly state: 'unreachable'; readonly reason: string };

export interface ProbedMachine {
  readonly node: string;
  readonly host: string;
  readonly port?: number;
  /** This cluster's admin credentials; absent before there are any. */
  readonly trust?: Extract<TalosTrust, { kind: 'mutual' }>;
  readonly detours?: Detours;
  /** Asks with these credentials over a connection that is there. Absent: over one of its own. */
  readonly over?: <T>(use: (reader: TalosReader) => Promise<T>) => Promise<T>;
}

/**
 * Tells what kind of machine answers under an address. Reads only.
 *
 *     with our credentials ── accepted ─────────────────────────▶ configured
 *          │ their authority is not ours
 *          ▼
 *     without ── accepted ──▶ maintenance      ── "certificate required" ──▶ foreign
 *
 * Failure: only `run/aborted`; a machine that cannot be reached is an answer.
 */
export async function probeMachine(ports: TalosPorts, machine: ProbedMachine, signal: AbortSignal): Promise<MachineProbe> {
  const { trust } = machine;
  if (trust) {
    const seen = await attempt(() => asConfigured(ports, { ...machine, trust }, signal));
    if ('probe' in seen) return seen.probe;
    if (seen.reason !== 'unknown-authority') return refused(seen.reason);
  }
  const seen = await attempt(() => asMaintenance(ports, machine, signal));
  if ('probe' in seen) return seen.probe;
  if (seen.reason === 'certificate-required') return { state: 'foreign', because: trust ? 'unknown-authority' : 'no-credentials' };
  return refused(seen.reason);
}

function refused(reason: string): MachineProbe {
  return reason === 'certificate-rejected' ? { state: 'foreign', because: reason } : { state: 'unreachable', reason };
}

async function attempt(work: () => Promise<MachineProbe>): Promise<{ readonly probe: MachineProbe } | { readonly reason: string }> {
  try {
    return { probe: await work() };
  } catch (error) {
    if (hasCode(error, 'talos/unreachable')) return { reason: String(error.failure.facts.reason) };
    if (hasCode(error, 'talos/unavailable', 'talos/deadline'))
      return { reason: error.failure.code === 'talos/deadline' ? 'timeout' : 'reset' };
    // It speaks and says no: our role, or a machine that is in the middle of something.
    if (error instanceof TkError && error.failure.code === 'talos/permission-denied') return { reason: 'certificate-rejected' };
    throw error;
  }
}

async function asConfigured(
  ports: TalosPorts,
  machine: ProbedMachine & { readonly trust: TalosTrust },
  signal: AbortSignal,
): Promise<MachineProbe> {
  const ask = async (reader: TalosReader): Promise<MachineProbe> => {
    const version = await reader.version(signal);
    const status = await reader.machineStatus(signal);
    return { state: 'configured', version, status, spkiSha256: (await reader.peer(signal)).spkiSha256 };
  };
  if (machine.over) return machine.over(ask);
  const reader = createTalosReader(ports, machine);
  try {
    return await ask(reader);
  } finally {
    reader.close();
  }
}

async function asMaintenance(ports: TalosPorts, { node, host, port }: ProbedMachine, signal: AbortSignal): Promise<MachineProbe> {
  const reader = createTalosReader(ports, { node, host, ...(port === undefined ? {} : { port }), trust: { kind: 'insecure' } });
  try {
    const { spkiSha256 } = await reader.peer(signal);
    try {
      return { state: 'maintenance', spkiSha256, version: await reader.version(signal) };
    } catch (error) {
      // Up to 1.12 maintenance mode answers so; from 1.13 on it may refuse by role.
      if (hasCode(error, 'talos/unimplemented', 'talos/permission-denied')) return { state: 'maintenance', spkiSha256 };
      throw error;
    }
  } finally {
    reader.close();
  }
}
