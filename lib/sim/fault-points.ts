import type { Json, Random } from '../base/index.ts';
import type { FaultRule } from './faults.ts';

/** One way to go wrong that the simulation knows. */
export interface FaultClass {
  readonly point: string;
  readonly kind: string;
  /** What the user of a real cluster would call it. */
  readonly what: string;
  /** Chance at each visit in a swarm. */
  readonly probability: number;
  /** What the point is told, drawn anew for each schedule. */
  readonly facts?: (random: Random) => { readonly [fact: string]: Json };
  /** Met only by work on a cluster that runs: upgrades, resets, drains, snapshots. Default: by a bootstrap too. */
  readonly meets?: 'upkeep';
}

/** Mostly short: what takes long is rare, and long waits cost polls. */
const upTo = (ms: number) => (random: Random) => ({ lateMs: Math.floor(random.fraction() ** 2 * ms) });
const lasting = (ms: number) => (random: Random) => ({ forMs: Math.floor(random.fraction() * ms) });

/** Every point that asks `kernel.fault`, with its kinds. A point that asks for another kind than these has none. */
export const faultClasses: readonly FaultClass[] = [
  { point: 'wire/dial', kind: 'refused', what: 'a connection is refused', probability: 0.05 },
  { point: 'wire/dial', kind: 'unreachable', what: 'packets vanish', probability: 0.03, facts: () => ({ lateMs: 3000 }) },
  { point: 'wire/dial', kind: 'slow', what: 'a handshake takes long', probability: 0.05, facts: upTo(20_000) },
  { point: 'wire/request', kind: 'reset', what: 'the connection ends before the request arrives', probability: 0.03 },
  { point: 'wire/request', kind: 'slow', what: 'a request is late', probability: 0.05, facts: upTo(20_000) },
  { point: 'wire/reply', kind: 'lost', what: 'the call was carried out and its answer is lost', probability: 0.06 },
  { point: 'wire/reply', kind: 'reset', what: 'the call was carried out and the connection is gone', probability: 0.04 },
  { point: 'wire/reply', kind: 'slow', what: 'an answer is late', probability: 0.05, facts: upTo(30_000) },
  { point: 'wire/reply', kind: 'duplicated', what: 'a request arrives twice', probability: 0.04 },
  { point: 'wire/reply', kind: 'never', what: 'nothing comes any more, without an error', probability: 0.02 },
  { point: 'wire/message', kind: 'lost', what: 'a message of a stream is lost', probability: 0.05 },
  { point: 'talos/install', kind: 'slow', what: 'a slow registry or disk', probability: 0.3, facts: upTo(240_000) },
  { point: 'talos/install', kind: 'failed', what: 'the installer fails and the machine is in maintenance mode again', probability: 0.1 },
  { point: 'talos/boot', kind: 'slow', what: 'firmware that takes minutes', probability: 0.2, facts: upTo(180_000) },
  { point: 'talos/time-sync', kind: 'slow', what: 'no time server answers for a while', probability: 0.2, facts: upTo(120_000) },
  { point: 'talos/api', kind: 'slow', what: 'apid starts late', probability: 0.2, facts: upTo(30_000) },
  { point: 'talos/etcd-join', kind: 'slow', what: 'a slow pull of etcd', probability: 0.2, facts: upTo(90_000) },
  { point: 'talos/etcd-run', kind: 'slow', what: 'etcd starts late', probability: 0.2, facts: upTo(60_000) },
  { point: 'talos/etcd-promote', kind: 'slow', what: 'a learner needs long to catch up', probability: 0.2, facts: upTo(60_000) },
  { point: 'talos/static-pods', kind: 'slow', what: 'API servers start late', probability: 0.2, facts: upTo(120_000) },
  { point: 'talos/kubelet-run', kind: 'slow', what: 'a slow pull of the kubelet', probability: 0.2, facts: upTo(90_000) },
  { point: 'talos/register', kind: 'slow', what: 'nodes register late', probability: 0.2, facts: upTo(60_000) },
  { point: 'talos/vip', kind: 'slow', what: 'the floating address moves late', probability: 0.2, facts: upTo(60_000) },
  { point: 'talos/power', kind: 'restart', what: 'a running machine loses power', probability: 0.05, facts: upTo(60_000) },
  { point: 'talos/event', kind: 'lost', what: 'an event is never recorded', probability: 0.1 },
  { point: 'talos/event-delivery', kind: 'lost', what: 'an event is not delivered', probability: 0.1 },
  {
    point: 'talos/clock',
    kind: 'skewed',
    what: 'the clock of a machine is wrong',
    probability: 0.05,
    facts: (random) => ({ skewMs: Math.floor((random.fraction() - 0.5) * 4000) }),
  },
  { point: 'disk/write', kind: 'ENOSPC', what: 'the disk of the workstation is full for a moment', probability: 0.01 },
  { point: 'disk/append', kind: 'ENOSPC', what: 'the journal does not fit on the disk', probability: 0.005 },
  { point: 'disk/read', kind: 'EIO', what: 'a sector cannot be read', probability: 0.002 },
  { point: 'kube/request', kind: 'throttled', what: 'an API server has too much to do', probability: 0.03 },
  { point: 'kube/request', kind: 'unavailable', what: 'an API server is going down', probability: 0.03 },
  { point: 'kube/request', kind: 'conflict', what: 'somebody else wrote first', probability: 0.02 },
  { point: 'kube/watch', kind: 'expired', what: 'a watch asks for forgotten history', probability: 0.1 },
  { point: 'kube/list', kind: 'expired', what: 'a page of a list is forgotten', probability: 0.1 },
  { point: 'kube/crd-establish', kind: 'slow', what: 'a definition is established late', probability: 0.2, facts: upTo(30_000) },
  { point: 'kube/crd-lag', kind: 'slow', what: 'one API server does not serve a new kind yet', probability: 0.3, facts: upTo(30_000) },
  { point: 'kube/webhook', kind: 'down', what: 'a webhook refuses for a while', probability: 0.1 },
  { point: 'kube/image-pull', kind: 'failed', what: 'an image cannot be pulled for a while', probability: 0.05, facts: lasting(60_000) },
  { point: 'kube/pod-start', kind: 'slow', what: 'a pod needs long', probability: 0.1, facts: lasting(60_000) },
  { point: 'flux/oci', kind: 'failed', what: 'Flux cannot pull a source for a while', probability: 0.1 },
  { point: 'talos/pull', kind: 'missing', what: 'an image is not there', probability: 0.1, meets: 'upkeep' },
  { point: 'talos/pull', kind: 'slow', what: 'a registry answers late', probability: 0.3, facts: upTo(240_000), meets: 'upkeep' },
  {
    point: 'talos/pull-progress',
    kind: 'slow',
    what: 'a pull stands still for a while',
    probability: 0.2,
    facts: upTo(120_000),
    meets: 'upkeep',
  },
  {
    point: 'talos/installer-time',
    kind: 'slow',
    what: 'a slow disk below the installer',
    probability: 0.2,
    facts: upTo(180_000),
    meets: 'upkeep',
  },
  {
    point: 'talos/new-slot',
    kind: 'failed',
    what: 'a new version does not start and the machine falls back',
    probability: 0.15,
    meets: 'upkeep',
  },
  { point: 'talos/snapshot', kind: 'cut', what: 'a snapshot ends in the middle', probability: 0.15, meets: 'upkeep' },
  { point: 'talos/snapshot', kind: 'empty', what: 'a snapshot without a byte, and no error', probability: 0.1, meets: 'upkeep' },
  { point: 'talos/snapshot', kind: 'damaged', what: 'a snapshot with a flipped bit', probability: 0.1, meets: 'upkeep' },
  { point: 'etcd/member-view', kind: 'stale', what: 'a member that has not heard of the last change', probability: 0.1, meets: 'upkeep' },
  { point: 'etcd/leader', kind: 'moves', what: 'leadership moves by itself', probability: 0.1, meets: 'upkeep' },
  { point: 'etcd/lag', kind: 'behind', what: 'a member that is behind the others', probability: 0.05, meets: 'upkeep' },
  { point: 'kube/eviction', kind: 'blocked', what: 'a budget that is spent for a while', probability: 0.1, meets: 'upkeep' },
  {
    point: 'kube/pod-stop',
    kind: 'slow',
    what: 'a pod that takes its whole grace period',
    probability: 0.1,
    facts: lasting(60_000),
    meets: 'upkeep',
  },
  {
    point: 'kube/pod-stop',
    kind: 'stuck',
    what: 'a pod whose process waits for a disk, and that nothing can kill',
    probability: 0.1,
    facts: lasting(240_000),
    meets: 'upkeep',
  },
  {
    point: 'kube/volume-detach',
    kind: 'slow',
    what: 'a volume that is detached late',
    probability: 0.2,
    facts: upTo(120_000),
    meets: 'upkeep',
  },
  {
    point: 'talos/installer',
    kind: 'failed',
    what: 'the installer of an upgrade fails',
    probability: 0.15,
    facts: () => ({ exitCode: 1 }),
    meets: 'upkeep',
  },
];

/** What matters most where machines are met for the first time: who answers, and whether a change was made. */
export const bootstrapFaults: readonly FaultClass[] = [
  {
    point: 'wire/address',
    kind: 'moved',
    what: 'another machine answers at an address for a while',
    probability: 0.01,
    facts: lasting(90_000),
  },
  { point: 'wire/change', kind: 'lost', what: 'a change was made and its answer is lost', probability: 0.25 },
  { point: 'wire/change', kind: 'never', what: 'a change was made and nothing comes any more', probability: 0.15 },
];

/**
 * The faults of one random schedule: some of the classes, each a few times, none after `calmAfterMs`, so that every history can
 * end well. The same stream of randomness gives the same rules.
 */
export function swarmFaults(
  random: Random,
  options: { readonly calmAfterMs: number; readonly share?: number; readonly classes?: readonly FaultClass[] },
): FaultRule[] {
  const { calmAfterMs, share = 0.35, classes = faultClasses } = options;
  return classes.flatMap(({ point, kind, probability, facts }) => {
    // Drawn for every class, taken or not: a class more must not change what the others get.
    const [taken, times, drawn] = [random.fraction() < share, random.fraction(), facts?.(random)];
    if (!taken) return [];
    return [{ point, kind, probability, atMost: 1 + Math.floor(times * 4), untilMs: calmAfterMs, ...(drawn ? { facts: drawn } : {}) }];
  });
}
