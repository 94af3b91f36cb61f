import { type Branch, branches } from './branches.ts';
import { codesTold } from './codes-told.ts';
import { type History, tellHistory } from './history.ts';
import { prepared } from './prepare.ts';
import { type Schedule, scheduleOf } from './schedule.ts';
import { shrink } from './shrink.ts';
import type { Story } from './story.ts';

export type Counts = Readonly<Record<string, number>>;

export interface Told {
  readonly histories: number;
  readonly attempts: number;
  readonly deaths: number;
  readonly faults: Counts;
  readonly branches: Readonly<Record<Branch, number>>;
  /** Failures that a person was told, those that were overcome and causes included, by code. */
  readonly codes: Counts;
  readonly wrong: readonly Wrong[];
}

export interface Wrong {
  readonly seed: string;
  readonly violations: readonly string[];
  readonly attempts: readonly string[];
  /** The line that tells this history again. */
  readonly replay: string;
  readonly smallest: Schedule;
}

/** Each so many-th history is told again at the end, when the process has told all the others, and has to be the same. */
const toldTwice = 50;
/** After so many that went wrong nobody reads on. */
const mostWrong = 5;

/** Tells the histories of these seeds, counts what happened in them, and makes those that went wrong small. */
export async function tellMany(story: Story, seeds: { readonly first: number; readonly count: number }, file: string): Promise<Told> {
  const faults: Record<string, number> = {};
  const codes: Record<string, number> = {};
  const taken = Object.fromEntries(Object.keys(branches).map((name) => [name, 0])) as Record<Branch, number>;
  const wrong: Wrong[] = [];
  let [histories, attempts, deaths] = [0, 0, 0];
  const add = (counts: Record<string, number>, name: string, times = 1) => {
    counts[name] = (counts[name] ?? 0) + times;
  };
  const told = new Map<number, string>();
  const fail = async (index: number, schedule: Schedule, history: History, violations: readonly string[]) => {
    wrong.push({
      seed: schedule.seed,
      violations,
      attempts: history.attempts.map(lineOf),
      replay: `TK_SWARM_FROM=${index} TK_SWARM=1 npx vitest run ${file}`,
      smallest: await shrink(story, schedule, await prepared(schedule)),
    });
  };
  for (let index = seeds.first; index < seeds.first + seeds.count && wrong.length < mostWrong; index += 1) {
    const schedule = scheduleOf(`swarm-${index}`);
    const tasks = await prepared(schedule);
    const history = await tellHistory(story, schedule, tasks);
    histories += 1;
    attempts += history.attempts.length;
    for (const [name, hits] of Object.entries(history.faultHits)) add(faults, name, hits);
    for (const branch of history.branches) taken[branch] += 1;
    for (const attempt of history.attempts) {
      if (attempt.exit === 'dead') deaths += 1;
      for (const code of codesTold(attempt)) add(codes, code);
    }
    if (index % toldTwice === 0) told.set(index, history.fingerprint);
    if (history.violations.length > 0) await fail(index, schedule, history, history.violations);
  }
  for (const [index, fingerprint] of told) {
    if (wrong.length >= mostWrong) break;
    const schedule = scheduleOf(`swarm-${index}`);
    const again = await tellHistory(story, schedule, await prepared(schedule));
    if (again.fingerprint !== fingerprint)
      await fail(index, schedule, again, [`I-19 the same seed gave ${fingerprint} and ${again.fingerprint}`]);
  }
  return { histories, attempts, deaths, faults, branches: taken, codes, wrong };
}

const lineOf = ({ exit, failures }: History['attempts'][number]): string => [exit, ...failures.map(({ code }) => code)].join(' ');

/** For the person who reads the log: what was hit how often. */
export function tableOf({ histories, attempts, deaths, faults, branches: taken, codes }: Told, from: number): string {
  const table = (title: string, counts: Counts) => [
    title,
    ...Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${String(count).padStart(7)}  ${name}`),
  ];
  return [
    `${histories} histories from seed swarm-${from}: ${attempts} runs of tk, ${deaths} of them killed`,
    ...table('faults', faults),
    ...table('ways out of trouble', taken),
    ...table('failures told', codes),
    '',
  ].join('\n');
}
