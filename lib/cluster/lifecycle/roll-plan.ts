import { throwIfAny } from '../../base/index.ts';
import type { PlannedStep } from '../../core/index.ts';
import { compareVersions } from '../../format/index.ts';
import type { ClusterView } from '../cluster.ts';
import type { GateAnswer } from './lifecycle.ts';
import { everyoneOf, isDue, leads, type Roll, type RollOptions } from './roll.ts';
import { isSameSchematic } from './image.ts';
import { isSettled, nodeOf, type NodeUpgradeState, pathProblems, upgradeCalls } from './upgrade-node.ts';

/** The gate that a plan can tell beforehand: the one of etcd, for the first control plane. */
export async function previewQuorum(
  cluster: ClusterView,
  roll: Roll,
  acceptsDowntime: boolean,
  signal: AbortSignal,
): Promise<GateAnswer | undefined> {
  const first = roll.controlPlanes.find(isDue);
  return first && cluster.gates.quorum({ node: nodeOf(first), kind: 'upgrade', etcd: 'away', acceptsDowntime }, signal);
}

/** The roll as a plan, with every call that would change something. Pure. Failure: `gate/version-path`, of all nodes at once. */
export function planRoll(
  roll: Roll,
  options: Pick<RollOptions, 'drain' | 'isStaged' | 'overrides'>,
  quorum: GateAnswer | undefined,
): readonly PlannedStep[] {
  const all = everyoneOf(roll);
  throwIfAny(pathProblems(all, options.overrides));
  const toPull = all.filter((state) => state.state === 'needed');
  const row = (state: NodeUpgradeState, ...notes: readonly string[]): PlannedStep => {
    const node = nodeOf(state).name;
    const blind =
      isDue(state) && options.drain.how !== 'skip' && state.facts.kube === undefined ? 'Kubernetes cannot be asked about it' : '';
    const reason = [reasonOf(state), ...notes, blind].filter((text) => text !== '').join(', ');
    if (state.state === 'unknown') return { decision: 'unknown', title: titleOf(state, options), node, reason };
    return {
      decision: 'run',
      title: titleOf(state, options),
      node,
      reason,
      calls: upgradeCalls(state, options).filter(({ call }) => !isPull(call)),
    };
  };
  const etcd = quorum?.state === 'passed' ? quorum.seen : quorum?.state === 'refused' ? `refused now: ${quorum.failures[0].code}` : '';
  return [
    ...(toPull.length === 0
      ? []
      : [
          {
            decision: 'run' as const,
            title: 'pull the installer',
            reason: toPull.map((state) => nodeOf(state).name).join(' '),
            calls: toPull.flatMap((state) => upgradeCalls(state, options).filter(({ call }) => isPull(call))),
          },
        ]),
    ...(roll.controlPlanes.some(isDue)
      ? [{ decision: 'run' as const, title: 'etcd snapshot', reason: 'talos/backups, verified before anything reboots' }]
      : []),
    ...roll.controlPlanes.map((state, index) =>
      row(state, index === 0 ? etcd : '', leads(state) && roll.controlPlanes.length > 1 ? 'leads etcd, goes last' : ''),
    ),
    ...(roll.canary === undefined ? [] : [row(roll.canary, roll.workers.length > 0 && roll.canary.state === 'needed' ? 'canary' : '')]),
    ...roll.workers.map((state) => row(state, roll.parallel > 1 ? `${Math.min(roll.parallel, roll.workers.length)} at once` : '')),
    ...roll.equal.map(
      (state): PlannedStep => ({ decision: 'skip', title: 'upgrade Talos', node: nodeOf(state).name, reason: reasonOf(state) }),
    ),
  ];
}

/** `4 of 6 nodes change: Talos v1.13.9 → v1.14.1, schematic unchanged`. Pure. */
export function rollHeadline(roll: Roll): string {
  const left = everyoneOf(roll);
  const nodes = left.length + roll.equal.length;
  const [first] = [...left, ...roll.equal];
  const version = first !== undefined && 'target' in first ? first.target?.version : undefined;
  if (left.length === 0) return `no node changes: ${nodes === 1 ? 'it runs' : `all ${nodes} run`} ${version ?? 'it'} already`;
  const silent = left.filter(({ state }) => state === 'unknown').map((state) => nodeOf(state).name);
  const aside = silent.length === 0 ? '' : `; ${silent.join(', ')} cannot be asked`;
  const moving = left.length - silent.length;
  if (moving === 0) return aside.slice(2);
  const many = moving === nodes ? `all ${nodes} nodes` : `${moving} of ${nodes} nodes`;
  const changing = left.filter(isDue);
  if (changing.length === 0)
    return `${nodes === 1 ? 'it is' : `${many} ${moving === 1 ? 'is' : 'are'}`} on the way to ${version ?? 'it'} already${aside}`;
  const from = [...new Set(changing.map(({ facts }) => facts.talosVersion))].sort(compareVersions);
  const to = [...new Set(changing.map(({ target }) => target.version))].sort(compareVersions);
  const others = changing
    .filter(({ facts, target }) => !isSameSchematic(target.schematicId, facts.schematicId))
    .map(({ facts }) => facts.node.name);
  const versions = from.join() === to.join() ? to.join(', ') : `${from.join(', ')} → ${to.join(', ')}`;
  const schematic = others.length === 0 ? 'schematic unchanged' : `another schematic on ${others.join(', ')}`;
  return `${nodes === 1 ? '' : `${many} ${moving === 1 ? 'changes' : 'change'}: `}Talos ${versions}, ${schematic}${aside}`;
}

const isPull = (call: string): boolean => call.endsWith('Pull');

function titleOf(state: NodeUpgradeState, { drain, isStaged }: Pick<RollOptions, 'drain' | 'isStaged'>): string {
  switch (state.state) {
    case 'equal':
      return state.cordon.state === 'ours' ? 'uncordon' : 'wait until it has booted';
    case 'leaving':
      return 'wait until it is back';
    case 'unknown':
      return 'upgrade Talos';
    case 'needed':
    case 'installed': {
      const words = [...(leads(state) ? ['move etcd leadership'] : []), ...(drain.how === 'skip' ? [] : ['drain'])];
      return [...words, ...(state.state === 'needed' ? [isStaged ? 'stage' : 'install'] : []), 'reboot'].join(' · ');
    }
  }
}

function reasonOf(state: NodeUpgradeState): string {
  switch (state.state) {
    case 'equal':
      return [
        `already ${state.target.version}`,
        ...(isSettled(state.facts) ? [] : [state.facts.stage === 'running' ? 'its etcd is not healthy' : state.facts.stage]),
        ...(state.cordon.state === 'ours' ? ['cordoned by a run that was cut off'] : []),
      ].join(', ');
    case 'leaving':
      return 'an earlier run has sent the reboot';
    case 'unknown':
      return `it cannot be asked (${state.failure.code}), and nobody goes before it can`;
    case 'installed':
      return `${state.target.version} is installed, reboot pending`;
    case 'needed': {
      const { facts, target, rolledBackFrom } = state;
      const versions = facts.talosVersion === target.version ? target.version : `${facts.talosVersion} → ${target.version}`;
      const schematic = isSameSchematic(target.schematicId, facts.schematicId)
        ? ''
        : `, schematic ${short(facts.schematicId)} → ${short(target.schematicId)}`;
      return `${versions}${schematic}${rolledBackFrom === undefined ? '' : ', rolled back last time'}`;
    }
  }
}

const short = (id: string | undefined): string => id?.slice(0, 8) ?? 'none';
