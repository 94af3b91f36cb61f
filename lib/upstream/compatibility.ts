/**
 * Which Kubernetes runs on which Talos, per minor release of Talos; both ends are minors that are supported.
 * Source: Talos pkg/machinery/compatibility/talos<minor>
 */
export const kubernetesRanges: Readonly<Record<string, { readonly lowest: string; readonly highest: string }>> = {
  '1.8': { lowest: '1.26', highest: '1.31' },
  '1.9': { lowest: '1.27', highest: '1.32' },
  '1.10': { lowest: '1.28', highest: '1.33' },
  '1.11': { lowest: '1.29', highest: '1.34' },
  '1.12': { lowest: '1.30', highest: '1.35' },
  '1.13': { lowest: '1.31', highest: '1.36' },
  '1.14': { lowest: '1.32', highest: '1.37' },
};

/**
 * What a new cluster gets when nobody says otherwise: the newest Talos that this tk knows, and the Kubernetes that each Talos minor
 * carries as its default.
 * Source: Talos pkg/machinery/constants DefaultKubernetesVersion
 */
export const newestTalos = 'v1.14.1';

export const defaultKubernetes: Readonly<Record<string, string>> = {
  '1.12': 'v1.35.0',
  '1.13': 'v1.36.0',
  '1.14': 'v1.37.0',
};
