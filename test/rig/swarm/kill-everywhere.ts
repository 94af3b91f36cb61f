import type { Json } from '../../../lib/base/index.ts';
import type { Task } from '../../../lib/core/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import type { OperationKind } from './mortal-world.ts';
import { restDifferences, restOf, type RestState } from './rest-state.ts';
import type { Schedule } from './schedule.ts';
import { type Beginning, openSite, root, type Site } from './site.ts';
import type { Command, Story } from './story.ts';

export interface Killed {
  /** Operations on files and wires, and how many of them were lines of a journal or changes of files. */
  readonly boundaries: number;
  readonly changes: number;
  /** Boundaries that leave the same disk and the same machines are one place. */
  readonly places: number;
  readonly wrong: readonly { readonly at: string; readonly what: readonly string[] }[];
}

/** What a process that dies here leaves: the disk, the machines, and what they were asked to do once so far. */
interface Place {
  readonly at: string;
  readonly left: Required<Beginning>;
  readonly bootstraps: number;
}

/**
 * Runs the command once, unhurt, and keeps what a `kill -9` or a power cut would leave at each boundary: before each operation, and
 * after each that changed the disk. Then goes on from each of these places with a process of its own, and holds what comes of it
 * against the run that nobody killed. A dead process leaves a disk and machines, and nothing else: the machines' whole state is in
 * their store.
 */
export async function killEverywhere(story: Story, calm: Schedule, tasks: ReadonlyMap<string, Task>): Promise<Killed> {
  const [command] = story.commands(calm) as [Command];
  const site = await openSite(story, calm, tasks);
  const collector = placesOf(site, calm);
  const whole = await site.attempt(command, { onBoundary: collector.look });
  await site.memory.kernel.clock.sleep(settlesWithinMs);
  const wanted = restHere(site);
  await site.memory.kernel.close();
  const wrong: { at: string; what: readonly string[] }[] = [];
  if (whole.exit !== 0 || site.violations().length > 0)
    wrong.push({ at: 'nowhere', what: [`ended with ${whole.exit}`, ...site.violations()] });
  const places = collector.places();
  for (const place of places) {
    const what = await goOn(story, calm, tasks, command, place, wanted);
    if (what.length > 0) wrong.push({ at: place.at, what });
  }
  const kinds = site.operations[0] ?? [];
  const changes = kinds.filter((kind) => kind === 'write' || kind === 'append').length;
  return { boundaries: kinds.length, changes, places: places.length, wrong };
}

/** Pods, joins and reconciliations that a run does not wait for. */
const settlesWithinMs = 10 * 60_000;

const restHere = ({ invariants, memory, talos, kube }: Site): RestState =>
  restOf({ cluster: invariants.endState(), files: memory.files.copy(), talos, kube: kube(), root });

async function goOn(
  story: Story,
  calm: Schedule,
  tasks: ReadonlyMap<string, Task>,
  command: Command,
  place: Place,
  wanted: RestState,
): Promise<readonly string[]> {
  const site = await openSite(story, calm, tasks, place.left);
  const end = await site.attempt(command);
  const missing = end.exit === 0 ? site.invariants.missing() : [`ended with ${end.exit}: ${JSON.stringify(end.failures)}`];
  await site.memory.kernel.clock.sleep(settlesWithinMs);
  const rest = restHere(site);
  const { acts, ...cluster } = rest.cluster;
  const bootstraps = place.bootstraps + Object.values(acts).reduce((sum, count) => sum + count, 0);
  const what = [
    ...missing,
    ...site.violations(),
    ...restDifferences({ ...wanted, cluster: { ...wanted.cluster, acts: {} } }, { ...rest, cluster: { ...cluster, acts: {} } }),
    ...(bootstraps === 1 ? [] : [`${bootstraps} bootstraps`]),
  ];
  await site.memory.kernel.close();
  return what;
}

function placesOf({ memory, happened, invariants }: Site, { seed }: Schedule) {
  const { files, kernel } = memory;
  const random = createSeededRandom(seed, 'power cut');
  const places: Place[] = [];
  let entries: readonly (readonly [string, Json])[] = [];
  let isDiskNew = true;
  let number = 0;
  const keep = (at: string, left: Beginning['files']) =>
    void places.push({
      at: `${at} at ${Math.round(kernel.clock.monotonicMs())} ms`,
      left: { files: left, entries, startMs: kernel.clock.monotonicMs() },
      bootstraps: happened.filter(({ kind }) => kind === 'talos/bootstrap-accepted').length,
    });
  return {
    places: (): readonly Place[] => places,
    look(kind: OperationKind, isOver: boolean): void {
      number += isOver ? 0 : 1;
      isDiskNew ||= isOver;
      const now = kernel.entries();
      const isSame =
        now.length === entries.length && now.every(([key, value], index) => entries[index]?.[0] === key && entries[index]?.[1] === value);
      if (isSame && !isDiskNew) return;
      entries = now;
      isDiskNew = false;
      const at = `${isOver ? 'after' : 'before'} operation ${number} (${kind})`;
      const all = files.copy();
      invariants.afterCrash(all);
      keep(`killed ${at}`, all);
      // The end of a journal that was not on the disk yet may be lost with the power, or torn.
      const cut = Object.entries(all).flatMap(([path, { content, mode }]) => {
        const safe = Buffer.byteLength(files.durable(path) ?? '');
        const length = safe + Math.floor(random.fraction() * (content.length - safe));
        return length < content.length ? [[path, { content: content.slice(0, length), mode }] as const] : [];
      });
      if (isOver && cut.length > 0) keep(`power cut ${at}`, { ...all, ...Object.fromEntries(cut) });
    },
  };
}
