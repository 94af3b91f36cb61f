import { isAddress, isPrefix } from '../format/index.ts';

/** Where clustertool, which runs talhelper, keeps a cluster, and what it names its files. Source: clustertool pkg/helper/vars.go */
const home = /^(.*\/clusters\/([^/]+))\/talos\/talconfig\.ya?ml$/;

export interface ClustertoolHome {
  /** `main`: what the cluster's folder is called. */
  readonly name: string;
  /** Absolute. */
  readonly envFile: string;
  /** Absolute: machine configs, talosconfig and the secrets bundle. */
  readonly generated: string;
}

/** Undefined for a talconfig that does not lie where clustertool's do. */
export function clustertoolHome(talconfig: string): ClustertoolHome | undefined {
  const [, folder, name] = home.exec(talconfig) ?? [];
  if (folder === undefined || name === undefined) return undefined;
  return { name, envFile: `${folder}/clusterenv.yaml`, generated: `${folder}/talos/generated` };
}

/**
 * What clustertool sets besides: the cluster's name, and the parts of each value that is an address or a prefix.
 *
 * Source: clustertool pkg/initfiles/clusterenv.go
 */
export function clustertoolVariables(name: string, variables: Readonly<Record<string, string>>): Record<string, string> {
  const derived: Record<string, string> = { CLUSTERNAME: name };
  for (const [key, value] of Object.entries(variables)) {
    const [address = '', mask = '24', ...more] = value.split('/');
    if (more.length > 0 || !(value.includes('/') ? isPrefix(value) : isAddress(value))) continue;
    derived[`${key}_IP`] = address;
    derived[`${key}_NETMASK`] = mask;
    derived[`${key}_CIDR`] = `${address}/${mask}`;
  }
  return derived;
}
