import { spawn } from '@lydell/node-pty';
import { type Finished, launcher, type RunOptions } from './process.ts';

const signalNames: Readonly<Record<number, NodeJS.Signals>> = { 2: 'SIGINT', 9: 'SIGKILL', 15: 'SIGTERM' };

/**
 * Runs the command on a terminal of its own, where both outputs are one. Ctrl-C is a key there: the terminal makes the signal of it. By
 * itself it would also throw away what nobody has read by then, in the middle of a line.
 */
export function runTkOnTerminal(args: readonly string[], { cwd, env, watch }: RunOptions): Promise<Finished> {
  const { HOME = '', PATH = '', TMPDIR } = process.env;
  const child = spawn('sh', ['-c', 'stty noflsh; exec "$0" "$@"', process.execPath, launcher, ...args], {
    cols: 100,
    rows: 30,
    cwd,
    env: { HOME, PATH, TERM: 'xterm-256color', ...(TMPDIR ? { TMPDIR } : {}), ...env },
  });
  let stderr = '';
  child.onData((text) => {
    stderr += text;
    watch?.(stderr, (signal) => (signal === 'SIGINT' ? child.write('\x03') : child.kill(signal)));
  });
  return new Promise((resolve) => {
    child.onExit(({ exitCode, signal }) => {
      const name = signal ? signalNames[signal] : undefined;
      // The last bytes may still be on their way through the terminal.
      setImmediate(() => setImmediate(() => resolve({ exitCode: name ? null : exitCode, signal: name ?? null, stdout: '', stderr })));
    });
  });
}
