import type { KubeModel } from './kube-door.ts';
import type { SimKernel } from './kernel.ts';
import type { SandboxSpec } from './spec.ts';
import type { TalosModel } from './talos/model.ts';

export interface Violation {
  /** `I-01` and so on, as in the catalogue of invariants. */
  readonly invariant: 'I-01' | 'I-02' | 'I-04';
  readonly atMs: number;
  readonly what: string;
}

export interface Invariants {
  violations(): readonly Violation[];
  /** What keeps the cluster from being what a finished bootstrap promises (I-17): empty exactly when exit 0 would be true. */
  missing(): readonly string[];
}

/**
 * Watches the ground truth of a simulated cluster.
 *
 * - I-01: etcd is bootstrapped at most once, and nobody asks a second machine to.
 * - I-02: a disruptive call never takes away etcd's quorum.
 * - I-04: what was meant for one machine never changes another.
 */
export function watchInvariants(
  kernel: SimKernel,
  spec: SandboxSpec,
  talos: TalosModel,
  kube: () => Pick<KubeModel, 'nodeReady'> | undefined,
): Invariants {
  const found: Violation[] = [];
  const asked = new Set<string>();
  let accepted = 0;
  const report = (invariant: Violation['invariant'], what: string) => found.push({ invariant, atMs: kernel.clock.monotonicMs(), what });
  const specOf = (node: string) => spec.machines.find(({ name }) => name === node);

  kernel.onEvent(({ kind, facts }) => {
    const node = String(facts.node ?? '');
    switch (kind) {
      case 'talos/bootstrap-requested':
        asked.add(node);
        if (asked.size > 1) report('I-01', `bootstrap asked of ${[...asked].join(' and ')}`);
        return;
      case 'talos/bootstrap-accepted':
        accepted += 1;
        if (accepted > 1) report('I-01', `bootstrap accepted ${accepted} times, at last by ${node}`);
        return;
      case 'talos/config-applied': {
        const { role, hostname } = facts;
        if (role !== specOf(node)?.role) report('I-04', `${node} got the configuration of a ${String(role)}`);
        if (hostname !== '' && hostname !== node) report('I-04', `${node} got the configuration of ${String(hostname)}`);
        return;
      }
      case 'talos/quorum-taken':
        report('I-02', `${String(facts.path)} took ${node} from an etcd that could not spare it`);
        return;
    }
  });

  return {
    violations: () => found,
    missing() {
      const problems: string[] = [];
      const clusters = talos.etcd.clusters();
      if (clusters.length !== 1) problems.push(`${clusters.length} etcd clusters`);
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
    },
  };
}
