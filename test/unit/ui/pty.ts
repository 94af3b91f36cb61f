import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

/** A program on a terminal of the given size. */
export interface PtyProgram {
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Resolves when the terminal shows this; rejects when the program ends without it. */
  shows(text: string | RegExp): Promise<void>;
  /** Every line, those scrolled away included; trailing blank lines are left out. */
  lines(): string[];
  /** How many lines were scrolled away. */
  scrolled(): number;
  readonly exitCode: Promise<number>;
  raw(): string;
}

export function onPty(program: string, args: readonly string[], size: { readonly columns: number; readonly rows: number }): PtyProgram {
  const terminal = new xterm.Terminal({ cols: size.columns, rows: size.rows, scrollback: 5000, allowProposedApi: true });
  const file = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=talos-tk-source', file, ...args], {
    cols: size.columns,
    rows: size.rows,
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', HOME: process.env['HOME'] ?? '' },
  });
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  let raw = '';
  let unparsed = 0;
  const drained = Promise.withResolvers<number>();
  let exit: number | undefined;
  const settle = () => {
    if (exit !== undefined && unparsed === 0) drained.resolve(exit);
  };
  child.onData((chunk) => {
    raw += chunk;
    unparsed += 1;
    terminal.write(chunk, () => {
      unparsed -= 1;
      changed();
      settle();
    });
  });
  child.onExit(({ exitCode }) => {
    exit = exitCode;
    changed();
    // The last bytes may still be on their way through the pty.
    setImmediate(() => setImmediate(settle));
  });
  const lines = () => {
    const buffer = terminal.buffer.active;
    const all = Array.from({ length: buffer.length }, (_, index) => buffer.getLine(index)?.translateToString(true) ?? '');
    while (all.at(-1) === '') all.pop();
    return all;
  };
  return {
    type: (keys) => child.write(keys),
    resize(columns, rows) {
      terminal.resize(columns, rows);
      child.resize(columns, rows);
    },
    shows: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const all = lines().join('\n');
          if (typeof text === 'string' ? all.includes(text) : text.test(all)) resolve();
          else if (exit !== undefined && unparsed === 0) reject(new Error(`the program ended without showing ${text}:\n${all}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    lines,
    scrolled: () => terminal.buffer.active.baseY,
    exitCode: drained.promise,
    raw: () => raw,
  };
}
