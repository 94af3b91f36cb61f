import { spawn } from 'node:child_process';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../process.ts';

/** What all processes of the swarm load is compiled once. */
const compiled = join(projectRoot, 'node_modules/.cache/tk-swarm');

/** The lines that `run.ts` says with these words, in a process of its own, whose errors need no stacks. */
export async function linesOf(words: readonly string[]): Promise<readonly string[]> {
  // Histories make much that is soon forgotten, and go through more code than is hot: the interpreter would be most of a short process.
  const flags = [
    '--conditions=talos-tk-source',
    '--disable-warning=ExperimentalWarning',
    '--max-semi-space-size=128',
    '--always-sparkplug',
  ];
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'run.ts'), ...words], {
    cwd: projectRoot,
    env: { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: compiled },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const part of child.stdout) text += String(part);
  return text.trim().split('\n');
}

/** Its last line is its answer. */
export async function inOwnProcess(words: readonly string[]): Promise<unknown> {
  const line = (await linesOf(words)).at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`${words.join(' ')} was not told to its end`);
  return JSON.parse(line);
}

export interface SliceOptions<T> {
  /** Words for `run.ts`, one list a slice, told in this order. More may be added by `onTold`. */
  readonly slices: (readonly string[])[];
  readonly processes: number;
  /** What was told is kept in there, line by line: started again with the same file, only what is missing is told. */
  readonly file?: string;
  readonly onTold?: (told: T, words: readonly string[]) => void;
}

/** Long runs: several processes, a slice each at a time. */
export async function tellSlices<T>({ slices, processes, file, onTold }: SliceOptions<T>): Promise<readonly T[]> {
  const kept = file === undefined ? new Map<string, T>() : await keptIn<T>(file);
  const all: T[] = [];
  const open = slices;
  const worker = async () => {
    for (let words = open.shift(); words !== undefined; words = open.shift()) {
      const known = kept.get(words.join(' '));
      const told = known ?? ((await inOwnProcess(words)) as T);
      if (file !== undefined && known === undefined) await appendFile(file, `${JSON.stringify({ words, told })}\n`);
      all.push(told);
      onTold?.(told, words);
    }
  };
  await Promise.all(Array.from({ length: processes }, worker));
  return all;
}

async function keptIn<T>(file: string): Promise<Map<string, T>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  // A line that was cut off is told again.
  const lines = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return new Map(
    lines.map((line) => {
      const { words, told } = JSON.parse(line) as { readonly words: readonly string[]; readonly told: T };
      return [words.join(' '), told];
    }),
  );
}
