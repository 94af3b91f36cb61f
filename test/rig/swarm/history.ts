import { createHash } from 'node:crypto';
import type { Task } from '../../../lib/core/index.ts';
import { type ReadJournal, readJournal } from '../../../lib/core/journal.ts';
import type { EndState, SimEvent } from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import { type Branch, branchesOf } from './branches.ts';
import { doneTo } from './deeds.ts';
import type { OperationKind } from './mortal-world.ts';
import { impatience } from './patience.ts';
import { type RestState, restOf } from './rest-state.ts';
import { calmAfterMs, type Schedule, undisturbed } from './schedule.ts';
import { type Attempt, openSite, root } from './site.ts';
import type { Command, Story } from './story.ts';

export interface History {
  readonly attempts: readonly Attempt[];
  /** What must never be, and was. */
  readonly violations: readonly string[];
  readonly faultHits: Readonly<Record<string, number>>;
  /** Ways out of trouble that were taken. */
  readonly branches: readonly Branch[];
  /** What each attempt did on files and wires, one after the other. */
  readonly operations: readonly (readonly OperationKind[])[];
  /** What the cluster and the workstation came to. */
  readonly rest: RestState;
  readonly fingerprint: string;
  readonly virtualMs: number;
}

/** Where the wall clock of ring A starts. */
const epochMs = 1_767_600_000_000;
/** A person gives up after this many tries of one command. */
const mostAttempts = 12;
/** And stops trying for a while after so many. */
const patience = 8;

/** Tells one history, from bare machines to its end. The same schedule gives the same history. */
export async function tellHistory(story: Story, schedule: Schedule, tasks: ReadonlyMap<string, Task>): Promise<History> {
  const site = await openSite(story, schedule, tasks);
  const { memory, invariants, happened, talos } = site;
  const { kernel } = memory;
  const wrong: string[] = [];
  const attempts: Attempt[] = [];
  const random = createSeededRandom(schedule.seed, 'crash');
  /** As a person would: again and again, a little later. */
  const insist = async (command: Command): Promise<Attempt | undefined> => {
    const ends = command.ends ?? [0];
    for (let tries = 0; tries < mostAttempts; tries += 1) {
      const number = attempts.length;
      const deed = schedule.deeds[number];
      const done = doneTo(memory.files, deed);
      await done.do();
      const last = await site.attempt(command, {
        dieAfter: schedule.deaths[number],
        stopAt: schedule.stops[number],
        onFullDisk: deed === 'fill-disk',
      });
      attempts.push(last);
      for (const failure of last.failures)
        if (failure.code === 'internal/unexpected') wrong.push(`a defect: ${JSON.stringify(failure.facts)}`);
      if (typeof last.exit === 'number' && ends.includes(last.exit)) return last;
      await done.undo();
      if (last.exit === 'dead') {
        site.crash(random);
        // What a person moved is not what a power cut left.
        if (schedule.deeds.slice(0, attempts.length).every((one) => one === undefined)) invariants.afterCrash(memory.files.copy());
      }
      // Refusals end at once: who was refused again and again comes back when it has become quiet.
      const untilCalmMs = calmAfterMs - kernel.clock.monotonicMs();
      if (tries === patience && untilCalmMs > 0) await kernel.clock.sleep(untilCalmMs);
      await kernel.clock.sleep(1000 + Math.floor(random.fraction() * 60_000));
    }
    return undefined;
  };

  const commands = story.commands(schedule);
  let end: Attempt | undefined;
  for (const command of commands) {
    end = await insist(command);
    if (end) continue;
    invariants.gaveUp(command.task, attempts.at(-1)?.failures.map(({ code }) => code) ?? []);
    break;
  }
  if (end?.exit === 0) {
    // The proof of exit 0 is taken at that very moment, not after the dust has settled.
    const missing = withoutLatePowerCuts(invariants.missing(), end, happened);
    invariants.claimedDone([...missing, ...(story.missing?.({ model: site.model, schedule }) ?? [])]);
    await kernel.clock.sleep(calmAfterMs);
    invariants.claimedDone(invariants.missing());
    if (schedule.isAskedAgain) {
      const again = await site.attempt(commands.at(-1) as Command);
      if (again.exit !== 0 || again.changes !== 0)
        wrong.push(`a further run ended with ${again.exit} and ${again.changes} changes: ${JSON.stringify(again.failures)}`);
    }
    if (isDisturbed(schedule)) invariants.cameTo(await calmEnd(story, schedule, tasks));
  }
  for (const attempt of attempts) wrong.push(...impatience(attempt, site));
  for (const { events } of attempts) invariants.inspect('what a run told', JSON.stringify(events));
  invariants.inspect('standard output', site.printed());
  const left = memory.files.snapshot();
  const virtualMs = kernel.clock.monotonicMs();
  await kernel.close();
  return {
    attempts,
    violations: [...wrong, ...site.violations()],
    faultHits: kernel.faultHits(),
    branches: branchesOf({ attempts, happened, faults: site.faults, journals: journalsIn(left) }),
    operations: site.operations,
    virtualMs,
    // Of most histories nobody asks for these two.
    get rest() {
      return restOf({ cluster: invariants.endState(), files: memory.files.copy(), talos, kube: site.kube(), root });
    },
    get fingerprint() {
      return fingerprintOf(happened, attempts);
    },
  };
}

/** A machine that lost its power after it was looked at last is nobody's lie. */
function withoutLatePowerCuts(missing: readonly string[], end: Attempt, happened: readonly SimEvent[]): readonly string[] {
  const verifiedMs = startOf(end, 'bootstrap:verify');
  const offSince = happened
    .filter(({ kind, atMs }) => kind === 'talos/power-off' && atMs >= verifiedMs)
    .map(({ facts }) => String(facts.node));
  return missing.filter((what) => !offSince.some((node) => what.startsWith(`${node} `)));
}

const isDisturbed = ({ faults, deaths, stops, deeds }: Schedule): boolean =>
  faults.length > 0 || [...deaths, ...stops, ...deeds].some((one) => one !== undefined);

const calm = new Map<string, Promise<EndState>>();

/**
 * What this cluster comes to when nothing goes wrong. Told once per process and version, of a cluster that has every machine of this
 * one: what a machine comes to does not depend on how many others there are.
 */
async function calmEnd(story: Story, schedule: Schedule, tasks: ReadonlyMap<string, Task>): Promise<EndState> {
  const { talos, controlPlanes, workers } = schedule;
  const isSmall = controlPlanes <= 3 && workers <= 3;
  const key = `${story.name} ${talos} ${isSmall}`;
  const whole =
    calm.get(key) ??
    tellHistory(
      story,
      undisturbed({ ...schedule, seed: `calm ${key}`, controlPlanes: isSmall ? 3 : 5, workers: isSmall ? 3 : 8, tree: false }),
      tasks,
    ).then(({ rest }) => rest.cluster);
  calm.set(key, whole);
  const { machines, members, nodes, acts } = await whole;
  const isHere = (name: string) => {
    const [role, number] = [name.replace(/-\d+$/, ''), Number(/\d+$/.exec(name)?.[0])];
    return number <= (role === 'cp' ? controlPlanes : workers);
  };
  const here = <T>(all: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(all).filter(([name]) => isHere(name)));
  return { machines: here(machines), members: members.filter(isHere), nodes: here(nodes), acts };
}

/** On the virtual clock; 0 when this run had no such task. */
function startOf({ events }: Attempt, name: string): number {
  const started = events.find((event) => event.event === 'task-started' && event.task === name);
  return started === undefined ? 0 : started.atMs - epochMs;
}

/** Of everything that happened, in order, on the machines and in tk. Signatures are random, and so are the digests of what is signed. */
function fingerprintOf(happened: readonly SimEvent[], attempts: readonly Attempt[]): string {
  const hash = createHash('sha256');
  for (const { atMs, kind, facts } of happened) hash.update(JSON.stringify([atMs, kind, { ...facts, authority: undefined }]));
  for (const { exit, events } of attempts) hash.update(JSON.stringify([exit, events.map((event) => [event.atMs, event.event])]));
  return hash.digest('hex').slice(0, 16);
}

const journalsIn = (files: Readonly<Record<string, string>>): readonly ReadJournal[] =>
  Object.entries(files)
    .filter(([path]) => path.endsWith('/journal.jsonl'))
    .map(([, text]) => readJournal(text));
