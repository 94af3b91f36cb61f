import { Buffer } from 'node:buffer';
import { isAddress, isPrefix } from '../../../format/index.ts';
import type { ConfigMap } from '../value.ts';
import {
  badExpression,
  count,
  isEmpty,
  isSubnetOrAddress,
  map,
  maps,
  named,
  number,
  quoted,
  type Rule,
  seconds,
  since,
  text,
  texts,
  urlParts,
  when,
} from './rule.ts';
import { bgp } from './bgp.ts';

const isUnspecified = (address: string): boolean => isAddress(address) && /^[0:.]+$/.test(address);
const isUnspecifiedNetwork = (prefix: string): boolean => isUnspecified(prefix.split('/')[0] ?? '');

/** Source: CommonLinkConfig.Validate */
const link: Rule = (value) => [
  ...maps(value['addresses']).flatMap(({ address }, index) => {
    if (text(address) === '') return [`address ${index} must be specified`];
    return when(isUnspecifiedNetwork(text(address)), `address ${index} must be a valid IP address`);
  }),
  ...maps(value['routes']).flatMap((route, index) => [
    ...when(isUnspecifiedNetwork(text(route['destination'])), `route ${index} destination must be a valid IP prefix`),
    ...when(isUnspecified(text(route['gateway'])), `route ${index} gateway must be a valid IP address`),
    ...when(isUnspecified(text(route['source'])), `route ${index} source must be a valid IP address`),
  ]),
];

const namedLink: Rule = (value, context) => [...named(value), ...link(value, context)];

const dhcp: Rule = (value) => {
  const isByDuid = text(value['clientIdentifier']) === 'duid';
  const hasDuid = text(value['duidRaw']) !== '';
  return [
    ...named(value),
    ...when(hasDuid && !isByDuid, "duidRaw can only be set if clientIdentifier is 'duid'"),
    ...when(isByDuid && !hasDuid, "duidRaw must be set if clientIdentifier is 'duid'"),
  ];
};

const hostname: Rule = (value, context) => {
  const auto = text(value['auto']);
  const name = text(value['hostname']);
  const [first = ''] = name.split('.');
  const saysNeither = since(context, '1.13') ? auto === '' && name === '' : (auto === '' || auto === 'off') && name === '';
  return [
    ...when(saysNeither, "either 'auto' or 'hostname' must be set"),
    ...when(auto !== '' && auto !== 'off' && name !== '', "'auto' and 'hostname' cannot be set at the same time"),
    ...when(auto === 'talos-addr', "invalid value for 'auto': talos-addr"),
    ...when(name.length > 253, `fqdn is too long: ${name.length}`),
    ...when(name !== '' && (first.length === 0 || first.length > 63), `invalid hostname ${quoted(first)}`),
  ];
};

const addressName = (value: ConfigMap): string[] => {
  const name = text(value['name']);
  if (name === '') return ['name must be specified'];
  return when(!isAddress(name), `name must be a valid IP address: ParseAddr(${quoted(name)}): unable to parse IP`);
};

const portRanges = (list: ConfigMap[string] | undefined): string | undefined => {
  const ranges = (Array.isArray(list) ? list : [])
    .map((one) => String(one).split('-').map(Number))
    .map(([low = 0, high = low]) => ({ low, high }));
  ranges.sort((a, b) => a.low - b.low);
  const shown = ({ low, high }: { low: number; high: number }) => `${low}-${high}`;
  for (const [index, range] of ranges.entries()) {
    const before = ranges[index - 1];
    if (range.low > range.high) return `invalid port range: ${shown(range)}`;
    if (before && range.low <= before.high) return `invalid port range: ${shown(range)}, overlaps with ${shown(before)}`;
  }
  return undefined;
};

const ingress: Rule = (value) => {
  if (text(value['name']) === '') return ['name is required'];
  const list = map(value['portSelector'])['ports'];
  if (count(list) === 0) return ['portSelector.ports is required'];
  const wrong = portRanges(list);
  if (wrong) return [wrong];
  return maps(value['ingress']).some((rule) => text(rule['subnet']) === '') ? ['invalid subnet: invalid Prefix'] : [];
};

/** Source: validateWireguardKey */
function wireguardKeyError(key: string): string | undefined {
  const size = Buffer.from(key, 'base64').length;
  const broken = key.replaceAll(/[\r\n]/g, '').search(/[^A-Za-z0-9+/=]|=(?!=?$)/);
  if (broken !== -1) return `illegal base64 data at input byte ${broken}`;
  if (key.length % 4 !== 0) return `illegal base64 data at input byte ${key.length - (key.length % 4)}`;
  return size === 32 ? undefined : 'invalid wireguard key length';
}

const wireguard: Rule = (value, context) => {
  const own = text(value['privateKey']);
  const port = number(value['listenPort']);
  const wrong = own === '' ? undefined : wireguardKeyError(own);
  return [
    ...named(value),
    ...when(own === '', 'wireguard private key must be specified'),
    ...when(wrong !== undefined, `wireguard private key is invalid: ${wrong}`),
    ...when(port < 0 || port > 65_535, 'wireguard listen port must be between 0 and 65535'),
    ...maps(value['peers']).flatMap((peer, index) => {
      const [publicKey, shared] = [text(peer['publicKey']), text(peer['presharedKey'])];
      const [wrongPublic, wrongShared] = [wireguardKeyError(publicKey), shared === '' ? undefined : wireguardKeyError(shared)];
      return [
        ...(publicKey === ''
          ? [`wireguard peer public key must be specified (peer index ${index})`]
          : when(wrongPublic !== undefined, `wireguard peer public key is invalid (peer index ${index}): ${wrongPublic}`)),
        ...when(wrongShared !== undefined, `wireguard peer preshared key is invalid (peer index ${index}): ${wrongShared}`),
        ...when(
          seconds(peer['persistentKeepaliveInterval']) < 0,
          `wireguard peer persistent keepalive interval cannot be negative (peer index ${index})`,
        ),
      ];
    }),
    ...link(value, context),
  ];
};

/** Source: validateVethLinkName */
const vethName = (field: string, name: string): string[] => {
  if (name === '') return [`${field} must be specified`];
  if (new TextEncoder().encode(name).length > 15) return [`${field} must not exceed 15 bytes`];
  if (name === '.' || name === '..') return [`${field} must not be ${quoted(name)}`];
  if (/[/:]/.test(name)) return [`${field} must not contain '/' or ':'`];
  return when(/[\s\p{C}\p{Z}]/u.test(name), `${field} must not contain whitespace or non-printable characters`);
};

const resolver: Rule = (value, context) => {
  if (!since(context, '1.14')) return [];
  const dns = map(value['hostDNS']);
  const isOff = !isEmpty(dns) && dns['enabled'] !== true;
  return [
    ...when(isOff && dns['forwardKubeDNSToHost'] === true, 'hostDNS.forwardKubeDNSToHost cannot be enabled when hostDNS.enabled is false'),
    ...when(isOff && dns['resolveMemberNames'] === true, 'hostDNS.resolveMemberNames cannot be enabled when hostDNS.enabled is false'),
    ...maps(value['nameservers']).flatMap((server, index) => {
      const protocol = text(server['protocol']) || 'Do53';
      const hasName = text(server['tlsServerName']) !== '';
      return [
        ...when(protocol !== 'Do53' && !hasName, `tlsServerName must be set when protocol is ${protocol}: entry ${index}`),
        ...when(protocol === 'Do53' && hasName, `tlsServerName must be empty when protocol is Do53: entry ${index}`),
        ...when(text(server['address']) === '', `nameserver address must be a valid IP: entry ${index}`),
      ];
    }),
  ];
};

const routingRule: Rule = (value) => {
  const name = text(value['name']);
  const isNumber = /^\d{1,10}$/.test(name) && Number(name) < 2 ** 32;
  const problem = /^\d+$/.test(name) ? 'value out of range' : 'invalid syntax';
  const isReserved = [0, 32_500, 32_766, 32_767].includes(isNumber ? Number(name) : problem === 'invalid syntax' ? 0 : 2 ** 32 - 1);
  return [
    ...named(value),
    ...when(!isNumber, `invalid name: must be priority parsable unsigned integer: strconv.ParseUint: parsing ${quoted(name)}: ${problem}`),
    ...when(isReserved, 'priority must be between 1 and 32765 (excluding reserved priorities [0 32500 32766 32767])'),
    ...when(
      ['', 'unspec'].includes(text(value['table'])) && ['', 'unspec', 'unicast'].includes(text(value['action'])),
      'either table or a non-unicast action must be specified',
    ),
    ...when(number(value['fwMask']) !== 0 && number(value['fwMark']) === 0, 'fwMask requires fwMark to be set'),
  ];
};

const probe: Rule = (value) => [
  ...when(seconds(value['interval']) < 0, `probe interval cannot be negative: ${text(value['interval'])}`),
  ...when(number(value['failureThreshold']) < 0, `probe failure threshold cannot be negative: ${number(value['failureThreshold'])}`),
];

const httpProbe: Rule = (value, context) => {
  const url = text(value['url']);
  const { scheme, host } = urlParts(url);
  const isHttp = scheme === 'http' || scheme === 'https';
  return [
    ...named(value, 'probe name is required'),
    ...when(url === '', 'HTTP probe URL is required'),
    ...when(url !== '' && !isHttp, `HTTP probe URL scheme must be http or https, got ${quoted(scheme)}`),
    ...when(
      url !== '' && isHttp && (host === '' || !/^\w+:\//.test(url)),
      'HTTP probe URL must be an absolute http or https URL with a non-empty host',
    ),
    ...when(seconds(value['timeout']) < 0, `HTTP probe timeout cannot be negative: ${text(value['timeout'])}`),
    ...probe(value, context),
  ];
};

const kubeSpan: Rule = (value) => [
  ...when(value['mtu'] !== undefined && number(value['mtu']) < 1280, 'kubespan link MTU must be at least 1280'),
  ...texts(map(value['filters'])['endpoints'])
    .map((cidr) => cidr.replace(/^!/, ''))
    .flatMap((cidr) => when(!isSubnetOrAddress(cidr), `KubeSpan endpoint filter is not valid: ${quoted(cidr)}`)),
];

const timeSync: Rule = (value) => {
  const ntp = map(value['ntp']);
  return [
    ...when(seconds(value['bootTimeout']) < 0, 'bootTimeout cannot be negative'),
    ...when(value['ntp'] !== undefined && value['ptp'] !== undefined, 'only one of ntp or ptp configuration can be specified'),
    ...(ntp['useNTS'] === true ? texts(ntp['servers']) : []).flatMap((server) =>
      when(isAddress(server), `NTS requires hostnames, not IP addresses: ${quoted(server)}`),
    ),
  ];
};

/** Source: the Validate methods of pkg/machinery/config/types/network */
export const networkRules: Readonly<Record<string, Rule>> = {
  BGPInstanceConfig: bgp,
  BlackholeRouteConfig: (value) => {
    const name = text(value['name']);
    const [address = '', bits] = [name.split('/')[0], name.split('/')[1]];
    const reason = bits === undefined ? `no '/'` : isAddress(address) ? 'bad bits after slash' : 'unable to parse IP';
    return [
      ...named(value),
      ...when(!isPrefix(name), `name must be a valid address prefix: netip.ParsePrefix(${quoted(name)}): ${reason}`),
    ];
  },
  BondConfig: (value, context) => [
    ...named(value),
    ...when(count(value['links']) === 0, 'at least one link must be specified'),
    ...when(value['bondMode'] === undefined, 'bond mode must be specified'),
    ...link(value, context),
  ],
  BridgeConfig: namedLink,
  DHCPv4Config: dhcp,
  DHCPv6Config: dhcp,
  DummyLinkConfig: namedLink,
  EthernetConfig: (value) => named(value, 'name is required'),
  HCloudVIPConfig: (value) => [
    ...addressName(value),
    ...when(text(value['link']) === '', 'link must be specified'),
    ...when(text(value['apiToken']) === '', 'apiToken must be specified'),
  ],
  HTTPProbeConfig: httpProbe,
  HostnameConfig: hostname,
  KubeSpanConfig: kubeSpan,
  Layer2VIPConfig: (value) => [...addressName(value), ...when(text(value['link']) === '', 'link must be specified')],
  LinkAliasConfig: (value, context) => {
    const name = text(value['name']);
    const [prefix = '', suffix] = name.includes('%') ? [name.slice(0, name.indexOf('%')), name.slice(name.indexOf('%') + 1)] : [name];
    return [
      ...named(value),
      ...when(
        since(context, '1.13') && suffix !== undefined && (suffix !== 'd' || prefix === ''),
        `name ${quoted(name)} contains an invalid format verb, use %d suffix`,
      ),
      ...badExpression('link selector is invalid', text(map(value['selector'])['match']), 'link', context),
      ...when(text(map(value['selector'])['match']) === '', 'link selector is required'),
    ];
  },
  LinkConfig: namedLink,
  NetworkRuleConfig: ingress,
  ResolverConfig: resolver,
  RoutingRuleConfig: routingRule,
  StaticHostConfig: (value) => [
    ...named(value, 'name is required'),
    ...when(!isAddress(text(value['name'])), 'name must be a valid IP address'),
    ...when(count(value['hostnames']) === 0, 'at least one hostname is required'),
  ],
  TCPProbeConfig: (value, context) => [
    ...named(value, 'probe name is required'),
    ...when(text(value['endpoint']) === '', 'TCP probe endpoint is required'),
    ...when(seconds(value['timeout']) < 0, `TCP probe timeout cannot be negative: ${text(value['timeout'])}`),
    ...probe(value, context),
  ],
  TimeSyncConfig: timeSync,
  VLANConfig: (value, context) => [
    ...named(value),
    ...when(number(value['vlanID']) < 1 || number(value['vlanID']) > 4094, 'vlanID must be specified and between 1 and 4094'),
    ...when(text(value['parent']) === '', 'parent must be specified'),
    ...link(value, context),
  ],
  VRFConfig: (value, context) => [
    ...named(value),
    ...when(
      ['', 'unspec', 'local', 'main', 'default'].includes(text(value['table'])),
      `cannot create vrf with reserved table ${text(value['table']) || 'unspec'}`,
    ),
    ...link(value, context),
  ],
  VethConfig: (value, context) => {
    const peer = map(value['peer']);
    const [name, other] = [text(value['name']), text(peer['name'])];
    return [
      ...vethName('name', name),
      ...vethName('peer name', other),
      ...when(name !== '' && name === other, 'name and peer name must be different'),
      ...link(value, context),
      ...link(peer, context),
    ];
  },
  WireguardConfig: wireguard,
};
