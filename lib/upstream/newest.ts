import { defaultKubernetesVersion } from './contracts.ts';

/** What a new cluster gets when nobody says otherwise: the newest Talos that this tk was held against. */
export const newestTalos = 'v1.14.1';

/** The Kubernetes that goes with each Talos minor, with its `v`. */
export const defaultKubernetes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(defaultKubernetesVersion).map(([minor, version]) => [minor, `v${version}`]),
);
