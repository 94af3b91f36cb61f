import type { KubernetesUpgradeContext, KubernetesUpgraded, KubernetesUpgradeOptions } from './run.ts';

/** See `run.ts`, which loads what reads YAML: nothing of it belongs on the way of `tk --list`. */
export async function upgradeKubernetes(context: KubernetesUpgradeContext, options: KubernetesUpgradeOptions): Promise<KubernetesUpgraded> {
  return (await import('./run.ts')).upgradeKubernetes(context, options);
}
