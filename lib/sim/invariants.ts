import { createCanaries, secretsOfConfig } from './invariants/canary.ts';
import { type Terms, watchMachines } from './invariants/machines.ts';
import { type JournalOf, watchNodes } from './invariants/nodes.ts';
import { endOf, type EndState, differencesOf } from './invariants/end-state.ts';
import type { InvariantId, Violation } from './invariants/violation.ts';
import { createWorkstation, type RunTerms, type RunWatch, type RunEnd } from './invariants/workstation.ts';
import type { SimulatedKube } from './kube/model.ts';
import type { KubeModel } from './kube-door.ts';
import type { SimKernel } from './kernel.ts';
import type { SandboxSpec } from './spec.ts';
import type { Machine } from './talos/machine.ts';
import type { TalosModel } from './talos/model.ts';

export type { EndState, InvariantId, JournalOf, RunEnd, RunTerms, RunWatch, Terms, Violation };

export interface Invariants {
  violations(): readonly Violation[];
  /** What keeps the cluster from being what a finished bootstrap promises (I-17): empty exactly when exit 0 would be true. */
  missing(): readonly string[];
  /** What is agreed from now on. Default: everything may be touched, one machine at a time, no downtime of etcd. */
  terms(terms: Terms): void;
  /** One process of tk begins. */
  begin(terms: RunTerms): RunWatch;
  /** I-05: what a run printed, told, raised or left behind; `where` names it. */
  inspect(where: string, text: string): void;
  /** I-17: what was wrong with the cluster at the moment of exit 0. */
  claimedDone(problems: readonly string[]): void;
  /** I-20: nothing went wrong any more, and still no attempt ended. */
  gaveUp(name: string, codes: readonly string[]): void;
  /** I-07: the files of the workstation after a power cut. */
  afterCrash(files: Readonly<Record<string, { readonly content: Uint8Array }>>): void;
  /** What the cluster came to. */
  endState(): EndState;
  /** I-11: an interrupted history came to the same as the one that nothing disturbed. */
  cameTo(undisturbed: EndState): void;
  /** Of everything that happened, in order. */
  fingerprint(): string;
  /** I-19: another run of the same seed. */
  repeated(fingerprint: string): void;
}

/** Events of one instant: more of them, and something turns round and round. */
const mostAtOnce = 1000;

/**
 * Watches the ground truth of a simulated cluster, and the workstation that works on it.
 *
 * | | |
 * |---|---|
 * | I-01 | etcd is bootstrapped at most once, nobody asks a second machine, nobody recovers what has its quorum |
 * | I-02 | no disruptive call takes etcd's quorum away, as far as a caller could know five seconds before |
 * | I-03 | control planes are away one at a time, workers as many as agreed |
 * | I-04 | what was meant for one machine changes no other |
 * | I-05 | no secret of the cluster leaves the files that are made for it, in any of twelve encodings |
 * | I-06 | those files are for their owner alone |
 * | I-07 | a file that is written whole is, after a power cut, what it was or what it was to be |
 * | I-08 | machines of a cluster never get another PKI |
 * | I-09 | a dry run changes nothing, anywhere |
 * | I-10 | a run ends within the sum of its deadlines |
 * | I-11 | interrupted and resumed is the same end, with no act done twice that must be done once |
 * | I-12 | after a signal nothing disruptive begins; beside calls that are under way the end takes two seconds at most; the exit code is the signal's, the journal is whole and tells it, the next command is named |
 * | I-13 | a cordon of ours belongs to a run that is under way in its journal; none stays on a machine that is back; somebody else's is never taken away |
 * | I-14 | two runs never change things side by side, and none after its end |
 * | I-15 | no hop of versions that is not supported |
 * | I-16 | schematic, secure boot, platform and version of an image fit its machine |
 * | I-17 | exit 0 is true of every machine |
 * | I-18 | exit 0 means that nothing is unfinished; no busy loop |
 * | I-19 | the same seed is the same history |
 * | I-20 | when nothing goes wrong any more, a command ends |
 */
export function watchInvariants(
  kernel: SimKernel,
  spec: SandboxSpec,
  talos: TalosModel,
  kube: () => (Pick<KubeModel, 'nodeReady'> & Partial<SimulatedKube>) | undefined,
  /** Absent: no journal is looked into. */
  journalOf?: JournalOf,
): Invariants {
  const found: Violation[] = [];
  const report = (invariant: InvariantId, what: string): void => {
    if (!found.some((one) => one.invariant === invariant && one.what === what))
      found.push({ invariant, atMs: kernel.clock.monotonicMs(), what });
  };
  let terms: Terms = {};
  const canaries = createCanaries();
  const lookFor = (machine: Machine | undefined): void => {
    for (const [name, secret] of secretsOfConfig(machine?.get('config/persistent') ?? '')) canaries.add(name, secret);
  };
  // A cluster that runs already has its secrets.
  for (const machine of talos.machines) lookFor(machine);
  const workstation = createWorkstation(kernel.clock, canaries, report);
  const simulatedKube = () => {
    const model = kube();
    return model?.state === undefined ? undefined : (model as SimulatedKube);
  };
  const machines = watchMachines(kernel, spec, talos, kube, () => terms, report);
  const nodes = watchNodes(kernel.clock, simulatedKube, talos, journalOf, report);

  let hash = 0x811c9dc5;
  let instantMs = -1;
  let atOnce = 0;
  const acts: string[] = [];
  /** Machines whose member was removed, until they get a config again. */
  const leaving = new Map<string, 'left' | 'came back as it was'>();
  kernel.onEvent((event) => {
    const text = JSON.stringify(event);
    for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
    atOnce = event.atMs === instantMs ? atOnce + 1 : 0;
    instantMs = event.atMs;
    if (atOnce === mostAtOnce) report('I-18', `${mostAtOnce} events at one instant, at last ${event.kind}`);
    if (event.kind === 'talos/config-applied') lookFor(talos.machines.find(({ name }) => name === event.facts.node));
    const node = String(event.facts.node);
    const isRemoval = event.kind === 'etcd/member-removed';
    if (event.kind === 'talos/bootstrap-accepted' || (isRemoval && leaving.get(node) !== 'came back as it was'))
      acts.push(`${event.kind} ${node}`);
    if (isRemoval) leaving.set(node, 'left');
    if (event.kind === 'talos/config-applied') leaving.delete(node);
    // Somebody restarted it in the middle of its wipe: it has to leave once more.
    if (event.kind === 'talos/stage' && event.facts.stage === 'running' && leaving.has(node)) leaving.set(node, 'came back as it was');
    machines(event);
    nodes.onEvent(event);
  });

  const missing = (): readonly string[] => {
    const problems: string[] = [];
    // What was left behind for a snapshot is one no longer.
    const clusters = new Set(talos.machines.map((machine) => talos.etcd.clusterOf(machine)?.id).filter((id) => id !== undefined));
    if (clusters.size !== 1) problems.push(`${clusters.size} etcd clusters`);
    for (const machine of talos.machines) {
      const { name } = machine;
      if (!machine.isUp()) problems.push(`${name} is off`);
      else if (machine.get('stage') !== 'running') problems.push(`${name} is ${machine.get('stage')}`);
      if (machine.spec.role === 'controlplane') {
        const member = talos.etcd.memberOf(machine);
        if (!member?.started || member.learner || !talos.etcd.isHealthy(machine)) problems.push(`${name} is no healthy member of etcd`);
        if (machine.get('static-pods') !== true) problems.push(`${name} runs no API server`);
      }
      if (kube()?.nodeReady(machine.hostname()) !== true) problems.push(`${name} is not Ready`);
    }
    return problems;
  };

  return {
    violations: () => found,
    missing,
    terms(next) {
      terms = next;
    },
    begin(run) {
      const watch = workstation.begin(run);
      return {
        ...watch,
        ended(end) {
          watch.ended(end);
          nodes.atEnd({
            exit: end.exit,
            ...(run.keepsCordon ? { keepsCordon: true } : {}),
            ...(end.tellsCordon ? { tellsCordon: true } : {}),
            ...(end.hasBegun === undefined ? {} : { hasBegun: end.hasBegun }),
            ...(end.runId === undefined ? {} : { id: end.runId }),
          });
        },
      };
    },
    inspect(where, text) {
      const leaks = canaries.findIn(text);
      if (leaks.length > 0) report('I-05', `${where} holds ${leaks.join(', ')}`);
    },
    claimedDone(problems) {
      for (const problem of problems) report('I-17', `exit 0, but ${problem}`);
    },
    gaveUp: (name, codes) => report('I-20', `no attempt of ${name} ended well: ${codes.join(', ')}`),
    afterCrash: (files) => workstation.afterCrash(files),
    endState: () => endOf(talos, simulatedKube(), acts),
    cameTo(undisturbed) {
      for (const difference of differencesOf(undisturbed, endOf(talos, simulatedKube(), acts))) report('I-11', difference);
    },
    fingerprint: () => hash.toString(16).padStart(8, '0'),
    repeated(other) {
      const own = hash.toString(16).padStart(8, '0');
      if (other !== own) report('I-19', `the same seed gave ${own} and ${other}`);
    },
  };
}
