import type { ProcessPromise } from 'zx/core';
import { throwIfAborted } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import { killGroup } from '../host/index.ts';
import type { Log, Shell, ShellCommand, ShellOutput } from '../core/index.ts';

export interface ShellOptions {
  readonly model: ClusterModel;
  readonly log: Log;
  readonly isSandbox: boolean;
  /** The run's state directory; in the sandbox also the home of what is started. */
  readonly directory: string;
  /** Ends what is started, with all that it has started itself. */
  readonly signal: AbortSignal;
}

/** How long a command may take to end by itself after it was asked to. */
const graceMs = 5000;

/** In the sandbox only these know where they are: they go by KUBECONFIG and TALOSCONFIG. Anything else could touch what is real. */
const sandboxed = new Set(['kubectl', 'talosctl', 'flux']);

/**
 * The `$` of tasks: each value in the template is exactly one argument. Children see the credentials of this run's cluster.
 * In the sandbox every other command is recorded as skipped.
 */
export function createShell({ model, log, isSandbox, directory, signal }: ShellOptions): Shell {
  const environment = { KUBECONFIG: model.paths.kubeconfig, TALOSCONFIG: model.paths.talosconfig };
  return (pieces, ...values) => {
    const command = firstWord(pieces, values);
    if (isSandbox && !sandboxed.has(command)) {
      log(`skipped in the sandbox: ${shown(pieces, values)}`);
      return settled({ stdout: '', stderr: '', exitCode: 0 });
    }
    const env = { ...process.env, ...environment, ...(isSandbox ? { HOME: `${directory}/home` } : {}) };
    return started(pieces, values, { cwd: model.paths.root, env, signal });
  };
}

function started(
  pieces: TemplateStringsArray,
  values: readonly unknown[],
  { signal, ...options }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): ShellCommand {
  // In a box: a command of zx is a promise itself, and would be waited for right here.
  const running = import('zx/core').then(({ $ }) => {
    throwIfAborted(signal, firstWord(pieces, values));
    const child = $({ ...options, quiet: true, nothrow: true, detached: process.platform !== 'win32' })(pieces, ...(values as string[]));
    endOn(signal, child);
    return { child };
  });
  // Whoever waits for it is told.
  running.catch(() => {});
  return commandOf(async ({ nothrow, timeout }) => {
    const { child } = await running;
    const ended = await (timeout === undefined ? child : child.timeout(timeout as never));
    throwIfAborted(signal, firstWord(pieces, values));
    const output = { stdout: ended.stdout, stderr: ended.stderr, exitCode: ended.exitCode ?? 1 };
    if (output.exitCode !== 0 && !nothrow) {
      const { fail } = await import('../core/index.ts');
      fail(
        `${firstWord(pieces, values)} ended with exit code ${output.exitCode}`,
        output.stderr.trim() === '' ? {} : { because: output.stderr.trim() },
      );
    }
    return output;
  });
}

/** Each is in a process group of its own, so that the first Ctrl-C in a terminal reaches only us: what runs is let end. */
function endOn(signal: AbortSignal, child: ProcessPromise): void {
  let force: NodeJS.Timeout | undefined;
  const end = () => {
    if (child.child === undefined) return;
    killGroup(child.child, 'SIGTERM');
    force = setTimeout(killGroup, graceMs, child.child, 'SIGKILL');
  };
  signal.addEventListener('abort', end, { once: true });
  void child.finally(() => {
    signal.removeEventListener('abort', end);
    clearTimeout(force);
  });
}

const settled = (output: ShellOutput): ShellCommand => commandOf(async () => output);

/** The promise and the ways to ask for more. It starts at once; what it ends with is decided when somebody waits for it. */
function commandOf(
  finish: (options: { readonly nothrow: boolean; readonly timeout?: string }) => Promise<ShellOutput>,
  options: { readonly nothrow: boolean; readonly timeout?: string } = { nothrow: false },
): ShellCommand {
  let result: Promise<ShellOutput> | undefined;
  const promise = () => (result ??= finish(options));
  const text = async () => (await promise()).stdout.replace(/\n$/, '');
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- a command is awaited like the promise that it stands for
    then: (resolve, reject) => promise().then(resolve, reject),
    catch: (reject) => promise().catch(reject),
    finally: (done) => promise().finally(done),
    [Symbol.toStringTag]: 'ShellCommand',
    nothrow: () => commandOf(finish, { ...options, nothrow: true }),
    quiet: () => commandOf(finish, options),
    timeout: (duration) => commandOf(finish, { ...options, timeout: duration }),
    text,
    json: async <T>() => JSON.parse(await text()) as T,
    lines: async () => (await text()).split('\n'),
  };
}

function firstWord(pieces: TemplateStringsArray, values: readonly unknown[]): string {
  const start = pieces[0]?.trimStart() ?? '';
  const word = /^\S*/.exec(start)?.[0] ?? '';
  return word !== '' ? word : String(values[0] ?? '');
}

const shown = (pieces: TemplateStringsArray, values: readonly unknown[]): string =>
  pieces.reduce((text, piece, index) => `${text}${piece}${index < values.length ? String(values[index]) : ''}`, '');
