import { closeSync, linkSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { FileLock } from '../base/index.ts';
import { makeFolder, takeAway, toDisk } from './to-disk.ts';

/**
 * What lies in a lock file. A process is known by its number and its start time, a machine by its name and the boot that it is
 * in, so that a number which was given away again does not look like the old owner.
 */
interface Claim {
  readonly owner: string;
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  readonly host: string;
}

/**
 * Takes the lock, or says who has it. A lock whose process is gone is taken over; one of another machine (a shared folder)
 * cannot be judged from here and counts as held.
 *
 * Shape: `link` of a finished file is the atomic step, so a lock file is never seen half written.
 */
export async function acquireLock(path: string, owner: string): Promise<FileLock | { readonly heldBy: string }> {
  makeFolder(dirname(path));
  const text = JSON.stringify(await claimOfThisProcess(owner));
  for (;;) {
    if (await linkNew(path, text)) return { release: () => releaseIfOurs(path, text) };
    const seen = textOf(path);
    if (seen === undefined) continue;
    const claim = parseClaim(seen);
    if (claim && (await isAlive(claim))) return { heldBy: claim.owner };
    const broken = await breakStale(path, seen, text);
    if (!broken) return { heldBy: claim?.owner ?? 'unknown' };
  }
}

/**
 * Removes a stale lock file under a second lock of the same make, so that of two who found it stale only one removes it, and
 * nobody removes the fresh lock that followed. Returns false when somebody else is at it.
 */
async function breakStale(path: string, stale: string, text: string): Promise<boolean> {
  const guard = `${path}.takeover`;
  if (!(await linkNew(guard, text))) {
    const seen = textOf(guard);
    const claim = seen === undefined ? undefined : parseClaim(seen);
    if (claim && (await isAlive(claim))) return false;
    // Its owner died inside the few microseconds below. Moving it aside is atomic: one of several wins.
    takeAside(guard);
    return true;
  }
  try {
    if (textOf(path) === stale) unlinkSync(path);
  } finally {
    takeAway(guard);
  }
  return true;
}

async function linkNew(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${process.pid}-${strangeSuffix()}`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    try {
      writeFileSync(file, text);
      await toDisk(file);
    } finally {
      closeSync(file);
    }
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    takeAway(temporary);
  }
}

async function releaseIfOurs(path: string, text: string): Promise<void> {
  if (textOf(path) === text) takeAway(path);
}

function takeAside(path: string): void {
  try {
    renameSync(path, `${path}.${strangeSuffix()}`);
  } catch {
    // Another one was first.
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parseClaim(text: string): Claim | undefined {
  try {
    const claim = JSON.parse(text) as Partial<Claim>;
    return typeof claim.pid === 'number' && typeof claim.host === 'string' ? (claim as Claim) : undefined;
  } catch {
    return undefined;
  }
}

async function claimOfThisProcess(owner: string): Promise<Claim> {
  return { owner, pid: process.pid, started: (await startOf(process.pid)) ?? '', boot: await bootId(), host: hostname() };
}

async function isAlive(claim: Claim): Promise<boolean> {
  if (claim.host !== hostname()) return true;
  if (claim.boot !== (await bootId())) return false;
  try {
    process.kill(claim.pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if (!isErrno(error, 'EPERM')) return false;
  }
  const started = await startOf(claim.pid);
  return started === undefined || claim.started === '' || started === claim.started;
}

/** Something that differs between two processes which got the same number; undefined where it cannot be had. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      // The second field, the command, may itself hold spaces and brackets. Start time is field 22.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
      return fields?.[19];
    }
    if (process.platform === 'darwin') return await outputOf('ps', ['-o', 'lstart=', '-p', String(pid)]);
  } catch {
    return undefined;
  }
  return undefined;
}

async function bootId(): Promise<string> {
  try {
    if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    if (process.platform === 'darwin') return await outputOf('sysctl', ['-n', 'kern.bootsessionuuid']);
  } catch {
    return '';
  }
  return '';
}

/** Loaded by whoever needs it: most locks are free. */
function outputOf(command: string, args: readonly string[]): Promise<string> {
  const { execFile } = process.getBuiltinModule('node:child_process');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile(command, args, (error, stdout) => (error ? reject(error) : resolve(stdout.trim())));
  return promise;
}

/** So that two processes of one number, on two machines, never write one file. */
const strangeSuffix = (): string => process.getBuiltinModule('node:crypto').randomBytes(4).toString('hex');

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
