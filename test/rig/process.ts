import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The checkout. */
export const projectRoot = join(import.meta.dirname, '../..');
export const launcher = join(projectRoot, 'lib/cli/tk.js');

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

/** A folder of its own with these files in it; gone at the end of the scope. */
export function temporaryFolder(files: Readonly<Record<string, string>> = {}): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'tk-e2e-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Finished {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly launcher?: string;
  /** Called with everything that standard error has said so far; may kill the child. */
  readonly watch?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the command as a user would: a process of its own, no terminal, a closed standard input. */
export function runTk(args: readonly string[], options: RunOptions): Promise<Finished> {
  return runProcess(process.execPath, [options.launcher ?? launcher, ...args], options);
}

export function runProcess(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { HOME, PATH, TMPDIR } = process.env;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...(HOME ? { HOME } : {}), ...(PATH ? { PATH } : {}), ...(TMPDIR ? { TMPDIR } : {}), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.watch?.(stderr, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}
