import { builtIn } from '../kube/kinds.ts';
import type { SimulatedKube } from '../kube/model.ts';
import { objAt, textAt } from '../kube/value.ts';
import type { TalosModel } from '../talos/model.ts';

/** What a history came to, without the accidents of the way: no ids, no times, no names of pods. */
export interface EndState {
  /** By name of the machine. */
  readonly machines: Readonly<Record<string, string>>;
  /** Members of etcd, by name of their machine. */
  readonly members: readonly string[];
  /** By name of the Node: kubelet, readiness, cordon. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Acts that are done once: how often each was accepted. */
  readonly acts: Readonly<Record<string, number>>;
}

const nodes = builtIn('v1', 'Node');

export function endOf(talos: TalosModel, kube: SimulatedKube | undefined, acts: readonly string[]): EndState {
  const counts: Record<string, number> = {};
  for (const act of acts) counts[act] = (counts[act] ?? 0) + 1;
  return {
    machines: Object.fromEntries(
      talos.machines.map((machine) => {
        const installed = machine.get('installed');
        const role = machine.config()?.role ?? 'unconfigured';
        const version = installed === undefined ? 'no system' : `${installed.version} ${installed.schematicId.slice(0, 8)}`;
        return [
          machine.name,
          `${machine.isUp() ? (machine.get('stage') ?? '') : 'off'}, ${role}, ${version}, ${machine.config()?.kubernetesVersion ?? ''}`,
        ];
      }),
    ),
    members: talos.machines
      .filter((machine) => {
        const member = talos.etcd.memberOf(machine);
        return member?.started === true && !member.learner;
      })
      .map(({ name }) => name),
    nodes: Object.fromEntries(
      (kube?.state.list(nodes) ?? []).map((node) => {
        const name = textAt(node, 'metadata', 'name');
        const isCordoned = objAt(node, 'spec').unschedulable === true;
        return [
          name,
          `${textAt(node, 'status', 'nodeInfo', 'kubeletVersion')}${kube?.nodeReady(name) ? '' : ', not Ready'}${isCordoned ? ', cordoned' : ''}`,
        ];
      }),
    ),
    acts: counts,
  };
}

/** In words. Bootstraps and removals that happened more often than undisturbed are differences too. */
export function differencesOf(wanted: EndState, found: EndState): readonly string[] {
  const differences: string[] = [];
  const compare = (what: string, a: Readonly<Record<string, string | number>>, b: Readonly<Record<string, string | number>>) => {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      if (a[key] !== b[key]) differences.push(`${what} ${key}: ${b[key] ?? 'nothing'} instead of ${a[key] ?? 'nothing'}`);
  };
  compare('machine', wanted.machines, found.machines);
  compare('node', wanted.nodes, found.nodes);
  compare('act', wanted.acts, found.acts);
  if (wanted.members.join() !== found.members.join())
    differences.push(`members of etcd: ${found.members.join(', ')} instead of ${wanted.members.join(', ')}`);
  return differences;
}
