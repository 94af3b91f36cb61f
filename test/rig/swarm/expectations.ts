import { bootstrapFaults, faultClasses } from '../../../lib/sim/index.ts';
import { printerTables } from '../../../lib/ui/failure-text.ts';
import type { Told } from './tell-many.ts';

/** Kinds of faults that a bootstrap never meets, and why. */
const faultsElsewhere: Readonly<Record<string, string>> = {
  'wire/message lost': 'a bootstrap follows no events',
  'talos/event-delivery lost': 'a bootstrap follows no events',
  'kube/watch expired': 'a bootstrap asks again, and watches nothing',
  'kube/list expired': 'no list of these clusters has a second page',
  'kube/webhook down': 'Flux writes what these webhooks are asked about, and tk does not',
};

/** Every failure that the layers of a bootstrap know: machines, Kubernetes, the workstation, the engine. */
const { base, core, cluster, host, kube, talosClient } = printerTables;
const known = [base, core, cluster, host, kube, talosClient].flatMap((table) => Object.keys(table));

/** Those that no history of a bootstrap can end with or wait through, by code or by the beginning of it, and why. */
const codesElsewhere: Readonly<Record<string, string>> = {
  'internal/': 'is a defect',
  'run/': 'a run that was stopped is told by its outcome',
  'task/': 'tasks of users',
  'params/': 'the command is right',
  'graph/': 'the tasks are right',
  'confirm/': 'everything is confirmed',
  'prompt/': 'nothing is asked',
  'lock/': 'one process at a time: test/e2e has two',
  'journal/no-run': 'of `tk resume`',
  'step/': 'of tasks with deadlines; what cannot be decided ends a bootstrap in preflight, which asks the same machines before',
  'cluster/': 'inputs and keys are right',
  'preflight/': 'disks, clocks, versions and addresses are right: test/sim/bad-days',
  'gate/unpinned': 'everything is confirmed',
  'machine-config/': 'configs that are generated lose nothing',
  'upgrade/': 'of upgrades',
  'host/listen': 'of the sandbox',
  'host/command': 'the stories start no command',
  'host/compute': 'charts are rendered in the process',
  'kube/': 'accounts, objects and kinds are right; who wrote first is asked again without a word',
  'talos/': 'the calls are right, and accounts are administrators',
  'etcd/': 'of snapshots',
};

/** And those that come up although their like do not. */
const codesHere = new Set([
  'cluster/secrets-lost',
  'preflight/unreachable',
  'preflight/foreign',
  'preflight/wrong-machine',
  'kube/unreachable',
  'kube/no-answer',
  'kube/busy',
  'talos/unreachable',
  'talos/unavailable',
  'talos/deadline',
  'talos/outcome-unknown',
  'talos/failed-precondition',
  'talos/wrong-machine',
]);

export const expectedCodes: readonly string[] = known.filter(
  (code) => codesHere.has(code) || !Object.keys(codesElsewhere).some((beginning) => code.startsWith(beginning)),
);

/** What should have happened in these histories at least once, and did not. */
export function neverHappened({ faults, branches, codes }: Told): readonly string[] {
  const wanted = [...faultClasses, ...bootstrapFaults].filter((one) => one.meets !== 'upkeep').map(({ point, kind }) => `${point} ${kind}`);
  return [
    ...new Set(wanted.filter((name) => faultsElsewhere[name] === undefined && !faults[name]).map((name) => `fault: ${name}`)),
    ...Object.entries(branches)
      .filter(([, count]) => count === 0)
      .map(([name]) => `way out: ${name}`),
    ...expectedCodes.filter((code) => !codes[code]).map((code) => `failure: ${code}`),
  ];
}
