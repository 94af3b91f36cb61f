import { isPrefix } from '../../../format/index.ts';
import type { ConfigMap } from '../value.ts';
import { count, map, maps, named, number, quoted, type Rule, seconds, text, texts, when } from './rule.ts';

interface Network {
  readonly text: string;
  readonly bits: number;
  readonly size: number;
  readonly address: bigint;
}

function networkOf(prefix: string): Network | undefined {
  if (!isPrefix(prefix)) return undefined;
  const [address = '', bits = '0'] = prefix.split('/');
  if (!address.includes(':'))
    return {
      text: prefix,
      bits: Number(bits),
      size: 32,
      address: address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n),
    };
  const [front = '', back] = address.split('::');
  const groups = (half: string | undefined) => (half ? half.split(':') : []);
  const tail = groups(back);
  const all = back === undefined ? groups(front) : [...groups(front), ...Array(8 - groups(front).length - tail.length).fill('0'), ...tail];
  return { text: prefix, bits: Number(bits), size: 128, address: all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n) };
}

const masked = ({ address, bits, size }: Network, to = bits): bigint => (address >> BigInt(size - to)) << BigInt(size - to);
const overlap = (a: Network, b: Network): boolean => {
  const shorter = Math.min(a.bits, b.bits);
  return a.size === b.size && masked(a, shorter) === masked(b, shorter);
};

/** Source: bgpNeighborKey, validateBGPNeighborBehavior */
function neighbors(value: ConfigMap): string[] {
  const seen = new Set<string>();
  return maps(value['neighbors']).flatMap((neighbor, index) => {
    const [address, link] = [text(neighbor['address']), text(neighbor['link'])];
    const isOne = (address === '') !== (link === '');
    const key = address || link;
    const bfd = map(neighbor['bfd']);
    const hasBfd = neighbor['bfd'] !== undefined;
    const sentences = [
      ...when(!isOne, `neighbor[${index}]: exactly one of address or link must be set`),
      ...when(seconds(neighbor['holdTime']) < 0, `neighbor[${index}]: holdTime must not be negative`),
      ...when(hasBfd && text(value['vrf']) !== '', `neighbor[${index}]: bfd is not supported for VRF-bound BGP instances`),
      ...when(seconds(bfd['transmitInterval']) < 0, `neighbor[${index}]: bfd.transmitInterval must not be negative`),
      ...when(seconds(bfd['receiveInterval']) < 0, `neighbor[${index}]: bfd.receiveInterval must not be negative`),
      ...when(isOne && seen.has(key), `neighbor[${index}]: duplicate neighbor ${quoted(key)}`),
    ];
    if (isOne) seen.add(key);
    return sentences;
  });
}

/** Source: validateBGPImportRoutes */
function imports(value: ConfigMap): string[] {
  const sources = new Set<string>();
  const selectors: { readonly network: Network; readonly route: number }[] = [];
  return maps(value['importRoutes']).flatMap((route, index) => {
    const source = text(route['bgpInstance']);
    const written = texts(route['prefixes']);
    const networks = written.map(networkOf);
    const sentences = [
      ...when(source === '', `importRoutes[${index}]: bgpInstance must be specified`),
      ...when(
        source !== '' && source === text(value['name']),
        `importRoutes[${index}]: cannot import from the same BGP instance ${quoted(source)}`,
      ),
      ...when(written.length === 0, `importRoutes[${index}]: at least one prefix must be specified`),
    ];
    networks.forEach((network, at) => {
      const place = `importRoutes[${index}].prefixes[${at}]`;
      if (!network) return void sentences.push(`${place}: invalid prefix`);
      if (masked(network) !== network.address) sentences.push(`${place}: prefix ${network.text} must be masked`);
      networks.slice(0, at).forEach((other, before) => {
        if (other && overlap(other, network)) sentences.push(`${place}: prefix ${network.text} overlaps prefixes[${before}] ${other.text}`);
      });
    });
    if (source !== '' && sources.has(source)) sentences.push(`importRoutes[${index}]: duplicate source BGP instance ${quoted(source)}`);
    if (source !== '') sources.add(source);
    for (const network of networks) {
      if (!network || masked(network) !== network.address) continue;
      for (const other of selectors)
        if (other.route !== index && overlap(other.network, network))
          sentences.push(
            `importRoutes[${index}]: prefix ${network.text} overlaps importRoutes[${other.route}] prefix ${other.network.text}`,
          );
      selectors.push({ network, route: index });
    }
    return sentences;
  });
}

/** Source: pkg/machinery/config/types/network/bgp.go */
export const bgp: Rule = (value) => [
  ...named(value),
  ...when(number(value['localASN']) === 0, 'localASN must be specified'),
  ...when(text(value['routerID']).includes(':'), 'routerID must be an IPv4 address'),
  ...(count(value['neighbors']) > 0 ? neighbors(value) : []),
  ...imports(value),
];

/** Whether a network has host bits, and how many; undefined for what is none. */
export function networkFacts(
  prefix: string,
): { readonly isMasked: boolean; readonly hostBits: number; readonly isIpv4: boolean; readonly bits: number } | undefined {
  const network = networkOf(prefix);
  return (
    network && {
      isMasked: masked(network) === network.address,
      hostBits: network.size - network.bits,
      isIpv4: network.size === 32,
      bits: network.bits,
    }
  );
}
