import { type Failure, placeOf, relatedPlace, type Span } from '../base/index.ts';
import {
  type Address,
  addressAt,
  addressOf,
  contains,
  isHostAddress,
  type Network,
  networkOf,
  nthHost,
  overlaps,
} from '../format/index.ts';
import { configFailure } from './failures.ts';

/** One value of the inputs, with its place. `owner` is the node's name, or the key of cluster.yaml. */
export interface Owned<T = string> {
  readonly owner: string;
  readonly isNode: boolean;
  readonly value: T;
  readonly span: Span;
}

export interface AddressRules {
  readonly nodeNetwork?: Owned;
  /** Each address that must belong to one owner, in the order in which they are to be named. */
  readonly addresses: readonly Owned[];
  /** Keys whose address may lie outside of the network of the nodes: gateways that are announced by BGP. */
  readonly mayLieOutside: ReadonlySet<string>;
  /** Two owners that are the same thing: the API address of a cluster with one control plane. */
  readonly mayShare: (first: Owned, second: Owned) => boolean;
}

/** Every address has one owner and lies where its machine is. */
export function checkAddresses(rules: AddressRules): Failure[] {
  const failures: Failure[] = [];
  const network = rules.nodeNetwork && networkOf(rules.nodeNetwork.value);
  const taken = new Set(rules.addresses.map(({ value }) => canonical(value)));
  const owners = new Map<string, Owned>();
  for (const owned of rules.addresses) {
    const address = addressOf(owned.value);
    if (!address) continue;
    if (network && rules.nodeNetwork && !rules.mayLieOutside.has(owned.owner)) {
      const outside = misplaced(owned, address, network, rules.nodeNetwork, taken);
      if (outside) failures.push(outside);
    }
    const first = owners.get(address.text);
    if (!first) owners.set(address.text, owned);
    else if (!rules.mayShare(first, owned)) failures.push(duplicate(first, owned, address, network, taken));
  }
  return failures;
}

function misplaced(owned: Owned, address: Address, network: Network, declared: Owned, taken: ReadonlySet<string>): Failure | undefined {
  const related = [relatedPlace(declared.span, 'network of the nodes')];
  if (!contains(network, address)) {
    const suggestion = nearestInside(address, network, taken);
    const facts = { owner: owned.owner, ownerIsNode: owned.isNode, address: owned.value, network: network.text };
    return configFailure(
      'config/address-outside-network',
      { ...facts, ...(suggestion === undefined ? {} : { suggestion }) },
      { where: placeOf(owned.span, related) },
    );
  }
  if (isHostAddress(network, address)) return undefined;
  const suggestion = firstFree(network, taken);
  return configFailure(
    'config/unusable-address',
    { owner: owned.owner, address: owned.value, network: network.text, ...(suggestion === undefined ? {} : { suggestion }) },
    { where: placeOf(owned.span, related) },
  );
}

function duplicate(first: Owned, second: Owned, address: Address, network: Network | undefined, taken: ReadonlySet<string>): Failure {
  const suggestion = network && contains(network, address) ? firstFree(network, taken, address) : undefined;
  return configFailure(
    'config/duplicate-address',
    {
      address: second.value,
      first: first.owner,
      second: second.owner,
      secondIsNode: second.isNode,
      ...(network ? { network: network.text } : {}),
      ...(suggestion === undefined ? {} : { suggestion }),
    },
    { where: placeOf(second.span, [relatedPlace(first.span, `first used here by \`${first.owner}\``)]) },
  );
}

/** The same host number in the right network, if nobody has it: most wrong addresses have a slip in the network's part. */
function nearestInside(address: Address, network: Network, taken: ReadonlySet<string>): string | undefined {
  if (address.family !== network.family) return undefined;
  const candidate = addressAt(network.family, network.first + (address.value % (network.last - network.first + 1n)));
  return isHostAddress(network, candidate) && !taken.has(candidate.text) ? candidate.text : firstFree(network, taken);
}

/** Behind `after`, or behind the tenth address, where machines usually begin. */
function firstFree(network: Network, taken: ReadonlySet<string>, after?: Address): string | undefined {
  let value = (after ?? nthHost(network, 9))?.value;
  for (let tries = 0; value !== undefined && tries < 1024; tries += 1) {
    value += 1n;
    const candidate = addressAt(network.family, value);
    if (!contains(network, candidate)) return undefined;
    if (isHostAddress(network, candidate) && !taken.has(candidate.text)) return candidate.text;
  }
  return undefined;
}

function canonical(text: string): string {
  return addressOf(text)?.text ?? text;
}

/** Nodes, pods and services live in networks of their own. */
export function checkNetworks(networks: readonly Owned[]): Failure[] {
  const failures: Failure[] = [];
  const read = networks.flatMap((owned) => {
    const network = networkOf(owned.value);
    return network ? [{ owned, network }] : [];
  });
  for (const { owned, network } of read) {
    if (network.text === owned.value) continue;
    const facts = { key: owned.owner, network: owned.value, canonical: network.text };
    failures.push(configFailure('config/non-canonical-network', facts, { where: placeOf(owned.span) }));
  }
  for (const [index, second] of read.entries()) {
    for (const first of read.slice(0, index)) {
      if (!overlaps(first.network, second.network)) continue;
      failures.push(
        configFailure(
          'config/overlapping-networks',
          {
            first: first.owned.owner,
            firstNetwork: first.network.text,
            second: second.owned.owner,
            secondNetwork: second.network.text,
          },
          { where: placeOf(second.owned.span, [relatedPlace(first.owned.span, `overlaps with \`${first.owned.owner}\` here`)]) },
        ),
      );
    }
  }
  return failures;
}

/** The DNS service takes the tenth address. */
const serviceAddressesNeeded = 16;
/** Source: kube-apiserver validates the service network to at most 20 bits. */
const serviceBits = 20;
/** Talos' default node CIDR mask sizes. */
const nodeMask = { 4: 24, 6: 64 } as const;

export function checkNetworkSizes(podNetworks: readonly Owned[], serviceNetworks: readonly Owned[], nodes: number): Failure[] {
  const failures: Failure[] = [];
  for (const owned of serviceNetworks) {
    const network = networkOf(owned.value);
    if (!network) continue;
    const bits = (network.family === 4 ? 32 : 128) - network.prefixLength;
    const where = placeOf(owned.span);
    const facts = { key: owned.owner, network: network.text };
    if (bits > serviceBits) {
      const smallestPrefix = (network.family === 4 ? 32 : 128) - serviceBits;
      failures.push(configFailure('config/network-too-large', { ...facts, smallestPrefix }, { where }));
    } else if (2 ** bits < serviceAddressesNeeded) {
      const sizes = { needed: serviceAddressesNeeded, holds: 2 ** bits, of: 'service addresses' } as const;
      failures.push(configFailure('config/network-too-small', { ...facts, ...sizes }, { where }));
    }
  }
  for (const owned of podNetworks) {
    const network = networkOf(owned.value);
    if (!network) continue;
    const holds = network.prefixLength > nodeMask[network.family] ? 0 : 2 ** Math.min(52, nodeMask[network.family] - network.prefixLength);
    if (holds >= nodes) continue;
    const facts = { key: owned.owner, network: network.text, needed: nodes, holds, of: 'node networks' } as const;
    failures.push(configFailure('config/network-too-small', facts, { where: placeOf(owned.span) }));
  }
  return failures;
}

/** Names, MAC addresses and serial numbers occur once. */
export function checkUnique(owned: readonly Owned[], failure: (first: Owned, second: Owned) => Failure): Failure[] {
  const firsts = new Map<string, Owned>();
  const failures: Failure[] = [];
  for (const one of owned) {
    const first = firsts.get(one.value);
    if (first) failures.push(failure(first, one));
    else firsts.set(one.value, one);
  }
  return failures;
}

/** Keys that only make sense together. */
export function checkGroup(group: 'BGP' | 'backup', keys: readonly string[], spans: ReadonlyMap<string, Span>): Failure[] {
  const present = keys.filter((key) => spans.has(key));
  const missing = keys.filter((key) => !spans.has(key));
  const [first] = present;
  const span = first === undefined ? undefined : spans.get(first);
  if (!span || missing.length === 0) return [];
  return [configFailure('config/incomplete-group', { group, missing, present }, { where: placeOf(span) })];
}
