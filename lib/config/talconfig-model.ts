import type { NodeName } from '../base/index.ts';
import type { ClusterModel, ClusterPaths, DiskChoice, NodeModel } from './model.ts';
import { isPlainMap, type Plain } from './talconfig-read.ts';
import type { Talconfig, TalconfigNode } from './talconfig.ts';

/**
 * The cluster that a talconfig describes.
 *
 * `schematicIdOf` computes the id of a node's schematic; the generator's layer does that.
 */
export function clusterModelOf(
  talconfig: Talconfig,
  paths: ClusterPaths,
  schematicIdOf: (schematic: unknown) => string | undefined = () => undefined,
): ClusterModel {
  const vip = talconfig.nodes
    .flatMap((node) => interfacesOf(node))
    .map(vipOf)
    .find((address) => address !== undefined);
  return {
    name: talconfig.clusterName,
    source: 'talconfig.yaml',
    endpoint: talconfig.endpoint,
    ...(vip === undefined ? {} : { vip }),
    talosVersion: talconfig.talosVersion,
    kubernetesVersion: talconfig.kubernetesVersion,
    podSubnets: talconfig.clusterPodNets.length > 0 ? talconfig.clusterPodNets : ['10.244.0.0/16'],
    serviceSubnets: talconfig.clusterSvcNets.length > 0 ? talconfig.clusterSvcNets : ['10.96.0.0/12'],
    nodes: talconfig.nodes.map((node) => nodeModel(node, talconfig, schematicIdOf)),
    paths,
  };
}

function nodeModel(node: TalconfigNode, talconfig: Talconfig, schematicIdOf: (schematic: unknown) => string | undefined): NodeModel {
  const spec = isPlainMap(node.configs['machineSpec'] ?? null) ? (node.configs['machineSpec'] as { [key: string]: Plain }) : {};
  const installer = installerOf(node);
  const schematicId = installer.by === 'image' ? idInImage(installer.name) : schematicIdOf(installer.schematic);
  return {
    // talhelper's own check has passed: the name is a host name.
    name: node.hostname as NodeName,
    address: node.ipAddresses[0] ?? node.hostname,
    addresses: node.ipAddresses,
    role: node.controlPlane ? 'controlplane' : 'worker',
    disk: diskOf(node),
    macAddresses: interfacesOf(node).flatMap(macsOf),
    talosVersion: talconfig.talosVersion,
    ...(schematicId === undefined ? {} : { schematicId }),
    secureBoot: spec['secureboot'] === true,
    ...textAt(spec, 'arch', 'arch'),
    ...textAt(spec, 'mode', 'platform'),
    declaredAt: node.declaredAt,
  };
}

/** What a node installs: an image of that name, or the one that the factory makes of a schematic. */
export type Installer =
  | { readonly by: 'image'; readonly name: string }
  | { readonly by: 'schematic'; readonly schematic: Plain | undefined };

/** An image that is named wins over a schematic. Source: talhelper v3.1.17 cmd/genurl_installer.go */
export function installerOf({ configs }: Pick<TalconfigNode, 'configs'>): Installer {
  const name = configs['talosImageURL'];
  return typeof name === 'string' && name !== '' ? { by: 'image', name } : { by: 'schematic', schematic: configs['schematic'] };
}

const textAt = <K extends string>(from: { [key: string]: Plain }, key: string, as: K): { readonly [P in K]?: string } =>
  (typeof from[key] === 'string' && from[key] !== '' ? { [as]: from[key] } : {}) as { readonly [P in K]?: string };

function diskOf(node: TalconfigNode): DiskChoice {
  if (node.installDiskSelector) {
    return {
      by: 'selector',
      selector: Object.fromEntries(Object.entries(node.installDiskSelector).map(([key, value]) => [key, String(value)])),
    };
  }
  return node.installDisk === undefined ? { by: 'nothing' } : { by: 'path', path: node.installDisk };
}

function interfacesOf(node: TalconfigNode): readonly Plain[] {
  const interfaces = node.configs['networkInterfaces'];
  return Array.isArray(interfaces) ? interfaces : [];
}

function vipOf(device: Plain): string | undefined {
  if (!isPlainMap(device)) return undefined;
  const own = isPlainMap(device['vip']) ? device['vip']['ip'] : undefined;
  if (typeof own === 'string' && own !== '') return own;
  const vlans = Array.isArray(device['vlans']) ? device['vlans'] : [];
  return vlans.map((vlan) => vipOf(vlan)).find((address) => address !== undefined);
}

/** Only complete addresses: a selector may hold a glob, which names no machine. */
function macsOf(device: Plain): string[] {
  if (!isPlainMap(device)) return [];
  const bond = isPlainMap(device['bond']) && Array.isArray(device['bond']['deviceSelectors']) ? device['bond']['deviceSelectors'] : [];
  return [device['deviceSelector'], ...bond].flatMap((selector) => {
    if (!isPlainMap(selector ?? null)) return [];
    const address = (selector as { [key: string]: Plain })['hardwareAddr'] ?? (selector as { [key: string]: Plain })['permanentAddr'];
    return typeof address === 'string' && /^(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$/.test(address)
      ? [address.toLowerCase().replaceAll('-', ':')]
      : [];
  });
}

const idInImage = (image: string): string | undefined => /[0-9a-f]{64}/.exec(image)?.[0];
