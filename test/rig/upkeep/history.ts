import { createHash } from 'node:crypto';
import type { EndState } from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import { isRefusedAgain } from '../swarm/refused-again.ts';
import { type Attempt, openRig, root } from './cluster.ts';
import { atRest, type Rest } from './healthy.ts';
import { loadProduct, type Product } from './product.ts';
import { calm, calmAfterMs, type Upkeep } from './schedule.ts';
import { plainTextOf } from './said.ts';
import { shapeText } from './shape.ts';
import { type Place, storyOf, type UpkeepCommand, type UpkeepStory } from './stories.ts';
import { isWiped, lastOf } from './stories/story.ts';

export interface UpkeepHistory {
  readonly attempts: readonly Attempt[];
  /** What must never be, and was. */
  readonly violations: readonly string[];
  readonly faultHits: Readonly<Record<string, number>>;
  readonly deeds: readonly string[];
  readonly endState: EndState;
  readonly fingerprint: string;
  readonly virtualMs: number;
}

/** A person gives up after this many tries of one command. */
const mostAttempts = 12;
/** A quarter of an hour when the first control plane goes, and the time that a roll of five takes. */
const snapshotMs = 60 * 60_000;
/** And after so many looks again when it has become quiet. */
const patience = 4;

/** What somebody did by hand is seen by everybody. */
const settledMs = 90_000;

const undisturbed = new Map<string, Promise<EndState>>();

/** Is told where a history goes along. `attempt`: number of the process, from 0. */
export interface CourseListener {
  visited(point: string): void;
  operated(attempt: number, operation: number): void;
  atStep(attempt: number): void;
  /** The process has ended. */
  ended(attempt: number): void;
}

/** `everything`: with one more run at its end, and held against the undisturbed history. `alone`: not held against it. `end`: neither. */
export type Extent = 'everything' | 'alone' | 'end';

/** Tells one history of work on a running cluster. The same schedule gives the same history. */
export async function tellUpkeep(
  upkeep: Upkeep,
  product: Product,
  listener?: CourseListener,
  extent: Extent = 'everything',
): Promise<UpkeepHistory> {
  const { shape, talos } = upkeep;
  const story = storyOf(upkeep.story);
  const rest = await atRest(shape, talos);
  const startMs = rest.startMs;
  const faults = upkeep.faults.map((rule) => ({
    ...rule,
    fromMs: startMs + (rule.fromMs ?? 0),
    untilMs: startMs + (rule.untilMs ?? calmAfterMs),
  }));
  const files = story.edits ? edited(rest.files, story, { shape, talos }) : rest.files;
  const rig = await openRig({ seed: upkeep.seed, ...rest, files, faults, product });
  const { kernel } = rig.memory;
  const { invariants } = rig;
  if (listener) {
    const { fault } = kernel;
    kernel.fault = (point, facts) => {
      listener.visited(point);
      return fault(point, facts);
    };
  }
  for (const { inMs, deed } of upkeep.deeds) {
    if (inMs <= 0) rig.operator.does(deed);
    else rig.operator.later(inMs, deed);
  }
  story.prepare?.(rig.talos, { shape, talos });
  if (story.prepare) await kernel.clock.sleep(settledMs);
  const random = createSeededRandom(upkeep.seed, 'crash');
  const attempts: Attempt[] = [];
  const at = { shape, talos };

  /** As a person would: again and again, a little later. */
  const insist = async (command: UpkeepCommand): Promise<Attempt | undefined> => {
    const ends = command.ends ?? [0];
    for (let tries = 0; tries < mostAttempts; tries += 1) {
      const number = attempts.length;
      const asked = upkeep.forbids ? { ...command, terms: { touches: [] } } : command;
      const last = await rig.attempt(asked, {
        dieAfter: upkeep.deaths[number],
        stopAt: upkeep.stops[number],
        stopAgainAfter: upkeep.secondStops?.[number],
        sleepAt: upkeep.sleeps[number],
        ...(listener ? { onOperation: (operation) => listener.operated(number, operation), onStep: () => listener.atStep(number) } : {}),
      });
      attempts.push(last);
      listener?.ended(number);
      for (const failure of last.failures) {
        invariants.inspect(`${failure.code}`, JSON.stringify(failure.facts));
        if (failure.code === 'internal/unexpected') defects.push(`a defect: ${JSON.stringify(failure.facts)}`);
      }
      if (typeof last.exit === 'number' && ends.includes(last.exit)) return last;
      if (last.exit !== 'dead' && command.isDone?.(rig.talos)) return last;
      if (last.failures.some(({ code }) => command.endsOn?.[code]?.(rig.talos))) return last;
      if (last.exit === 'dead') {
        rig.memory.files.crash(random);
        invariants.afterCrash(rig.memory.files.copy());
        if (command.undoesItself && rig.journalSaysDone(last)) return { ...last, exit: 0 };
      }
      const quietMs = calmAfterMs + lastsMs(upkeep);
      const restMs = startMs + quietMs - kernel.clock.monotonicMs();
      // What others hold up is waited for: a person comes back later.
      if ((tries === patience || isRefusedAgain(attempts)) && restMs > 0) await kernel.clock.sleep(restMs);
      await kernel.clock.sleep(1000 + Math.floor(random.fraction() * 60_000));
    }
    return undefined;
  };

  const defects: string[] = [];
  watchCourse(
    rig,
    upkeep,
    () => attempts.length,
    (what) => defects.includes(what) || defects.push(what),
  );
  const commands = story.commands(at);
  let end: Attempt | undefined;
  for (const command of commands) {
    if (command.before) {
      command.before(rig.talos);
      await kernel.clock.sleep(settledMs);
    }
    end = await insist(command);
    if (end) continue;
    invariants.gaveUp(command.task, attempts.at(-1)?.failures.map(({ code }) => code) ?? []);
    break;
  }
  if (end?.exit === 0) {
    const away = story.leaves === 'away';
    const last = commands.at(-1) as UpkeepCommand;
    const repeats = typeof last.repeats === 'function' ? last.repeats(rig.talos, plainTextOf(end.events)) : last.repeats === true;
    // The proof of exit 0 is taken at that very moment, not after the dust has settled.
    if (!away)
      invariants.claimedDone([
        ...ownMissing(rig, upkeep).filter((problem) => !story.settlesLater?.test(problem)),
        ...(story.problems?.({
          ...at,
          model: rig.talos,
          files: (path) => rig.memory.files.snapshot()[`${root}/${path}`] ?? '',
          // Somebody else's stays, whatever we were asked.
          isCordoned: (name) =>
            !upkeep.deeds.some(({ deed }) => deed.deed === 'cordon') && (invariants.endState().nodes[name] ?? '').endsWith(', cordoned'),
        }) ?? []),
      ]);
    // Whoever has to go there and press a button may come after the last command.
    await kernel.clock.sleep(calmAfterMs + 1000 + darkMs(upkeep));
    // One whose power went in the middle of its wipe was as dark as one that is off, and came back as it was.
    const isBack =
      away && upkeep.deeds.some(({ deed }) => deed.deed === 'lose-power' && deed.node === lastOf(shape) && !isWiped(rig.talos, deed.node));
    if (!repeats && !isBack) {
      const again = await rig.attempt(last);
      if (again.exit !== 0 || again.changes !== 0)
        defects.push(`a further run ended with ${again.exit} and ${again.changes} changes: ${JSON.stringify(again.failures)}`);
    }
    const key = extent === 'everything' ? endKeyOf(upkeep) : undefined;
    if (key !== undefined) invariants.cameTo(await calmly(upkeep, key));
  }
  invariants.inspect('standard output', rig.printed());
  invariants.inspect('the events', JSON.stringify(attempts.at(-1)?.events ?? []));
  const history: UpkeepHistory = {
    attempts,
    violations: [...defects, ...invariants.violations().map(({ invariant, what }) => `${invariant} ${what}`)],
    faultHits: kernel.faultHits(),
    deeds: upkeep.deeds.map(({ deed }) => deed.deed),
    endState: invariants.endState(),
    fingerprint: invariants.fingerprint(),
    virtualMs: kernel.clock.monotonicMs() - startMs,
  };
  await kernel.close();
  return history;
}

/**
 * What a roll promises on its way, beyond the catalogue: a snapshot before the first control plane (G-07), nobody after a failure
 * (G-03), and no reboot that leads nowhere.
 */
function watchCourse(
  rig: Awaited<ReturnType<typeof openRig>>,
  upkeep: Upkeep,
  attempt: () => number,
  report: (what: string) => void,
): void {
  if (!/^upgrade(?!-k8s|-without)/.test(upkeep.story) || upkeep.story.includes(' > ')) return;
  let failedIn = -1;
  /** What a run that died has begun goes on without it, and what comes of that is none of the next one's failures. */
  const begunIn = new Map<string, number>();
  rig.memory.kernel.onEvent(({ kind, facts, atMs }) => {
    const name = String(facts.node);
    const machine = rig.talos.machines.find((one) => one.name === name);
    const isFailure = kind === 'talos/reverted' || kind === 'talos/installer-failed';
    if (isFailure && begunIn.get(name) === attempt()) failedIn = attempt();
    if (kind === 'talos/installer-started' || kind === 'talos/disruption') begunIn.set(name, attempt());
    if (kind !== 'talos/disruption' || !machine) return;
    const path = String(facts.path);
    const { workers = 1 } = rig.terms();
    if (failedIn === attempt() && workers === 1) report(`G-03 ${machine.name} was begun after a failure in the same run`);
    const slots = machine.get('slots');
    const next = slots?.[slots.default];
    const isLegacy = path.endsWith('/Upgrade');
    if (path.endsWith('/Reboot') && next !== undefined && next.image === machine.get('installed')?.image)
      report(`${machine.name} was rebooted into what it runs`);
    if (machine.spec.role !== 'controlplane' || !(isLegacy || path.endsWith('/Reboot'))) return;
    const nowMs = rig.memory.kernel.clock.now() - rig.memory.kernel.clock.monotonicMs() + atMs;
    const whole = Object.entries(rig.memory.files.copy()).filter(
      ([file, { content }]) => file.includes('/backups/') && isWhole(Buffer.from(content)),
    );
    const isYoung = whole.some(([file]) => nowMs - timeOf(file) < snapshotMs);
    if (!isYoung) report(`G-07 ${machine.name} was taken away without a whole snapshot of late`);
  });
}

/** What is still going on when nothing new goes wrong any more. */
function lastsMs(upkeep: Upkeep): number {
  // Whoever took the lease while the laptop was closed keeps it for ten minutes.
  return Math.max(upkeep.sleeps.some(Boolean) ? 13 * 60_000 : 0, darkMs(upkeep));
}

/** How long a machine stays off until somebody has gone there. */
const darkMs = ({ faults }: Upkeep): number =>
  Math.max(0, ...faults.filter(({ point }) => point === 'talos/boot').map(({ facts }) => Number(facts?.['lateMs'] ?? 0)));

/** The repository as a person has changed it before. */
function edited(files: Rest['files'], story: UpkeepStory, at: Place): Rest['files'] {
  const texts = Object.fromEntries(
    Object.entries(files).map(([path, file]) => [path, typeof file === 'string' ? file : Buffer.from(file.content).toString('latin1')]),
  );
  const changed = story.edits?.(texts, at) ?? {};
  return Object.fromEntries(
    Object.entries(files).map(([path, file]) => [path, changed[path] === texts[path] ? file : (changed[path] ?? file)]),
  );
}

/** A machine that somebody else has just taken away is nobody's broken promise. */
function ownMissing(rig: Awaited<ReturnType<typeof openRig>>, upkeep: Upkeep): readonly string[] {
  const others = upkeep.deeds.some(({ deed }) => ['reboot', 'lose-power', 'stop-etcd'].includes(deed.deed));
  const power = upkeep.faults.some(({ point }) => point === 'talos/power');
  return others || power ? [] : rig.invariants.missing();
}

/** Histories with the same key come to the same end. Undefined: to an end of their own. */
export function endKeyOf({ story, shape, talos, faults, deeds, deaths }: Upkeep): string | undefined {
  const isDisturbed = faults.length + deeds.length + deaths.filter(Boolean).length > 0;
  // A sequence is one of thousands: what it came to is told by what its parts promise.
  if (!isDisturbed || story.includes(' > ') || storyOf(story).leaves === 'away') return undefined;
  // Whoever has cordoned a machine takes it back when he likes.
  if (deeds.some(({ deed }) => deed.deed === 'cordon')) return undefined;
  return `${story} ${shapeText(shape)} ${talos}`;
}

/** What it comes to with nothing going wrong; told once per process. */
function calmly(upkeep: Upkeep, key: string): Promise<EndState> {
  let found = undisturbed.get(key);
  if (!found) {
    found = loadProduct()
      .then((product) => tellUpkeep(calm({ ...upkeep, seed: `calm ${key}` }), product, undefined, 'end'))
      .then(({ endState }) => endState);
    undisturbed.set(key, found);
  }
  return found;
}

export const lineOf = (upkeep: Upkeep, { attempts, violations }: UpkeepHistory): string =>
  [
    [upkeep.seed, upkeep.story, upkeep.talos, shapeText(upkeep.shape), upkeep.place].filter(Boolean).join(' '),
    attempts
      .map(({ exit, failures }) =>
        `${exit} ${failures.map(({ code, cause }) => `${code}${cause ? `<${cause.code}` : ''}`).join(' ')}`.trim(),
      )
      .join(' | '),
    violations.join(' ; '),
  ]
    .filter((part) => part !== '')
    .join('\n    ');

/** A database and its SHA-256. */
function isWhole(bytes: Buffer): boolean {
  const database = bytes.subarray(0, -32);
  return database.length > 0 && database.length % 512 === 0 && createHash('sha256').update(database).digest().equals(bytes.subarray(-32));
}

/** `etcd-20260105T082010Z.db` */
function timeOf(path: string): number {
  const [, year, month, day, hour, minute, second] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(path) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
