import type { Clock } from '../../base/index.ts';
import type { SimEvent } from '../kernel.ts';
import type { SimulatedKube } from '../kube/model.ts';
import { builtIn } from '../kube/kinds.ts';
import { objAt, textAt } from '../kube/value.ts';
import type { TalosModel } from '../talos/model.ts';
import type { Report } from './violation.ts';

/** Set together with a cordon of ours: annotation `talos-tk/cordoned-by`. */
const mark = 'talos-tk/cordoned-by';
const nodes = builtIn('v1', 'Node');
const leases = builtIn('coordination.k8s.io/v1', 'Lease');

/**
 * What the journals on the workstation's disk say of a run, as a power cut at this moment would leave them: under way (begun, and not
 * ended well), over, or unknown.
 */
export type JournalOf = (run: string) => 'under-way' | 'over' | undefined;

export interface NodeWatch {
  onEvent(event: SimEvent): void;
  /**
   * At the end of a run, also of one that died. `keepsCordon`: it was asked to leave one behind; `tellsCordon`: it tried to take its own
   * back, nobody let it, and it told so.
   */
  atEnd(run: {
    readonly id?: string;
    readonly exit: number | 'dead';
    readonly keepsCordon?: boolean;
    readonly tellsCordon?: boolean;
    /** False: it could not even read what the cluster is. Default: true. */
    readonly hasBegun?: boolean;
  }): void;
}

/** Between the last look of a run that ends and its end: what it gives back takes a while. */
const lastLookMs = 30_000;

/**
 * I-13: whatever carries our cordon is in the journal of the run that set it as being under way, from the moment of the cordon on;
 * none is left behind on a machine that is back, and nobody else's is ever taken away.
 */
export function watchNodes(
  clock: Pick<Clock, 'monotonicMs'>,
  kube: () => SimulatedKube | undefined,
  talos: TalosModel,
  journalOf: JournalOf | undefined,
  report: Report,
): NodeWatch {
  const foreign = new Set<string>();
  /** Runs whose cordons were asked for. */
  const kept = new Set<string>();
  /** Runs that ended well and left a machine away, as they should. */
  const away = new Set<string>();
  /** By host name; absent: from the beginning on. */
  const runningSinceMs = new Map<string, number>();
  const isBack = (name: string): boolean => {
    const machine = talos.machines.find((one) => one.hostname() === name);
    return machine?.isUp() === true && machine.get('stage') === 'running' && kube()?.nodeReady(name) === true;
  };
  return {
    onEvent({ kind, facts, atMs }) {
      const node = String(facts.node ?? '');
      if (kind === 'talos/stage' && facts.stage === 'running') runningSinceMs.set(talos.hostnameOf(node), atMs);
      if (kind === 'talos/disruption') {
        const spec = objAt(kube()?.state.get(leases, 'kube-system', 'talos-tk') ?? {}, 'spec');
        // It lies in etcd: where that is gone nobody can hold it, nor ask for it.
        const isAnothers = textAt(spec, 'holderIdentity').startsWith('somebody-else') && talos.host.etcdHasQuorum();
        if (isAnothers) report('I-14', `${node} was taken away while ${textAt(spec, 'holderIdentity')} held the cluster's lease`);
      }
      if (kind === 'kube/marked' && journalOf && journalOf(String(facts.by)) !== 'under-way')
        report('I-13', `${node} was cordoned by ${String(facts.by)}, which no journal tells to be under way`);
      if (kind === 'kube/foreign-cordon') {
        if (facts.isCordoned === true) foreign.add(node);
        else foreign.delete(node);
      } else if (kind === 'kube/uncordoned' && foreign.has(node)) {
        report('I-13', `the cordon that somebody set on ${node} was taken away`);
        foreign.delete(node);
      }
    },
    atEnd({ id, exit, keepsCordon = false, tellsCordon = false, hasBegun = true }) {
      if (keepsCordon && id !== undefined) kept.add(id);
      for (const object of kube()?.state.list(nodes) ?? []) {
        const name = textAt(object, 'metadata', 'name');
        const by = objAt(object, 'metadata', 'annotations')[mark];
        if (by === undefined || objAt(object, 'spec').unschedulable !== true || kept.has(String(by))) continue;
        const told = journalOf?.(String(by));
        if (journalOf && told === undefined) report('I-13', `${name} is cordoned by ${String(by)}, of which no journal tells`);
        if (!isBack(name)) {
          // A machine that was wiped or switched off: whoever brings it back takes its cordon back.
          if (exit === 0 && by === id) away.add(String(by));
          continue;
        }
        if (told === 'over' && !away.has(String(by))) {
          report('I-13', `${name} is still cordoned by ${String(by)}, which has ended well`);
          continue;
        }
        const couldSee = clock.monotonicMs() - (runningSinceMs.get(name) ?? Number.NEGATIVE_INFINITY) > lastLookMs;
        // What could speak at its end takes its own cordons back; a run that ended well leaves none of earlier ones either.
        if (exit === 0 || (exit !== 'dead' && couldSee && !tellsCordon && hasBegun && (id === undefined || by === id)))
          report('I-13', `${name} is back and still cordoned by ${String(by)}`);
      }
    },
  };
}
