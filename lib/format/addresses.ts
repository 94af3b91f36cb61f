import ipaddr from 'ipaddr.js';
import { TkError } from '../base/index.ts';
import { formatFailure } from './failures.ts';

/** An IPv4 or IPv6 address. `value` counts in the whole address space of its family. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
  /** Canonical: `fd00::1`, never `FD00:0::1`. */
  readonly text: string;
}

export interface Network {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefixLength: number;
  /** Canonical: host bits are zero. */
  readonly text: string;
}

/** Undefined for anything that is not written as a whole address: no `10.1`, no octal parts, no zone. */
export function addressOf(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return addressAt(4, valueOf(ipaddr.IPv4.parse(text).toByteArray()));
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text))
    return addressAt(6, valueOf(ipaddr.IPv6.parse(text).toByteArray()));
  return undefined;
}

/** Failure: `format/address`. */
export function parseAddress(text: string): Address {
  const address = addressOf(text);
  if (!address) throw new TkError(formatFailure('format/address', { text, expected: 'address' }));
  return address;
}

/** Takes host bits (`192.168.42.1/24`); `text` of the result is the canonical form. */
export function networkOf(text: string): Network | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : addressOf(match[1]);
  const prefixLength = Number(match?.[2]);
  if (!address || prefixLength > bitsOf(address.family)) return undefined;
  return networkAt(address, prefixLength);
}

/** Failure: `format/address`. */
export function parseNetwork(text: string): Network {
  const network = networkOf(text);
  if (!network) throw new TkError(formatFailure('format/address', { text, expected: 'network' }));
  return network;
}

export function contains(network: Network, address: Address): boolean {
  return network.family === address.family && network.first <= address.value && address.value <= network.last;
}

export function overlaps(a: Network, b: Network): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** Address number `n` of the network, counted from its first address; negative counts from the last. Undefined outside. */
export function nthHost(network: Network, n: number): Address | undefined {
  const value = n >= 0 ? network.first + BigInt(n) : network.last + 1n + BigInt(n);
  return value >= network.first && value <= network.last ? addressAt(network.family, value) : undefined;
}

/** The network and broadcast address of an IPv4 network cannot be given to a machine. */
export function isHostAddress(network: Network, address: Address): boolean {
  if (!contains(network, address)) return false;
  if (network.family === 6 || network.prefixLength >= 31) return true;
  return address.value !== network.first && address.value !== network.last;
}

export function addressAt(family: 4 | 6, value: bigint): Address {
  const bytes = Array.from({ length: bitsOf(family) / 8 }, (_, index) =>
    Number((value >> BigInt(bitsOf(family) - 8 * (index + 1))) & 0xffn),
  );
  return { family, value, text: ipaddr.fromByteArray(bytes).toString() };
}

function networkAt(address: Address, prefixLength: number): Network {
  const size = 1n << BigInt(bitsOf(address.family) - prefixLength);
  const first = (address.value / size) * size;
  const text = `${addressAt(address.family, first).text}/${prefixLength}`;
  return { family: address.family, first, last: first + size - 1n, prefixLength, text };
}

function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function valueOf(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
