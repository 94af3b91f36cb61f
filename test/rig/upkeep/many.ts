import { spawn } from 'node:child_process';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../process.ts';
import { lineOf, tellUpkeep } from './history.ts';
import { loadProduct } from './product.ts';
import { drawUpkeep } from './schedule.ts';
import { type Counts, createTally } from './tally.ts';

/** Histories of neighbouring seeds, and what they came to. */
export interface Told {
  readonly from: number;
  readonly count: number;
  /** One for each that broke a promise. */
  readonly wrong: readonly string[];
  readonly counts: Counts;
}

/** In this process. */
export async function tellSome(from: number, count: number, stories: readonly string[]): Promise<Told> {
  const product = await loadProduct();
  const tally = createTally();
  const wrong: string[] = [];
  for (let index = from; index < from + count; index += 1) {
    const upkeep = drawUpkeep(`upkeep-${index}`, stories);
    const history = await tellUpkeep(upkeep, product);
    tally.add(upkeep, history);
    if (history.violations.length > 0) wrong.push(lineOf(upkeep, history));
  }
  return { from, count, wrong, counts: tally.counts() };
}

/** In a process of its own, whose errors need no stacks. */
export async function tellApart(from: number, count: number, stories: readonly string[]): Promise<Told> {
  // Histories make much that is soon forgotten.
  const flags = ['--conditions=talos-tk-source', '--disable-warning=ExperimentalWarning', '--max-semi-space-size=64'];
  const args = [...flags, join(import.meta.dirname, 'run.ts')];
  const child = spawn(process.execPath, [...args, 'some', String(from), String(count), stories.join(',')], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const part of child.stdout) text += String(part);
  const line = text.split('\n').find((one) => one.startsWith('{'));
  if (line === undefined) throw new Error(`the histories from ${from} were not told to their end`);
  return JSON.parse(line) as Told;
}

export interface ManyOptions {
  readonly from: number;
  readonly count: number;
  readonly stories: readonly string[];
  readonly processes: number;
  /** What was told is kept in there, line by line: told again, only what is missing is told. */
  readonly file?: string;
  readonly onTold?: (told: Told, done: number) => void;
}

const chunk = 100;

/** Long runs: several processes, each with a hundred histories at a time. */
export async function tellMany({ from, count, stories, processes, file, onTold }: ManyOptions): Promise<Told> {
  const known = file === undefined ? [] : await keptIn(file);
  const tally = createTally();
  const wrong: string[] = [];
  let done = 0;
  const take = (told: Told) => {
    tally.merge(told.counts);
    wrong.push(...told.wrong);
    done += told.count;
    onTold?.(told, done);
  };
  const open: number[] = [];
  for (let start = from; start < from + count; start += chunk) {
    const kept = known.find((one) => one.from === start && one.count === Math.min(chunk, from + count - start));
    if (kept) take(kept);
    else open.push(start);
  }
  const worker = async () => {
    for (let start = open.shift(); start !== undefined; start = open.shift()) {
      const told = await tellApart(start, Math.min(chunk, from + count - start), stories);
      if (file !== undefined) await appendFile(file, `${JSON.stringify(told)}\n`);
      take(told);
    }
  };
  await Promise.all(Array.from({ length: processes }, worker));
  return { from, count: done, wrong, counts: tally.counts() };
}

async function keptIn(file: string): Promise<readonly Told[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as Told] : []));
}
