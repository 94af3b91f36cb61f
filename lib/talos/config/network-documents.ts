import { isAddress, isPrefix } from '../../format/index.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

/** A setting of the old form that no document can carry. */
export interface LostSetting {
  /** Below the interface: `vlans[0].addresses[1]`. */
  readonly path: string;
  readonly index: number;
  readonly reason: string;
}

export interface NetworkDocuments {
  /** In talhelper's order; each with `kind`. */
  readonly documents: readonly ConfigMap[];
  readonly lost: readonly LostSetting[];
}

/**
 * Network interfaces of the old form as the documents of 1.12 and later.
 *
 * Source: talhelper v3.1.17 pkg/talos/networkconfig.go, multidocs.go
 */
export function networkDocuments(devices: readonly ConfigMap[]): NetworkDocuments {
  const lost: LostSetting[] = [];
  const named = withNames(devices);
  const lose = (index: number, path: string, reason: string) => lost.push({ index, path, reason });
  named.forEach((device, index) => {
    if (device['ignore'] === true) lose(index, 'ignore', 'no document says that an interface is to be left alone');
    if (isConfigMap(device['dhcpOptions']) && device['dhcpOptions']['duidv6'])
      lose(index, 'dhcpOptions.duidv6', 'write a DHCPv6Config with `duidRaw`');
    if (isConfigMap(device['vip']) && isConfigMap(device['vip']['equinixMetal']))
      lose(index, 'vip.equinixMetal', 'Talos has no document for it any more');
    if (device['dummy'] === true) lose(index, 'dummy', 'write a DummyLinkConfig');
  });
  const each = (make: (device: ConfigMap, index: number) => readonly ConfigMap[]) => named.flatMap(make);
  const documents = [
    ...each((device) => aliases(device)),
    ...each((device) => bondMemberAliases(device)),
    ...each((device, index) => (isConfigMap(device['bond']) ? [bond(device, device['bond'], index, lose)] : [])),
    ...each((device) => (device['dhcp'] === true ? dhcp(textOf(device['interface']), device['dhcpOptions']) : [])),
    ...each((device) => vip(textOf(device['interface']), device['vip'])),
    ...each((device, index) => link(device, index, lose)),
    ...each((device, index) =>
      mapsOf(device['vlans']).flatMap((one, place) => vlan(device, one, (path, reason) => lose(index, `vlans[${place}].${path}`, reason))),
    ),
    ...each((device, index) => (isConfigMap(device['wireguard']) ? [wireguard(device, device['wireguard'], index, lose)] : [])),
    ...each((device, index) => (isConfigMap(device['bridge']) ? [bridge(device, device['bridge'], index, lose)] : [])),
  ];
  return { documents, lost };
}

type Lose = (index: number, path: string, reason: string) => void;

/** Interfaces that are only selected get a name: `ethSel0`, `bond0`, `br0`, `wg0`, the first that is free. */
function withNames(devices: readonly ConfigMap[]): ConfigMap[] {
  const used = new Set(devices.map((device) => textOf(device['interface'])).filter((name) => name !== ''));
  const next: Record<string, number> = {};
  return devices.map((device) => {
    if (textOf(device['interface']) !== '' || !isConfigMap(device['deviceSelector'])) return device;
    const prefix = isConfigMap(device['bond'])
      ? 'bond'
      : isConfigMap(device['bridge'])
        ? 'br'
        : isConfigMap(device['wireguard'])
          ? 'wg'
          : 'ethSel';
    let name: string;
    do {
      name = `${prefix}${next[prefix] ?? 0}`;
      next[prefix] = (next[prefix] ?? 0) + 1;
    } while (used.has(name));
    used.add(name);
    return { ...device, interface: name };
  });
}

function selectorExpression(selector: ConfigMap): string {
  const conditions: string[] = [];
  const glob = (key: string, target: string) => {
    const value = textOf(selector[key]);
    if (value !== '') conditions.push(`glob("${value}", ${target})`);
  };
  glob('hardwareAddr', 'mac(link.hardware_addr)');
  glob('permanentAddr', 'mac(link.permanent_addr)');
  glob('busPath', 'link.bus_path');
  glob('driver', 'link.driver');
  glob('pciID', 'link.pciid');
  if (selector['physical'] === true) conditions.push('link.type == 1');
  if (selector['physical'] === false) conditions.push('link.type != 1');
  return conditions.join(' && ');
}

function alias(name: string, selector: ConfigValue | undefined): ConfigMap[] {
  const match = isConfigMap(selector) ? selectorExpression(selector) : '';
  return match === '' ? [] : [{ kind: 'LinkAliasConfig', name, selector: { match } }];
}

const aliases = (device: ConfigMap) => alias(textOf(device['interface']), device['deviceSelector']);

function bondMemberAliases(device: ConfigMap): ConfigMap[] {
  const selectors = isConfigMap(device['bond']) ? mapsOf(device['bond']['deviceSelectors']) : [];
  return selectors.flatMap((selector, index) => alias(`${textOf(device['interface'])}-m${index}`, selector));
}

/** Names that changed; the others are the same in the old and the new form. */
const bondNumbers: Readonly<Record<string, string>> = {
  miimon: 'miimon',
  updelay: 'updelay',
  downdelay: 'downdelay',
  arpInterval: 'arpInterval',
  resendIgmp: 'resendIGMP',
  minLinks: 'minLinks',
  lpInterval: 'lpInterval',
  packetsPerSlave: 'packetsPerSlave',
  numPeerNotif: 'numPeerNotif',
  tlbDynamicLb: 'tlbLogicalLb',
  allSlavesActive: 'allSlavesActive',
  adActorSysPrio: 'adActorSysPrio',
  adUserPortKey: 'adUserPortKey',
  peerNotifyDelay: 'peerNotifDelay',
};
const bondWords: Readonly<Record<string, string>> = {
  mode: 'bondMode',
  xmitHashPolicy: 'xmitHashPolicy',
  lacpRate: 'lacpRate',
  arpValidate: 'arpValidate',
  arpAllTargets: 'arpAllTargets',
  primaryReselect: 'primaryReselect',
  failOverMac: 'failOverMac',
  adSelect: 'adSelect',
};

function bond(device: ConfigMap, old: ConfigMap, index: number, lose: Lose): ConfigMap {
  const name = textOf(device['interface']);
  const document: ConfigMap = { kind: 'BondConfig', name };
  const links = [...textsOf(old['interfaces']), ...mapsOf(old['deviceSelectors']).map((_, member) => `${name}-m${member}`)];
  if (links.length > 0) document['links'] = links;
  for (const [from, to] of Object.entries(bondWords)) if (textOf(old[from]) !== '') document[to] = old[from];
  for (const [from, to] of Object.entries(bondNumbers)) if (Number(old[from] ?? 0) > 0) document[to] = old[from];
  if (typeof old['useCarrier'] === 'boolean') document['useCarrier'] = old['useCarrier'];
  const targets = textsOf(old['arpIPTarget']);
  if (targets.length > 0) document['arpIpTargets'] = targets;
  for (const key of ['primary', 'adActorSystem']) if (textOf(old[key]) !== '') lose(index, `bond.${key}`, 'no document can say it');
  return { ...document, ...common(device, index, lose) };
}

function dhcp(name: string, options: ConfigValue | undefined): ConfigMap[] {
  const given = isConfigMap(options) ? options : {};
  const metric = Number(given['routeMetric'] ?? 0);
  const document = (kind: string): ConfigMap => ({ kind, name, ...(metric > 0 ? { routeMetric: metric } : {}) });
  return [...(given['ipv4'] === false ? [] : [document('DHCPv4Config')]), ...(given['ipv6'] === true ? [document('DHCPv6Config')] : [])];
}

function vip(link: string, old: ConfigValue | undefined): ConfigMap[] {
  if (!isConfigMap(old) || textOf(old['ip']) === '') return [];
  const hcloud = old['hcloud'];
  if (isConfigMap(hcloud)) return [{ kind: 'HCloudVIPConfig', name: textOf(old['ip']), link, apiToken: textOf(hcloud['apiToken']) }];
  return [{ kind: 'Layer2VIPConfig', name: textOf(old['ip']), link }];
}

function link(device: ConfigMap, index: number, lose: Lose): ConfigMap[] {
  if (['bond', 'wireguard', 'bridge'].some((key) => isConfigMap(device[key]))) return [];
  const settings = common(device, index, lose);
  return Object.keys(settings).length === 0 ? [] : [{ kind: 'LinkConfig', name: textOf(device['interface']), ...settings }];
}

function vlan(device: ConfigMap, old: ConfigMap, lose: (path: string, reason: string) => void): ConfigMap[] {
  const id = Number(old['vlanId'] ?? 0);
  if (id === 0) {
    lose('vlanId', 'a VLAN without a number is none');
    return [];
  }
  const parent = textOf(device['interface']);
  const name = `${parent}.${id}`;
  const settings = common(old, 0, (_, path, reason) => lose(path, reason));
  return [
    { kind: 'VLANConfig', name, vlanID: id, parent, ...settings },
    ...(old['dhcp'] === true ? dhcp(name, old['dhcpOptions']) : []),
    ...vip(name, old['vip']),
  ];
}

function wireguard(device: ConfigMap, old: ConfigMap, index: number, lose: Lose): ConfigMap {
  const document: ConfigMap = { kind: 'WireguardConfig', name: textOf(device['interface']) };
  if (textOf(old['privateKey']) !== '') document['privateKey'] = old['privateKey'];
  for (const key of ['listenPort', 'firewallMark']) if (Number(old[key] ?? 0) > 0) document[key] = old[key];
  const peers = mapsOf(old['peers']).map((peer, place) => {
    const result: ConfigMap = {};
    if (textOf(peer['publicKey']) !== '') result['publicKey'] = peer['publicKey'];
    const endpoint = textOf(peer['endpoint']);
    if (/^(?:\d+\.\d+\.\d+\.\d+|\[[^\]]+\]):\d+$/.test(endpoint)) result['endpoint'] = endpoint;
    else if (endpoint !== '') lose(index, `wireguard.peers[${place}].endpoint`, `\`${endpoint}\` is not an address with a port`);
    if (peer['persistentKeepaliveInterval'] !== undefined) result['persistentKeepaliveInterval'] = peer['persistentKeepaliveInterval'];
    const allowed = textsOf(peer['allowedIPs']).filter((prefix, position) => {
      if (isPrefix(prefix)) return true;
      lose(index, `wireguard.peers[${place}].allowedIPs[${position}]`, `\`${prefix}\` is not a network`);
      return false;
    });
    if (allowed.length > 0) result['allowedIPs'] = allowed;
    return result;
  });
  if (peers.length > 0) document['peers'] = peers;
  return { ...document, ...common(device, index, lose) };
}

function bridge(device: ConfigMap, old: ConfigMap, index: number, lose: Lose): ConfigMap {
  const document: ConfigMap = { kind: 'BridgeConfig', name: textOf(device['interface']) };
  if (textsOf(old['interfaces']).length > 0) document['links'] = textsOf(old['interfaces']);
  if (isConfigMap(old['stp']) && typeof old['stp']['enabled'] === 'boolean') document['stp'] = { enabled: old['stp']['enabled'] };
  if (isConfigMap(old['vlan']) && old['vlan']['vlanFiltering'] === true) document['vlan'] = { filtering: true };
  return { ...document, ...common(device, index, lose) };
}

/** Addresses, routes and MTU. A bare address is a network of one. */
function common(device: ConfigMap, index: number, lose: Lose): ConfigMap {
  const result: ConfigMap = {};
  const addresses = textsOf(device['addresses']).flatMap((address, place) => {
    if (isPrefix(address)) return [{ address }];
    if (isAddress(address)) return [{ address: `${address}/${address.includes(':') ? 128 : 32}` }];
    lose(index, `addresses[${place}]`, `\`${address}\` is not an address`);
    return [];
  });
  const routes = mapsOf(device['routes']).flatMap((route, place) => {
    const network = textOf(route['network']);
    const gateway = textOf(route['gateway']);
    if ((network !== '' && !isPrefix(network)) || (gateway !== '' && !isAddress(gateway))) {
      lose(index, `routes[${place}]`, 'its network or its gateway is no address');
      return [];
    }
    const made: ConfigMap = {};
    // The default route names no destination.
    if (network !== '' && network !== '0.0.0.0/0' && network !== '::/0') made['destination'] = network;
    if (gateway !== '') made['gateway'] = gateway;
    if (textOf(route['source']) !== '') made['source'] = textOf(route['source']);
    for (const key of ['metric', 'mtu']) if (Number(route[key] ?? 0) > 0) made[key] = route[key];
    return [made];
  });
  if (Number(device['mtu'] ?? 0) > 0) result['mtu'] = device['mtu'];
  if (addresses.length > 0) result['addresses'] = addresses;
  if (routes.length > 0) result['routes'] = routes;
  return result;
}

const textOf = (value: ConfigValue | undefined) => (typeof value === 'string' ? value : '');
const mapsOf = (value: ConfigValue | undefined) => (Array.isArray(value) ? value.filter((item) => isConfigMap(item)) : []);
const textsOf = (value: ConfigValue | undefined) => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
