import { defaultKubernetesVersion } from './contracts.ts';
import type { TalosMinor } from './machine-config-schema.ts';

/** What a new cluster gets when nobody says otherwise: the newest Talos that this tk was held against. */
export const newestTalos = 'v1.14.1';

/** The Kubernetes that goes with each Talos minor, with its `v`. */
export const defaultKubernetes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(defaultKubernetesVersion).map(([minor, version]) => [minor, `v${version}`]),
);

/** The newest release of each Talos minor that we know. Source: tags of siderolabs/talos */
export const newestTalosPatch: Readonly<Record<TalosMinor, string>> = {
  '1.9': 'v1.9.6',
  '1.10': 'v1.10.9',
  '1.11': 'v1.11.6',
  '1.12': 'v1.12.11',
  '1.13': 'v1.13.9',
  '1.14': newestTalos,
};
