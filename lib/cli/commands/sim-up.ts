import { join } from 'node:path';
import { hasCode, TkError } from '../../base/index.ts';
import { findRepository } from '../../config/index.ts';
import { kubeconfigOutside, talosconfigOutside } from '../../sim/index.ts';
import { cliFailure } from '../failures.ts';
import { openSandboxWorld, sandboxDirectory, type SandboxWorld } from '../sandbox/open.ts';
import type { CommandContext } from './command.ts';
import { textOf } from './inputs.ts';

const lookAgainMs = 1000;

/** Ends when its signal fires. Failure: `sim/in-use`; everything that is wrong with the inputs. */
export async function run(context: CommandContext): Promise<number> {
  const { world, directory, isExactDirectory, signal } = context;
  const speed = speedOf(textOf(context.values, 'speed'));
  const repository = await findRepository(world.files, directory, { exactly: isExactDirectory });
  const folder = sandboxDirectory(repository.root);
  const outside = { talosconfig: join(folder, 'talosconfig'), kubeconfig: join(folder, 'kubeconfig') };
  const sandbox = await openSandboxWorld({ world, repository, time: 'follow', speed });
  try {
    await lead(context, sandbox, outside);
    context.print(`export TALOSCONFIG=${quoted(outside.talosconfig)}\nexport KUBECONFIG=${quoted(outside.kubeconfig)}\n`);
    context.note(`${sandbox.model.name}: ${sandbox.model.nodes.map((node) => `${node.name} ${node.address}`).join(', ')}`);
    if ((await sandbox.world.files.stat(sandbox.model.paths.talosconfig)) === undefined)
      context.note('The machines wait for a configuration: npx tk bootstrap --sim, in another terminal.');
    context.note('Tasks with --sim use this sandbox while it is up. Ctrl-C ends it; its state stays.');
    for (;;) {
      await world.clock.sleep(lookAgainMs, signal);
      await lead(context, sandbox, outside);
    }
  } catch (error) {
    if (hasCode(error, 'run/aborted') && signal.aborted) return 0;
    throw error;
  } finally {
    // They name ports that nobody listens on any more.
    await Promise.all(Object.values(outside).map((path) => world.files.remove(path)));
    await sandbox.close();
  }
}

interface Outside {
  readonly talosconfig: string;
  readonly kubeconfig: string;
}

/** Credentials as the sandbox's tasks made them, led to where the machines listen. Ports come and go while machines boot. */
async function lead(context: CommandContext, sandbox: SandboxWorld, outside: Outside): Promise<void> {
  const { paths } = sandbox.model;
  const talosconfig = await sandbox.world.files.readText(paths.talosconfig);
  const kubeconfig = await sandbox.world.files.readText(paths.kubeconfig);
  const endpoints = sandbox.endpoints();
  await put(context, outside.talosconfig, talosconfig === undefined ? undefined : talosconfigOutside(talosconfig, endpoints));
  await put(context, outside.kubeconfig, kubeconfig === undefined ? undefined : kubeconfigOutside(kubeconfig, endpoints));
}

async function put(context: CommandContext, path: string, text: string | undefined): Promise<void> {
  const { world } = context;
  const standing = await world.files.readText(path);
  if (standing === text) return;
  if (text === undefined) return world.files.remove(path);
  await world.files.write(path, text, { mode: 0o600 });
  if (standing === undefined) context.note(`wrote ${path}`);
}

function speedOf(text: string | undefined): number {
  const speed = text === undefined ? 1 : Number(text);
  if (!Number.isFinite(speed) || speed <= 0 || speed > 1000)
    throw new TkError(cliFailure('usage/bad-value', { flag: '--speed', value: text ?? '', expected: 'a number from above 0 to 1000' }));
  return speed;
}

/** For a shell. */
const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
