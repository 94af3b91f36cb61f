import { everyFault } from './schedule.ts';
import { stories } from './stories.ts';
import type { Counts } from './tally.ts';

/** Faults that no work on a running cluster meets, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  'wire/message lost': 'nobody follows a stream: what happens is polled',
  'talos/event-delivery lost': 'nobody follows a stream: what happens is polled',
  'talos/install slow': 'only a machine without a system is installed; the swarm of bootstrap does that',
  'talos/install failed': 'only a machine without a system is installed; the swarm of bootstrap does that',
  'kube/watch expired': 'nothing is watched',
  'kube/list expired': 'no list has a second page',
  'kube/webhook down': 'no release is installed',
  'kube/image-pull failed': 'no release is installed',
  'flux/oci failed': 'nothing is handed over to Flux',
};

/** Failures that disturbed flows end with. Those of a wrong command line are tested elsewhere. */
const failureCodes = [
  'confirm/declined',
  'etcd/no-member',
  'etcd/snapshot-invalid',
  'etcd/works',
  'gate/etcd-downtime',
  'gate/etcd-last-voter',
  'gate/etcd-quorum',
  'gate/foreign-cordon',
  'gate/lease',
  'gate/not-well',
  'gate/other-driver',
  'host/file',
  'journal/write',
  'kube/no-answer',
  'kube/unreachable',
  'node/rolled-back',
  'talos/deadline',
  'talos/installer-failed',
  'talos/outcome-unknown',
  'talos/unavailable',
  'talos/unreachable',
  'task/refused',
  'wait/timeout',
];

/** Ways to go on that only an interrupted or disturbed run takes. */
const branches = [
  'a step was cancelled',
  'afterwards: give the lease back',
  'afterwards: uncordon …',
  'asked again after talos/unavailable',
  'seen: rolled back',
  'seen: … is still in the same boot',
  'seen: … revision … taken before',
  'skipped: another member leads',
  'skipped: it has booted since this was begun',
  'skipped: it has left etcd',
  'skipped: no cordon of ours',
  'skipped: no pod to move',
  'skipped: somebody has cordoned it already, and it stays so afterwards',
  'skipped: … has booted since',
];

/** Each of these stories and each fault that they can meet. */
export function neverTried(counts: Counts, told: readonly string[]): readonly string[] {
  return [
    ...told.filter((name) => !counts.stories[name]).map((name) => `story ${name}`),
    ...everyFault
      .map(({ point, kind }) => `${point} ${kind}`)
      .filter((fault) => !(fault in elsewhere))
      .filter((fault) => !counts.faults[fault]),
  ];
}

/** What a thousand histories of all stories have to have come upon. */
export function neverHappened(counts: Counts): readonly string[] {
  return [
    ...neverTried(
      counts,
      stories.map(({ name }) => name),
    ),
    ...failureCodes.filter((code) => !counts.failures[code]),
    ...branches.filter((branch) => !counts.branches[branch]),
    ...['0', '1', '3', '130', 'dead'].filter((end) => !counts.ends[end]).map((end) => `end ${end}`),
  ];
}
