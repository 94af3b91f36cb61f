import type { PinPlan, WantedPins } from '../pins/pins.ts';
import type { FollowOptions, PinContext } from './follow-pins.ts';
import type { KubernetesUpgradeContext, KubernetesUpgraded, KubernetesUpgradeOptions } from './run.ts';

/** See `run.ts`, which loads what reads YAML: nothing of it belongs on the way of `tk --list`. */
export async function upgradeKubernetes(context: KubernetesUpgradeContext, options: KubernetesUpgradeOptions): Promise<KubernetesUpgraded> {
  return (await import('./run.ts')).upgradeKubernetes(context, options);
}

/** See `follow-pins.ts`. */
export async function followPins(context: PinContext, wanted: WantedPins, options: FollowOptions = {}): Promise<PinPlan['edits']> {
  return (await import('./follow-pins.ts')).followPins(context, wanted, options);
}
