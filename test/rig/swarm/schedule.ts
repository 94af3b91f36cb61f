import { bootstrapFaults, type FaultClass, faultClasses, type FaultRule, swarmFaults } from '../../../lib/sim/index.ts';
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
  /** Whether the command is typed once more when it has said 0: then it finds nothing to do. */
  readonly isAskedAgain: boolean;
}

/**
 * `rename-secrets`: moved away, and moved back when tk has said that it misses them. `old-kubeconfig`: one of another cluster.
 * `fill-disk`: nothing fits on the disk until the run has ended.
 */
export type Deed = 'rename-secrets' | 'old-kubeconfig' | 'fill-disk';

export const talosVersions = ['v1.12.6', 'v1.13.9', 'v1.14.1'] as const;
export const kubernetesOf: Readonly<Record<string, string>> = { 'v1.12.6': 'v1.35.4', 'v1.13.9': 'v1.36.3', 'v1.14.1': 'v1.37.0' };

/** After this nothing goes wrong any more, so that every history can end well. */
export const calmAfterMs = 15 * 60_000;

/** Shapes that come up in a swarm: control planes, how many workers at most, how often. Large ones cost more and tell little more. */
const shapes = [
  [1, 0, 10],
  [1, 2, 3],
  [3, 0, 6],
  [3, 1, 3],
  [3, 3, 0.5],
  [5, 1, 0.5],
  [1, 8, 0.15],
  [5, 8, 0.1],
] as const;

/** Longer than any wait: then somebody has to come again. */
const lasting: readonly FaultClass[] = [
  {
    point: 'talos/time-sync',
    kind: 'slow',
    what: 'no time server answers for half an hour',
    probability: 0.1,
    facts: (random) => ({ lateMs: 1_200_000 + Math.floor(random.fraction() * 600_000) }),
  },
];

export function scheduleOf(seed: string): Schedule {
  const random = createSeededRandom(seed, 'schedule');
  const chance = (probability: number) => random.fraction() < probability;
  const tree = chance(0.03);
  const [controlPlanes, mostWorkers] = tree ? (chance(0.7) ? [3, 0] : [1, 0]) : (shapes[weighted(random.fraction())] ?? shapes[0]);
  const workers = mostWorkers > 2 ? Math.ceil(random.fraction() * mostWorkers) : mostWorkers;
  const most = operationsOf({ controlPlanes, workers, tree });
  const talos = talosVersions[Math.floor(random.fraction() * talosVersions.length)] ?? talosVersions[0];
  return {
    seed,
    controlPlanes,
    workers,
    // What comes after the kubeconfig knows nothing of Talos' version, and charts are rendered for each of Kubernetes.
    talos: tree ? 'v1.14.1' : talos,
    tree,
    // A stream for each kind: one kind more changes nothing about the others. What only a tree meets comes up with most trees.
    faults: [...lasting, ...faultClasses, ...bootstrapFaults].flatMap((one) =>
      swarmFaults(createSeededRandom(seed, lasting.includes(one) ? one.what : `${one.point} ${one.kind}`), {
        calmAfterMs,
        classes: [one],
        ...(lasting.includes(one) ? { share: 0.08 } : {}),
        ...(tree && /^(?:kube|flux)\//.test(one.point) ? { share: 0.7 } : {}),
      }),
    ),
    // Most of what a history with a tree tells comes late in it.
    deaths: Array.from({ length: 4 }, () => (chance(0.3) ? 1 + Math.floor(random.fraction() ** (tree ? 0.7 : 1.5) * most) : undefined)),
    stops: Array.from({ length: 4 }, () => (chance(0.08) ? 1 + Math.floor(random.fraction() * most) : undefined)),
    deeds: Array.from({ length: 4 }, (_, index) => deedBefore(index, random.fraction())),
    isAskedAgain: chance(0.25),
  };
}

/** Secrets and a kubeconfig are there only when a run has been there; a disk may be full from the beginning. */
function deedBefore(attempt: number, drawn: number): Deed | undefined {
  if (drawn < 0.02) return 'fill-disk';
  if (attempt === 0 || drawn >= 0.12) return undefined;
  return drawn < 0.07 ? 'rename-secrets' : 'old-kubeconfig';
}

/** About as many operations on files and wires has a bootstrap that nothing disturbs. */
const operationsOf = ({ controlPlanes, workers, tree }: Pick<Schedule, 'controlPlanes' | 'workers' | 'tree'>): number =>
  200 + 200 * controlPlanes + 70 * workers + (tree ? 600 : 0);

function weighted(fraction: number): number {
  let left = fraction * shapes.reduce((sum, [, , weight]) => sum + weight, 0);
  return Math.max(
    0,
    shapes.findIndex(([, , weight]) => (left -= weight) < 0),
  );
}

/** The same cluster with nothing going wrong. */
export const undisturbed = (schedule: Schedule): Schedule => ({ ...schedule, faults: [], deaths: [], stops: [], deeds: [] });
