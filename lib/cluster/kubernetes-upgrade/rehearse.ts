import { type Failure, throwIfAborted, throwIfAny, TkError } from '../../base/index.ts';
import type { TalosReader } from '../../talos/index.ts';
import type { Connections } from '../connections.ts';
import { withImage } from './config-patch.ts';
import type { KubernetesPlan, NodeRehearsal, PartChange } from './kubernetes-upgrade.ts';
import { isChange } from './plan.ts';
import { refuseWaitingConfig, runningConfig } from './waiting-config.ts';

/**
 * See `KubernetesUpgradeView.rehearse`. All machines side by side, each with every image of its own at once.
 *
 * Upstream's client looks at the kubelet's health and compares images; it sends no config in a dry run, so that a config which the
 * machine refuses is found after the first machines were changed.
 * Source: Talos pkg/cluster/kubernetes/{talos_managed,kubelet}.go
 */
export async function rehearse(plan: KubernetesPlan, connections: Connections, signal: AbortSignal): Promise<readonly NodeRehearsal[]> {
  const byNode = Map.groupBy(plan.wanted.filter(isChange), ({ node }) => node);
  const failures: Failure[] = [];
  const rehearsals = await Promise.all(
    [...byNode].map(async ([node, changes]) => {
      try {
        return { node: node.name, notes: await connections.read(node, (machine) => notesOf(machine, changes, signal)) };
      } catch (error) {
        throwIfAborted(signal, 'asking the machines what they would do');
        if (!(error instanceof TkError)) throw error;
        failures.push(...error.failures);
        return undefined;
      }
    }),
  );
  throwIfAny(failures);
  return rehearsals.filter((one) => one !== undefined);
}

async function notesOf(machine: TalosReader, changes: readonly PartChange[], signal: AbortSignal): Promise<readonly string[]> {
  const [first] = changes;
  if (first === undefined) return [];
  await refuseWaitingConfig(machine, first.node.name, signal);
  const running = await runningConfig(machine, first, signal);
  const text = changes.reduce((config, { part, to, node }) => withImage(config, part, to, node.name), running);
  // With the mode of the upgrade itself: a config that needs a reboot is refused here, too.
  const { warnings } = await machine.dryRunApply({ text }, 'no-reboot', signal);
  const kubelet = changes.some(({ part }) => part === 'kubelet')
    ? (await machine.services(signal)).find(({ id }) => id === 'kubelet')
    : undefined;
  const isWell = kubelet === undefined || (kubelet.state === 'Running' && kubelet.health === 'healthy');
  return [...warnings, ...(isWell ? [] : [`its kubelet is ${kubelet.state}, ${kubelet.health}`])];
}
