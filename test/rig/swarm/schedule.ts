import { bootstrapFaults, faultClasses, type FaultRule, swarmFaults } from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';

/** One history: how big the cluster is, what goes wrong when, at which operation tk dies in each attempt. All of it from the seed. */
export interface Schedule {
  readonly seed: string;
  readonly controlPlanes: number;
  readonly workers: number;
  /** `v1.14.1` */
  readonly talos: string;
  /** With a Flux tree, whose releases and reconciliation are most of the work then. */
  readonly tree: boolean;
  readonly faults: readonly FaultRule[];
  /** Per attempt: at which of its operations on files and wires the process dies; undefined: it lives. */
  readonly deaths: readonly (number | undefined)[];
  /** Per attempt: at which operation somebody presses Ctrl-C; undefined: nobody. */
  readonly stops: readonly (number | undefined)[];
  /** Before each attempt: what the person has done to the repository; undefined: nothing. */
  readonly deeds: readonly (Deed | undefined)[];
}

/** `rename-secrets`: moved away, and moved back when tk has said that it misses them. `old-kubeconfig`: one of another cluster. */
export type Deed = 'rename-secrets' | 'old-kubeconfig';

export const talosVersions = ['v1.12.6', 'v1.13.9', 'v1.14.1'] as const;
export const kubernetesOf: Readonly<Record<string, string>> = { 'v1.12.6': 'v1.35.4', 'v1.13.9': 'v1.36.3', 'v1.14.1': 'v1.37.0' };

/** After this nothing goes wrong any more, so that every history can end well. */
export const calmAfterMs = 15 * 60_000;

/** Shapes that come up in a swarm: control planes, and how many workers at most. Large ones cost more and tell little more. */
const shapes = [
  [1, 2],
  [1, 0],
  [3, 0],
  [3, 1],
  [3, 3],
  [5, 1],
  [1, 8],
  [5, 8],
] as const;
const shapeWeights = [6, 3, 5, 8, 3, 2, 0.5, 0.5];

export function scheduleOf(seed: string): Schedule {
  const random = createSeededRandom(seed, 'schedule');
  const chance = (probability: number) => random.fraction() < probability;
  const tree = chance(0.04);
  // With a tree the cluster is one of a few: each costs an undisturbed history to be compared with.
  const [controlPlanes, mostWorkers] = tree ? (chance(0.7) ? [3, 1] : [1, 0]) : (shapes[weighted(random.fraction())] ?? shapes[0]);
  return {
    seed,
    controlPlanes,
    workers: mostWorkers > 2 ? Math.ceil(random.fraction() * mostWorkers) : mostWorkers,
    talos: talosVersions[Math.floor(random.fraction() * talosVersions.length)] ?? talosVersions[0],
    tree,
    // A stream for each kind: one kind more changes nothing about the others.
    faults: [...faultClasses, ...bootstrapFaults].flatMap((one) =>
      swarmFaults(createSeededRandom(seed, `${one.point} ${one.kind}`), { calmAfterMs, classes: [one] }),
    ),
    deaths: Array.from({ length: 4 }, () => (chance(0.3) ? 1 + Math.floor(random.fraction() ** 2 * 600) : undefined)),
    stops: Array.from({ length: 4 }, () => (chance(0.08) ? 1 + Math.floor(random.fraction() * 600) : undefined)),
    deeds: Array.from({ length: 4 }, (_, index) =>
      index > 0 && chance(0.1) ? (chance(0.5) ? 'rename-secrets' : 'old-kubeconfig') : undefined,
    ),
  };
}

function weighted(fraction: number): number {
  const total = shapeWeights.reduce((sum, weight) => sum + weight, 0);
  let left = fraction * total;
  return Math.max(
    0,
    shapeWeights.findIndex((weight) => (left -= weight) < 0),
  );
}

/** The same cluster with nothing going wrong. */
export const undisturbed = (schedule: Schedule): Schedule => ({ ...schedule, faults: [], deaths: [], stops: [], deeds: [] });
