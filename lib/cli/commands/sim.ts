import { count, formatDuration, TkError } from '../../base/index.ts';
import { findRepository } from '../../config/index.ts';
import { attachSandbox, readSandbox, resetSandbox, type SandboxStatus } from '../../sim/index.ts';
import { cliFailure } from '../failures.ts';
import { clusterDirectory, sandboxDirectory } from '../sandbox/open.ts';
import type { CommandContext } from './command.ts';

/** Of the process that keeps the sandbox, or as it lies on the disk. Failure: `usage/no-sandbox`. */
export async function status(context: CommandContext): Promise<number> {
  const { world, signal } = context;
  const root = await rootOf(context);
  const directory = clusterDirectory(root);
  const attached = await attachSandbox(world, directory);
  const found = attached ? await attached.status(signal) : await readSandbox(world, directory);
  if (!found) throw new TkError(cliFailure('usage/no-sandbox', { directory: sandboxDirectory(root) }));
  context.print(context.json ? `${JSON.stringify({ schema: 1, isListening: attached !== undefined, ...found })}\n` : textOfStatus(found));
  return 0;
}

/** Machines, files and journals of the sandbox. Failure: `sim/in-use` while a process has it open. */
export async function reset(context: CommandContext): Promise<number> {
  const { world } = context;
  const root = await rootOf(context);
  const isThere = (await world.files.stat(sandboxDirectory(root))) !== undefined;
  await resetSandbox(world, clusterDirectory(root));
  await world.files.removeTree(sandboxDirectory(root));
  context.note(isThere ? 'the sandbox is gone' : 'there was no sandbox');
  return 0;
}

async function rootOf({ world, directory, isExactDirectory }: CommandContext): Promise<string> {
  return (await findRepository(world.files, directory, { exactly: isExactDirectory })).root;
}

function textOfStatus({ machines, etcd, virtualMs, vipHolder }: SandboxStatus): string {
  const rows = machines.map((machine) => [
    machine.name,
    machine.address,
    machine.role,
    machine.power === 'on' ? machine.stage : 'off',
    machine.talosVersion,
    [...(machine.etcd ? [`etcd ${machine.etcd}`] : []), ...(machine.name === vipHolder ? ['floating address'] : [])].join(', '),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const quorum =
    etcd.clusters === 0 ? 'etcd not bootstrapped' : `etcd ${count(etcd.members, 'member')}${etcd.hasQuorum ? '' : ', no quorum'}`;
  return `${[...lines, '', `${quorum} · ${formatDuration(virtualMs)} of simulated time`].join('\n')}\n`;
}
