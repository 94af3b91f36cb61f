import { homedir } from 'node:os';
import type { WriteStream } from 'node:tty';
import type { Env, Terminal, TerminalStream } from '../base/index.ts';

export function createHostTerminal(): Terminal {
  return {
    stdout: streamOf(process.stdout),
    stderr: streamOf(process.stderr),
    // In this order: to make standard input costs as much as reading a small file, and most who are not asked have no screen either.
    isInteractive: process.stderr.isTTY === true && process.stdin.isTTY === true,
  };
}

/** Sizes are read anew each time: windows get resized. */
function streamOf(stream: WriteStream): TerminalStream {
  return {
    isTty: stream.isTTY === true,
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
    write(text) {
      stream.write(text);
    },
  };
}

export function createHostEnv(): Env {
  return {
    get: (name) => process.env[name],
    home: homedir(),
    platform: process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux',
  };
}
