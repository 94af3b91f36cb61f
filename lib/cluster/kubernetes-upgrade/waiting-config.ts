import { type Secret, TkError } from '../../base/index.ts';
import type { TalosReader } from '../../talos/index.ts';
import { compareConfigs } from '../compare-configs.ts';
import { kubernetesUpgradeFailure } from './failures.ts';
import type { PartChange } from './kubernetes-upgrade.ts';

/** Applying over a config on trial, or beside one that waits for a reboot, would make the one permanent and lose the other. */
export async function refuseWaitingConfig(machine: TalosReader, node: string, signal: AbortSignal): Promise<void> {
  const [active, persistent] = [await machine.machineConfig('active', signal), await machine.machineConfig('persistent', signal)];
  if (active === undefined || persistent === undefined || active.reveal() === persistent.reveal()) return;
  if (compareConfigs(active, persistent).state !== 'differs') return;
  throw new TkError(kubernetesUpgradeFailure('upgrade-k8s/config-waits', { node }));
}

/** Failure: `upgrade-k8s/config-unreadable`. */
export async function runningConfig(machine: TalosReader, { node, part }: PartChange, signal: AbortSignal): Promise<Secret<string>> {
  const active = await machine.machineConfig('active', signal);
  if (active !== undefined) return active;
  throw new TkError(
    kubernetesUpgradeFailure('upgrade-k8s/config-unreadable', { node: node.name, part, reason: 'the machine has no config' }),
  );
}
