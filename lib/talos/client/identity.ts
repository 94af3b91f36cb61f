import { hasCode, type TalosConnection, TkError } from '../../base/index.ts';
import { talosFailure } from './failures.ts';
import type { MachineRole, TalosVersion } from './machine-facts.ts';
import { readerOver, type TalosReader } from './reader.ts';
import { createSession, type TalosMachine, type TalosPorts } from './session.ts';

/**
 * Who a machine has to be before anything is changed on it. A fact that is absent is not compared; at least one has to be there.
 * In maintenance mode anybody may answer under the address, so there the certificate that preflight saw is the anchor.
 */
export interface ExpectedIdentity {
  /** base64(SHA-256(SPKI)) of the server certificate. Configured machines get a new certificate every twelve hours: leave it out. */
  readonly spkiSha256?: string;
  /** Of the firmware tables, lower case. */
  readonly uuid?: string;
  /** Lower case with colons. Each has to be there; more may be. */
  readonly macs?: readonly string[];
  /** Serial numbers of disks that have to be there. */
  readonly diskSerials?: readonly string[];
  readonly hostname?: string;
  readonly role?: Exclude<MachineRole, 'unknown'>;
}

interface Difference {
  readonly fact: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * Compares the machine behind this very connection with what is expected.
 *
 * Failure: `talos/wrong-machine` with every difference; what the reads themselves bring.
 */
export async function verifyIdentity(
  ports: TalosPorts,
  machine: TalosMachine,
  connection: TalosConnection,
  expected: ExpectedIdentity,
  signal: AbortSignal,
): Promise<void> {
  const pinned = { clock: ports.clock, dial: { talos: async () => connection } };
  const reader = readerOver(createSession(pinned, machine, { beforeMutation: 'refuse' }));
  await proveIdentity(reader, connection.peer.spkiSha256, expected, signal);
}

/** What a machine said while it proved who it is. */
export interface Proven {
  /** Absent: maintenance mode up to 1.12 does not tell. */
  readonly version?: TalosVersion;
}

/** The same for a machine that is only looked at. Failure: `talos/wrong-machine`. */
export async function proveIdentity(
  reader: TalosReader,
  spkiSha256: string,
  expected: ExpectedIdentity,
  signal: AbortSignal,
): Promise<Proven> {
  const { machine } = reader;
  let version: TalosVersion | undefined;
  const differences: Difference[] = [];
  const compare = (fact: string, wanted: string | undefined, found: string) => {
    if (wanted !== undefined && wanted !== found) differences.push({ fact, expected: wanted, found: found || 'none' });
  };
  const includes = (fact: string, wanted: readonly string[], found: readonly string[]) => {
    for (const one of wanted) if (!found.includes(one)) differences.push({ fact, expected: one, found: found.join(', ') || 'none' });
  };

  compare('certificate', expected.spkiSha256, spkiSha256);
  // Whoever shows another certificate is not asked anything.
  if (differences.length === 0) {
    // A connection that died while it was idle shows here, where nothing is lost.
    version = await answered(reader, signal);
    if (expected.uuid !== undefined) compare('uuid', expected.uuid, (await reader.systemInformation(signal))?.uuid ?? '');
    if (expected.macs !== undefined) {
      const links = await reader.links(signal);
      includes(
        'mac',
        expected.macs,
        [...new Set(links.filter((link) => link.isPhysical).flatMap((link) => [link.permanentMac, link.mac]))].filter(Boolean),
      );
    }
    if (expected.diskSerials !== undefined) {
      includes('disk serial', expected.diskSerials, (await reader.disks(signal)).map((disk) => disk.serial).filter(Boolean));
    }
    if (expected.hostname !== undefined) compare('hostname', expected.hostname, (await reader.hostname(signal)) ?? '');
    if (expected.role !== undefined) compare('role', expected.role, await roleOf(reader.machineType(signal)));
  }
  if (differences.length === 0) return version === undefined ? {} : { version };
  throw new TkError(talosFailure('talos/wrong-machine', { node: machine.node, address: machine.host, differences }));
}

/** Any answer will do: maintenance mode up to 1.12 answers that it knows no such call. */
async function answered(reader: TalosReader, signal: AbortSignal): Promise<TalosVersion | undefined> {
  try {
    return await reader.version(signal);
  } catch (error) {
    if (!hasCode(error, 'talos/unimplemented', 'talos/permission-denied')) throw error;
    return undefined;
  }
}

/** A reader role may not see it; then it is not known, which is not the expected role either. */
async function roleOf(role: Promise<MachineRole>): Promise<string> {
  try {
    return await role;
  } catch (error) {
    if (hasCode(error, 'talos/permission-denied')) return '';
    throw error;
  }
}
