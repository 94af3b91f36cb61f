import { defaultKubernetesVersion } from './contracts.ts';
import type { TalosMinor } from './machine-config-schema.ts';

/** What a new cluster gets when nobody says otherwise: the newest Talos that this tk was held against. */
export const newestTalos = 'v1.14.1';

/** The Kubernetes that goes with each Talos minor, with its `v`. */
export const defaultKubernetes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(defaultKubernetesVersion).map(([minor, version]) => [minor, `v${version}`]),
);

/** Minors to and from which clusters are upgraded; of older ones only configurations are made. */
export const operatedMinors: readonly [TalosMinor, ...TalosMinor[]] = ['1.9', '1.10', '1.11', '1.12', '1.13', '1.14'];

/** The newest release of each Talos minor that we know. Source: tags of siderolabs/talos */
export const newestTalosPatch: Readonly<Record<TalosMinor, string>> = {
  '1.2': 'v1.2.9',
  '1.3': 'v1.3.7',
  '1.4': 'v1.4.8',
  '1.5': 'v1.5.6',
  '1.6': 'v1.6.8',
  '1.7': 'v1.7.7',
  '1.8': 'v1.8.4',
  '1.9': 'v1.9.6',
  '1.10': 'v1.10.9',
  '1.11': 'v1.11.6',
  '1.12': 'v1.12.11',
  '1.13': 'v1.13.9',
  '1.14': newestTalos,
};
