import { type ChildProcess, spawn } from 'node:child_process';
import { baseFailure, type Clock, type Exec, type ExecOptions, type ExecResult, TkError } from '../base/index.ts';
import { hostFailure } from './failures.ts';

/** What a child gets of our own environment. */
const allowedEnv = ['PATH', 'HOME', 'LANG', 'TERM', 'TMPDIR'];

/** How long a child may take to end by itself after it was asked to. */
const graceMs = 5000;

export function createHostExec(clock: Clock): Exec {
  return { run: (argv, options) => clock.whileBusy(() => run(argv, options)) };
}

function run(argv: readonly [string, ...string[]], options: ExecOptions): Promise<ExecResult> {
  const [command, ...args] = argv;
  if (options.signal?.aborted) return Promise.reject(new TkError(baseFailure('run/aborted', { during: command })));
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...inheritedEnv(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Its own group: ending it ends what it started, and a Ctrl-C in the terminal reaches us first.
      detached: process.platform !== 'win32',
      windowsHide: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let ending: 'aborted' | 'timeout' | undefined;
    let force: NodeJS.Timeout | undefined;
    const end = (why: 'aborted' | 'timeout') => {
      if (ending) return;
      ending = why;
      killGroup(child, 'SIGTERM');
      force = setTimeout(() => killGroup(child, 'SIGKILL'), graceMs);
    };
    const abort = () => end('aborted');
    const timer = setTimeout(() => end('timeout'), options.timeoutMs);
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      clearTimeout(force);
      options.signal?.removeEventListener('abort', abort);
      finish();
    };
    options.signal?.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A child that does not read its input closes the pipe; its exit code tells more.
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin);
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      settle(() =>
        reject(
          error.code === 'ENOENT' || error.code === 'EACCES'
            ? new TkError(hostFailure('host/command-not-found', { command }))
            : new TkError(hostFailure('host/file', { operation: 'start', path: command, errno: error.code ?? error.message })),
        ),
      );
    });
    child.once('close', (code, signal) => {
      settle(() => {
        if (ending === 'aborted') reject(new TkError(baseFailure('run/aborted', { during: command })));
        else if (ending === 'timeout') reject(new TkError(hostFailure('host/command-timeout', { command, timeoutMs: options.timeoutMs })));
        else
          resolve({
            exitCode: code ?? 128 + (signal ? (signalNumbers[signal] ?? 0) : 0),
            stdout: new Uint8Array(Buffer.concat(stdout)),
            stderr: Buffer.concat(stderr).toString('utf8'),
          });
      });
    });
  });
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** What was started detached, and all that it has started itself. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

function inheritedEnv(): Record<string, string> {
  return Object.fromEntries(
    allowedEnv.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
