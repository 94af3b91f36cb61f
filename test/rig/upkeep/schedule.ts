import { bootstrapFaults, type Deed, type FaultRule, faultClasses } from '../../../lib/sim/index.ts';
import type { Random } from '../../../lib/base/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import { talosVersions } from '../swarm/schedule.ts';
import { namesOf, type Shape } from './shape.ts';
import { sequenceOf, storyOf } from './stories.ts';

/** One history of work on a cluster that runs. All of it from the seed; shrinking makes smaller ones. */
export interface Upkeep {
  readonly seed: string;
  readonly story: string;
  readonly shape: Shape;
  readonly talos: string;
  /** Times are counted from the first command. */
  readonly faults: readonly FaultRule[];
  /** What others do meanwhile. */
  readonly deeds: readonly { readonly inMs: number; readonly deed: Deed }[];
  /** Per attempt: at which of its operations on files and wires the process dies. */
  readonly deaths: readonly (number | undefined)[];
  /** Per attempt: at which operation somebody presses Ctrl-C. */
  readonly stops: readonly (number | undefined)[];
  /** Per attempt: how many operations after the first Ctrl-C the second comes. Absent: none. */
  readonly secondStops?: readonly (number | undefined)[];
  /** Per attempt: at which operation the laptop is closed for a while. */
  readonly sleeps: readonly (number | undefined)[];
  /** Of an exhaustive run: what was set, and where. */
  readonly place?: string;
  /** Nothing at all may be touched: to see that the invariants look. */
  readonly forbids?: boolean;
}

/** From then on nothing goes wrong any more, so that every history can end well. */
export const calmAfterMs = 15 * 60_000;

/** Not for a moment: until whoever waits for it has given up. */
type Lasting = (random: Random) => Pick<FaultRule, 'facts' | 'only'>;
const minutesBetween = (random: Random, least: number, most: number): number =>
  Math.floor((least + random.fraction() * (most - least)) * 60_000);

const lasting: Readonly<Record<string, Lasting>> = {
  'kube/eviction blocked': () => ({}),
  'kube/pod-stop stuck': (random) => ({ facts: { forMs: minutesBetween(random, 6, 12) } }),
  'kube/volume-detach slow': (random) => ({ facts: { lateMs: minutesBetween(random, 2, 10) } }),
  'talos/boot slow': () => ({}),
  'etcd/lag behind': () => ({}),
  // API servers that answer, each time so late that what they tell is old.
  'wire/reply slow': (random) => ({ only: { method: 'GET' }, facts: { lateMs: 5100 + Math.floor(random.fraction() * 3000) } }),
};

/** Whatever is visited seldom here goes wrong more often there than in a bootstrap. */
const oftener: Readonly<Record<string, number>> = {
  // A snapshot, the versions in the repository, the lock.
  'disk/write ENOSPC': 0.06,
};

/** Whoever waits for these gives up late. */
const mostlyLasting = new Set(['kube/volume-detach slow']);

export const everyFault = [...faultClasses, ...bootstrapFaults];

/**
 * Small clusters mostly: they cost little, and whatever can go wrong between machines goes wrong between two. Of the others one
 * version each, because every kind of cluster costs a bootstrap and an undisturbed history to be compared with.
 */
const shapes: readonly (Shape & { readonly weight: number; readonly talos?: string })[] = [
  { controlPlanes: 1, workers: 1, weight: 10 },
  { controlPlanes: 1, workers: 0, weight: 6 },
  { controlPlanes: 3, workers: 0, weight: 4 },
  // Two members: those need somebody's consent.
  { controlPlanes: 2, workers: 0, weight: 1, talos: 'v1.12.6' },
  { controlPlanes: 1, workers: 2, weight: 1, talos: 'v1.13.9' },
  { controlPlanes: 3, workers: 2, weight: 0.6, talos: 'v1.14.1' },
  { controlPlanes: 5, workers: 0, weight: 0.3, talos: 'v1.14.1' },
];

/** Where to look more often than elsewhere. */
export interface Bias {
  /** No sequences. */
  readonly isSingle?: boolean;
  readonly shape?: Shape;
  readonly talos?: string;
  readonly closes?: number;
  /** Chance that a control plane loses its power in the first minute. */
  readonly losesPower?: number;
  /** Faults that are always armed: `talos/new-slot failed`. */
  readonly arms?: readonly string[];
  /** Chance of somebody's cordon on the machine that is worked on. */
  readonly cordons?: number;
}

/** Of those that fit the shape, with their weights; now and then several after each other. */
function drawnStory(random: Random, names: readonly string[], shape: Shape, isSingle: boolean): string | undefined {
  const all = names.map(storyOf).filter((story) => story.fits?.(shape) ?? true);
  const isSequence = random.fraction() < 0.08 && !isSingle;
  const members = isSequence ? all.filter(({ isPart }) => isPart) : all;
  const length = isSequence ? 2 + Math.floor(random.fraction() * 2) : 1;
  const drawn = Array.from({ length }, () => weighted(random, members)).filter((one) => one !== undefined);
  // Each once: an upgrade that was made is not made again.
  return drawn.length === 0 ? undefined : sequenceOf([...new Set(drawn.map(({ name }) => name))]);
}

function weighted<T extends { readonly weight: number }>(random: Random, from: readonly T[]): T | undefined {
  let left = random.fraction() * from.reduce((sum, { weight }) => sum + weight, 0);
  return from.find(({ weight }) => (left -= weight) < 0) ?? from.at(-1);
}

/** The first draw after the seed's own that makes sense. */
export function drawUpkeep(seed: string, names: readonly string[], bias: Bias = {}): Upkeep {
  for (let number = 0; ; number += 1) {
    const upkeep = upkeepOf(number === 0 ? seed : `${seed}.${number}`, names, bias);
    if (upkeep) return { ...upkeep, seed };
  }
}

function upkeepOf(seed: string, storyNames: readonly string[], bias: Bias): Upkeep | undefined {
  const random = createSeededRandom(seed, 'upkeep');
  const chance = (probability: number) => random.fraction() < probability;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.fraction() * values.length)] as T;
  const drawn = weighted(random, shapes) as (typeof shapes)[number];
  const shape = bias.shape ?? drawn;
  const drawnTalos = pick(talosVersions);
  const talos = bias.talos ?? (bias.shape ? undefined : drawn.talos) ?? drawnTalos;
  const story = drawnStory(random, storyNames, shape, bias.isSingle === true);
  if (story === undefined) return undefined;
  const names = namesOf(shape);
  const rare = storyOf(story).arms?.(shape) ?? [];
  const faults = everyFault.flatMap(({ point, kind, probability, facts, meets }): FaultRule[] => {
    // A stream for each kind: one kind more changes nothing about the others.
    const own = createSeededRandom(seed, `${point} ${kind}`);
    const [isTaken, times, drawnFacts] = [own.fraction() < (meets === 'upkeep' ? 0.3 : 0.12), own.fraction(), facts?.(own)];
    const more = { untilMs: calmAfterMs, ...(drawnFacts ? { facts: drawnFacts } : {}) };
    const isOwn = rare.includes(`${point} ${kind}`) && own.fraction() < 0.5;
    if (isOwn || bias.arms?.includes(`${point} ${kind}`)) return [{ point, kind, probability: 0.5, atMost: 2, ...more }];
    const lasts = lasting[`${point} ${kind}`];
    if (isTaken && lasts && own.fraction() < (mostlyLasting.has(`${point} ${kind}`) ? 0.6 : 0.25))
      return [{ point, kind, probability: 1, atMost: 1000, ...more, ...lasts(own) }];
    const chanceOf = oftener[`${point} ${kind}`] ?? probability;
    return isTaken ? [{ point, kind, probability: chanceOf, atMost: 1 + Math.floor(times * 3), ...more }] : [];
  });
  const dark = darkness(createSeededRandom(seed, 'darkness'));
  const seldom = seldomMet(createSeededRandom(seed, 'seldom met'), story, shape);
  const at = () => Math.floor(random.fraction() * 8 * 60_000);
  const deeds: { inMs: number; deed: Deed }[] = [...seldom.deeds];
  const node = () => pick(names);
  if (chance(0.12)) {
    const cordoned = node();
    deeds.push({ inMs: at() - 4 * 60_000, deed: { deed: 'cordon', node: cordoned } });
    deeds.push({ inMs: calmAfterMs - 60_000, deed: { deed: 'uncordon', node: cordoned } });
  }
  if (chance(bias.losesPower ?? 0)) {
    const lost = pick(names.filter((name) => name.startsWith('cp-')));
    deeds.push({ inMs: 1000 + Math.floor(random.fraction() * 60_000), deed: { deed: 'lose-power', node: lost, darkMs: 300_000 } });
  }
  if (chance(bias.cordons ?? 0)) {
    deeds.push({ inMs: 0, deed: { deed: 'cordon', node: names.at(-1) as string } });
    deeds.push({ inMs: calmAfterMs - 60_000, deed: { deed: 'uncordon', node: names.at(-1) as string } });
  }
  if (chance(0.08)) deeds.push({ inMs: at(), deed: { deed: 'reboot', node: node() } });
  if (chance(0.12))
    deeds.push({ inMs: at(), deed: { deed: 'lose-power', node: node(), darkMs: 20_000 + Math.floor(random.fraction() * 120_000) } });
  if (chance(0.1)) deeds.push({ inMs: at(), deed: { deed: 'move-leader', node: 'cp-1' } });
  if (chance(0.08)) {
    deeds.push({ inMs: at() - 4 * 60_000, deed: { deed: 'tuppr', kind: pick(['TalosUpgrade', 'KubernetesUpgrade']), phase: 'Upgrading' } });
    const [last] = deeds.slice(-1) as [{ inMs: number; deed: Extract<Deed, { deed: 'tuppr' }> }];
    deeds.push({ inMs: calmAfterMs - 60_000, deed: { ...last.deed, phase: 'Completed' } });
  }
  if (chance(0.06)) {
    deeds.push({ inMs: at() - 4 * 60_000, deed: { deed: 'ceph', health: 'HEALTH_ERR' } });
    deeds.push({ inMs: calmAfterMs - 60_000, deed: { deed: 'ceph', health: 'HEALTH_OK' } });
  }
  const others = createSeededRandom(seed, 'other deeds');
  // While something is under way on it: the middle of an upgrade comes soon.
  if (others.fraction() < 0.06)
    deeds.push({ inMs: 8000 + Math.floor(others.fraction() * 32_000), deed: { deed: 'pin-pod', node: names.at(-1) as string } });
  if (others.fraction() < 0.04) {
    const alarmed = { node: names[Math.floor(others.fraction() * shape.controlPlanes)] as string };
    deeds.push({ inMs: Math.floor(others.fraction() * 5 * 60_000) - 60_000, deed: { deed: 'alarm', ...alarmed, alarm: 'NOSPACE' } });
    deeds.push({ inMs: calmAfterMs - 60_000, deed: { deed: 'disarm', ...alarmed } });
  }
  // Not where he cordons it by hand as well: our mark stays on the machine, and would be on his cordon.
  if (!deeds.some(({ deed }) => deed.deed === 'cordon')) deeds.push(...seldom.opened);
  const isClosed = chance(bias.closes ?? 0.06);
  // Somebody else begins meanwhile, as soon as the lease has run out.
  if (isClosed)
    for (const minute of [11, 12, 13, 14, 16])
      deeds.push({ inMs: minute * 60_000, deed: { deed: 'take-lease', holder: 'somebody-else/1' } });
  return {
    seed,
    story,
    shape: { controlPlanes: shape.controlPlanes, workers: shape.workers },
    talos,
    faults: [...faults, ...dark, ...seldom.faults],
    deeds: deeds.sort((a, b) => a.inMs - b.inMs),
    deaths: Array.from({ length: 4 }, () => (chance(0.3) ? 1 + Math.floor(random.fraction() ** 2 * 500) : undefined)),
    stops: Array.from({ length: 4 }, () => (chance(0.08) ? 1 + Math.floor(random.fraction() * 300) : undefined)),
    secondStops: Array.from({ length: 4 }, () => (chance(0.3) ? Math.floor(random.fraction() * 10) : undefined)),
    sleeps: [isClosed ? 20 + Math.floor(random.fraction() * 150) : undefined],
  };
}

/**
 * Somebody has to go there and press a button: longer than any wait for a machine lasts, rarely, because such waits cost polls. Once in
 * a while nobody hears what became of the call that took it down either.
 */
function darkness(random: Random): readonly FaultRule[] {
  const [drawn, isUnheard] = [random.fraction(), random.fraction() < 0.5];
  if (drawn > 0.008) return [];
  const slow: FaultRule = {
    point: 'talos/boot',
    kind: 'slow',
    probability: 1,
    atMost: 1,
    untilMs: calmAfterMs,
    facts: { lateMs: minutesBetween(random, 33, 65) },
  };
  const unheard = ['Reboot', 'Upgrade', 'Rollback'].map((call): FaultRule => {
    const only = { path: `/machine.MachineService/${call}` };
    return { point: 'wire/change', kind: 'never', only, probability: 1, atMost: 1, untilMs: calmAfterMs };
  });
  return isUnheard ? [slow, ...unheard] : [slow];
}

/**
 * What two thousand histories would come upon once or never: API servers that answer for longer than anybody asks again that they
 * cannot, a member that is to go away, whose machine answers and whose etcd does not run until somebody starts it again, and somebody
 * who takes a cordon of ours away while its machine is upgraded, so that volumes come back.
 */
function seldomMet(random: Random, story: string, shape: Shape): Pick<Upkeep, 'faults' | 'deeds'> & { readonly opened: Upkeep['deeds'] } {
  const [busy, half, inMs] = [random.fraction(), random.fraction(), Math.floor(random.fraction() * 60_000)];
  const untilMs = minutesBetween(random, 3, 8);
  const [open, openedMs] = [random.fraction(), 15_000 + Math.floor(random.fraction() * 45_000)];
  const node = namesOf(shape).at(-1) as string;
  const isHalf = /^node-re(?:move|place)$/.test(story) && shape.workers === 0 && half < 0.3;
  const isOpened = story === 'upgrade-node' && shape.workers > 0 && open < 0.3;
  return {
    faults: busy < 0.006 ? [{ point: 'kube/request', kind: 'unavailable', probability: 1, atMost: 1000, fromMs: inMs, untilMs }] : [],
    deeds: isHalf
      ? [
          { inMs: 0, deed: { deed: 'stop-etcd', node } },
          { inMs: untilMs, deed: { deed: 'reboot', node } },
        ]
      : [],
    opened: isOpened ? [{ inMs: openedMs, deed: { deed: 'uncordon', node } }] : [],
  };
}

export const calm = (upkeep: Upkeep): Upkeep => ({ ...upkeep, faults: [], deeds: [], deaths: [], stops: [], secondStops: [], sleeps: [] });
