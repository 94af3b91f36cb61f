import { Buffer } from 'node:buffer';
import { isAddress, isPrefix } from '../../format/index.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

const text = (value: ConfigValue | undefined): string => (typeof value === 'string' ? value : '');
const number = (value: ConfigValue | undefined): number => (typeof value === 'number' ? value : 0);
const map = (value: ConfigValue | undefined): ConfigMap => (isConfigMap(value) ? value : {});
const maps = (value: ConfigValue | undefined): ConfigMap[] => (Array.isArray(value) ? value.filter((item) => isConfigMap(item)) : []);
const texts = (value: ConfigValue | undefined): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
const quoted = (one: string): string => JSON.stringify(one);

/**
 * What is wrong with the interfaces of the document without a kind, in upstream's sentences.
 *
 * Source: pkg/machinery/config/types/v1alpha1/v1alpha1_validation.go, ValidateNetworkDevices and what it calls
 */
export function deviceRules(network: ConfigMap): string[] {
  const sentences: string[] = [];
  const devices = maps(network['interfaces']);
  const parts = new Map<string, string>();
  for (const device of devices) {
    const name = text(device['interface']);
    if (isConfigMap(device['bond']) && isConfigMap(device['bridge']))
      sentences.push(`interface has both bridge and bond sections set ${quoted(name)}: config sections are mutually exclusive`);
    const bond = map(device['bond']);
    if (texts(bond['interfaces']).length > 0 && maps(bond['deviceSelectors']).length > 0)
      sentences.push(`interface ${quoted(name)} has both interfaces and selectors set: config sections are mutually exclusive`);
    const members = isConfigMap(device['bridge']) ? texts(device['bridge']['interfaces']) : texts(bond['interfaces']);
    for (const member of members) {
      const other = parts.get(member);
      if (other !== undefined && other !== name)
        sentences.push(`interface ${quoted(member)} is declared as part of two separate links: ${quoted(other)} and ${quoted(name)}`);
      parts.set(member, name);
    }
  }
  for (const device of devices)
    if (device['ignore'] !== true) sentences.push(...interfaceRule(device), ...addressingRule(device, parts), ...routesRule(device));
  return sentences;
}

function interfaceRule(device: ConfigMap): string[] {
  const sentences: string[] = [];
  const selector = device['deviceSelector'];
  const hasName = text(device['interface']) !== '';
  const both = '[networking.os.device.interface], [networking.os.device.deviceSelector]';
  if (!hasName && !isConfigMap(selector)) sentences.push(`${both}: required either config section to be set`);
  else if (hasName && isConfigMap(selector)) sentences.push(`${both}: config sections are mutually exclusive`);
  if (isConfigMap(selector) && Object.keys(selector).length === 0)
    sentences.push('[networking.os.device.deviceSelector]: config section should contain at least one field');
  if (isConfigMap(device['bond'])) sentences.push(...bondRule(device['bond']));
  if (isConfigMap(device['wireguard'])) sentences.push(...wireguardRule(device['wireguard']));
  for (const vlan of maps(device['vlans'])) {
    const at = `${text(device['interface'])}.${number(vlan['vlanId'])}`;
    const cidr = text(vlan['cidr']);
    if (texts(vlan['addresses']).length > 0 && cidr !== '')
      sentences.push(`[networking.os.device.vlan] ${at}: vlan can't have both .cidr and .addresses set`);
    if (cidr !== '' && addressError(cidr)) sentences.push(`[networking.os.device.vlan.CIDR] ${at}: ${addressError(cidr)}`);
    for (const address of texts(vlan['addresses']))
      if (addressError(address)) sentences.push(`[networking.os.device.vlan.addresses] ${at}: ${addressError(address)}`);
  }
  return sentences;
}

const modes = ['balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb'];
/** Field, the names that it takes, and what upstream calls a wrong one. */
const bondNames: readonly (readonly [field: string, names: readonly string[], what: string])[] = [
  ['xmitHashPolicy', ['layer2', 'layer3+4', 'layer2+3', 'encap2+3', 'encap3+4'], 'xmit hash policy'],
  ['lacpRate', ['slow', 'fast'], 'lacp rate'],
  ['arpValidate', ['none', 'active', 'backup', 'all', 'filter', 'filter-active', 'filter-backup'], 'arp_validate mode'],
  ['arpAllTargets', ['any', 'all'], 'arp_all_targets mode'],
  ['primaryReselect', ['always', 'better', 'failure'], 'primary_reselect mode'],
  ['failOverMac', ['none', 'active', 'follow'], 'fail_over_mac value'],
  ['adSelect', ['stable', 'bandwidth', 'count'], 'ad_select mode'],
];

function bondRule(bond: ConfigMap): string[] {
  const sentences: string[] = [];
  const mode = text(bond['mode']) || 'balance-rr';
  if (!modes.includes(mode)) sentences.push(`invalid bond type ${mode}`);
  for (const [field, names, what] of bondNames) {
    const name = text(bond[field]);
    if (name !== '' && !names.includes(name)) sentences.push(`invalid ${what} ${name}`);
  }
  const miimon = number(bond['miimon']);
  for (const [field, shown] of [
    ['updelay', 'upDelay'],
    ['downdelay', 'downDelay'],
  ] as const) {
    const delay = number(bond[field]);
    if (miimon === 0 && delay !== 0) sentences.push(`bond.${shown} can't be set if miiMon is zero`);
    else if (miimon !== 0 && delay % miimon !== 0) sentences.push(`bond.${shown} should be a multiple of miiMon`);
  }
  const isAd = mode === '802.3ad';
  const isBalancing = mode === 'balance-alb' || mode === 'balance-tlb';
  const rules: readonly (readonly [boolean, string])[] = [
    [texts(bond['arpIPTarget']).length > 0, 'bond.arpIPTarget is not supported'],
    [text(bond['lacpRate']) !== '' && !isAd, 'bond.lacpRate is only available in 802.3ad mode'],
    [text(bond['adActorSystem']) !== '', 'bond.adActorSystem is not supported'],
    [(isAd || isBalancing) && text(bond['arpValidate']) !== '', `bond.arpValidate is not available in ${mode} mode`],
    [!(mode === 'active-backup' || isBalancing) && text(bond['primary']) !== '', `bond.primary is not available in ${mode} mode`],
    [(isAd || isBalancing) && number(bond['arpInterval']) > 0, `bond.arpInterval is not available in ${mode} mode`],
    [mode !== 'balance-rr' && number(bond['packetsPerSlave']) > 1, `bond.packetsPerSlave is not available in ${mode} mode`],
    [!isBalancing && number(bond['tlbDynamicLb']) > 0, `bond.tlbDynamicTLB is not available in ${mode} mode`],
    [!isAd && number(bond['adActorSysPrio']) > 0, 'bond.adActorSysPrio is only available in 802.3ad mode'],
    [!isAd && number(bond['adUserPortKey']) > 0, 'bond.adUserPortKey is only available in 802.3ad mode'],
  ];
  return [...sentences, ...rules.flatMap(([isBroken, sentence]) => (isBroken ? [sentence] : []))];
}

function wireguardRule(wireguard: ConfigMap): string[] {
  const sentences: string[] = [];
  const isKey = (key: string) => /^[A-Za-z0-9+/]{43}=$/.test(key) && Buffer.from(key, 'base64').length === 32;
  if (!isKey(text(wireguard['privateKey']))) sentences.push('private key is invalid: wrong key length');
  for (const peer of maps(wireguard['peers'])) {
    const endpoint = text(peer['endpoint']);
    if (!isKey(text(peer['publicKey']))) sentences.push('public key invalid: wrong key length');
    if (endpoint !== '' && !/:\d+$/.test(endpoint)) sentences.push(`peer endpoint ${quoted(endpoint)} is invalid`);
    for (const allowed of texts(peer['allowedIPs']))
      if (!isPrefix(allowed)) sentences.push(`peer allowed IP ${quoted(allowed)} is invalid: invalid CIDR address: ${allowed}`);
  }
  return sentences;
}

function addressError(address: string): string | undefined {
  if (address.includes('/')) return isPrefix(address) ? undefined : `invalid CIDR address: ${address}`;
  return isAddress(address) ? undefined : `failed to parse IP address ${quoted(address)}`;
}

function addressingRule(device: ConfigMap, parts: ReadonlyMap<string, string>): string[] {
  const sentences: string[] = [];
  const name = text(device['interface']);
  const at = `[networking.os.device] ${quoted(name)}`;
  const cidr = text(device['cidr']);
  const addresses = texts(device['addresses']);
  if (parts.has(name) && (device['dhcp'] === true || cidr !== '' || addresses.length > 0 || isConfigMap(device['vip'])))
    sentences.push(`${at}: bonded/bridged interface shouldn't have any addressing methods configured`);
  if (addresses.length > 0 && cidr !== '') sentences.push(`${at}: interface can't have both .cidr and .addresses set`);
  if (cidr !== '' && addressError(cidr)) sentences.push(`[networking.os.device.CIDR] ${quoted(name)}: ${addressError(cidr)}`);
  for (const address of addresses)
    if (addressError(address)) sentences.push(`[networking.os.device.addresses] ${quoted(name)}: ${addressError(address)}`);
  const vip = device['vip'];
  if (isConfigMap(vip) && !isAddress(text(vip['ip'])))
    sentences.push(`[networking.os.device.vip] failed to parse ${quoted(text(vip['ip']))} as IP address`);
  return sentences;
}

function routesRule(device: ConfigMap): string[] {
  return maps(device['routes']).flatMap((route, index) => {
    const at = `networking.os.device.route[${index}]`;
    const [network, gateway, source] = [text(route['network']), text(route['gateway']), text(route['source'])];
    return [
      ...(network !== '' && !isPrefix(network) ? [`[${at}.network] ${quoted(network)}: invalid network address`] : []),
      ...(gateway !== '' && !isAddress(gateway) ? [`[${at}.gateway] ${quoted(gateway)}: invalid network address`] : []),
      ...(gateway === '' && network === '' ? [`[${at}]: either network or gateway should be set`] : []),
      ...(source !== '' && !isAddress(source) ? [`[${at}.source] ${quoted(source)}: invalid network address`] : []),
    ];
  });
}
