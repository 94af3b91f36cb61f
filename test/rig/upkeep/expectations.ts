import { printerTables } from '../../../lib/ui/failure-text.ts';
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

/** Every failure that the layers below these flows know: machines, Kubernetes, the workstation, the engine. */
const { base, core, cluster, host, kube, lifecycle, kubernetesUpgrade, operations, talosClient } = printerTables;
const known = [base, core, cluster, host, kube, lifecycle, kubernetesUpgrade, operations, talosClient].flatMap((table) =>
  Object.keys(table),
);

/** Those that no work on a running cluster ends with or waits through here, by code or by the beginning of it, and why. */
const codesElsewhere: Readonly<Record<string, string>> = {
  'internal/': 'is a defect',
  'run/': 'a run that was stopped is told by its outcome',
  'task/': 'tasks of users',
  'params/': 'the command is right',
  'usage/': 'the command is right',
  'graph/': 'the tasks are right',
  'prompt/': 'whoever is asked answers',
  'lock/': 'one process at a time: test/e2e has two',
  'journal/no-run': 'of `tk resume`',
  'step/deadline': 'five minutes for what is done afterwards: test/unit/core/engine.test.ts',
  'step/after-end': 'is a defect',
  'cluster/': 'inputs and keys are right',
  'preflight/': 'of machines without a system: the swarm of bootstrap',
  'node/install-failed': 'of machines without a system: the swarm of bootstrap',
  'gate/identity': 'of machines in maintenance mode: the swarm of bootstrap',
  'gate/unpinned': 'everything is confirmed',
  'machine-config/': 'configs that are generated lose nothing',
  'upgrade/': 'the targets can be reached: test/sim/upgrade.test.ts',
  'host/listen': 'of the sandbox',
  'host/command': 'the stories start no command',
  'host/compute': 'no chart is rendered',
  'kube/': 'accounts, objects and kinds are right; who wrote first is asked again without a word',
  'talos/': 'the calls are right, and accounts are administrators',
  'drain/refused': 'no pod has two budgets: test/unit/cluster/lifecycle/drain.test.ts',
  'node/not-in-kubernetes': 'nobody deletes a Node by hand: test/sim/talos',
  'node/no-control-plane': 'the command is right',
  'node/no-successor': 'the new machine is there: test/sim/node.test.ts',
  'node/not-wiped': 'no volume is wiped alone: test/sim/talos/reset-volumes.test.ts',
  'node/never-left': 'an earlier run that sent nothing: test/sim/talos/upgrade-ends.test.ts',
  'upgrade-k8s/': 'the targets can be reached, and no config waits: test/sim/talos/upgrade-k8s.test.ts',
  'manifests/': 'the manifests are those of the cluster',
  'pin/': 'versions stand in the repository in plain text',
  'resource/': 'the command is right',
  'service/': 'the command is right',
  'disk/': 'the command is right',
  'patch/': 'the patches are there',
  'etcd/unknown-member': 'is asked for no more: test/sim/talos',
  'etcd/member-works': 'somebody would have to switch the dead one on',
  'etcd/no-snapshot': 'the snapshot is there',
  'etcd/snapshot-foreign': 'and of this cluster: test/sim/node.test.ts',
  'flux/': 'nothing is handed over to Flux',
  'doctor/': 'of `tk doctor`',
};

/** And those that come up although their like do not. */
const codesHere = new Set([
  'task/refused',
  'kube/unreachable',
  'kube/no-answer',
  'kube/busy',
  'preflight/unreachable',
  'talos/unreachable',
  'talos/unavailable',
  'talos/deadline',
  'talos/outcome-unknown',
  'talos/not-found',
  'talos/rpc',
  'talos/wrong-machine',
  'talos/installer-failed',
]);

export const expectedCodes: readonly string[] = known.filter(
  (code) => codesHere.has(code) || !Object.keys(codesElsewhere).some((beginning) => code.startsWith(beginning)),
);

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

/** What two thousand histories of all stories have to have come upon. */
export function neverHappened(counts: Counts): readonly string[] {
  const faults = everyFault.map(({ point, kind }) => `${point} ${kind}`).filter((fault) => !(fault in elsewhere));
  return [
    ...stories.filter(({ name }) => !counts.stories[name]).map(({ name }) => `story ${name}`),
    ...faults.filter((fault) => !counts.faults[fault]).map((fault) => `fault ${fault}`),
    ...expectedCodes.filter((code) => !counts.failures[code]).map((code) => `failure ${code}`),
    ...branches.filter((branch) => !counts.branches[branch]).map((branch) => `branch ${branch}`),
    ...['0', '1', '3', '5', '130', 'dead'].filter((end) => !counts.ends[end]).map((end) => `end ${end}`),
  ];
}
