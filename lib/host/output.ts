import { Buffer } from 'node:buffer';
import { fstatSync, writeSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import type { TerminalStream } from '../base/index.ts';

/**
 * Output of the command. Node's own streams are made of sockets, which cost a quick command more to load than it has to say: the first
 * of what goes to a pipe or a file is written directly. A reader that has not come to it yet never keeps us waiting for that much.
 * Whatever is unusual (a screen, a reader that has gone, a full pipe) is left to Node's stream, which then has the rest.
 */
export const standardOutput: TerminalStream = outputOf(1, () => process.stdout);
export const standardError: TerminalStream = outputOf(2, () => process.stderr);

type Failed = (error: NodeJS.ErrnoException) => void;
let failed: Failed | undefined;

/** This process is a command: its output is its own. `onError` hears what Node's streams say of a reader that has gone. */
export function ownOutput(onError: Failed): void {
  failed = onError;
}

/** A pipe takes 64 KiB before anybody has read of it, and others may write to the same. */
const mostDirectBytes = 16 * 1024;

function outputOf(fd: 1 | 2, nodeStream: () => WriteStream): TerminalStream {
  let node: WriteStream | undefined;
  let directBytes: number | undefined;
  const stream = (): WriteStream => {
    if (!node) {
      node = nodeStream();
      if (failed) node.on('error', failed);
    }
    return node;
  };
  /** How much may still be written directly. */
  const left = (): number => (directBytes ??= failed === undefined || node !== undefined ? 0 : roomOf(fd));
  return {
    get isTty() {
      return left() === 0 && stream().isTTY === true;
    },
    /** Sizes are read anew each time: windows get resized. */
    get columns() {
      return (left() === 0 && stream().columns) || 80;
    },
    get rows() {
      return (left() === 0 && stream().rows) || 24;
    },
    write(text) {
      if (left() === 0) return void stream().write(text);
      const bytes = Buffer.from(text);
      const written = bytes.length > left() ? 0 : writeDirectly(fd, bytes);
      directBytes = written < bytes.length ? 0 : left() - written;
      if (written < bytes.length) stream().write(bytes.subarray(written));
    },
  };
}

/** Of files there is no end; a screen has room for nothing, because Node's stream knows its size. */
function roomOf(fd: number): number {
  if (process.platform === 'win32') return 0;
  try {
    const found = fstatSync(fd);
    return found.isFile() ? Number.POSITIVE_INFINITY : found.isFIFO() || found.isSocket() ? mostDirectBytes : 0;
  } catch {
    return 0;
  }
}

/** How many bytes were taken. */
function writeDirectly(fd: number, bytes: Buffer): number {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written);
  } catch {
    // Node's stream meets the same, and knows what to do.
  }
  return written;
}
