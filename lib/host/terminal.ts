import { homedir } from 'node:os';
import type { Env, Terminal } from '../base/index.ts';
import { standardError, standardOutput } from './output.ts';

export function createHostTerminal(): Terminal {
  return {
    stdout: standardOutput,
    stderr: standardError,
    // In this order: to make standard input costs as much as reading a small file, and most who are not asked have no screen either.
    isInteractive: standardError.isTty && process.stdin.isTTY === true,
  };
}

export function createHostEnv(): Env {
  return {
    get: (name) => process.env[name],
    home: homedir(),
    platform: process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux',
  };
}
