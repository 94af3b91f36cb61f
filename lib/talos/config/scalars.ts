import { Buffer } from 'node:buffer';
import { canonicalAddress, canonicalPrefix, isAddress, isPrefix, parseGoUrl, type ResolvedScalar } from '../../format/index.ts';
import type { ConfigValue } from './value.ts';

/** A scalar before it is known what it is for: what the reader makes of it, and the text as written. */
export interface ReadScalar {
  readonly kind: ResolvedScalar['kind'];
  readonly value: string | number | bigint | boolean;
  readonly text: string;
}

export type ScalarResult = { readonly value: ConfigValue } | { readonly expected: string };

const accepted = (value: ConfigValue): ScalarResult => ({ value });
const expected = (what: string): ScalarResult => ({ expected: what });

const integerRanges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint: [0n, 2n ** 64n - 1n],
  uint8: [0n, 255n],
  uint16: [0n, 65_535n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

const oldTrue = new Set(['y', 'Y', 'yes', 'on']);
const oldFalse = new Set(['n', 'N', 'no', 'off']);

/**
 * What Go's reader makes of a scalar for a field of that type.
 *
 * Source: go.yaml.in/yaml/v4 decode.go `scalar`, and the UnmarshalText and UnmarshalYAML of each type
 */
export function readScalar(go: string, read: ReadScalar): ScalarResult {
  const range = integerRanges[go];
  if (range) return readInteger(read, range, go);
  switch (go) {
    case 'string':
      return accepted(read.text);
    case 'bool':
      if (read.kind === 'bool') return accepted(read.value as boolean);
      if (read.kind === 'string' && oldTrue.has(read.text)) return accepted(true);
      if (read.kind === 'string' && oldFalse.has(read.text)) return accepted(false);
      return expected('true or false');
    case 'float32':
    case 'float64':
      return typeof read.value === 'number' ? accepted(read.value) : expected('a number');
    case 'time.Duration':
      return read.kind === 'string' ? readDuration(read.text) : expected('a duration such as `1h30m`');
    case 'base64':
    case 'v1alpha1.Base64Bytes':
      return isBase64(read.text) ? accepted(read.text) : expected('base64');
    case 'v1alpha1.FileMode':
    case 'runtime.EtcFileMode':
      return readInteger(read, [0n, 2n ** 32n - 1n], 'a file mode such as `0o644`');
    case 'v1alpha1.DiskSize':
      return bytesOf(read.text) === undefined ? expected('a size such as `10GB`') : accepted(renderDiskSize(read.text));
    case 'block.ByteSize':
      return read.text === '' || bytesOf(read.text.replace(/^-/, '')) !== undefined
        ? accepted(read.text)
        : expected('a size such as `10GiB`');
    case 'block.PercentageSize':
      return read.text === '' || isPercentage(read.text) ? accepted(read.text) : expected('a percentage such as `80%`');
    case 'block.Size':
      if (read.text === '' || (read.text.includes('%') ? isPercentage(read.text) : bytesOf(read.text.replace(/^-/, '')) !== undefined))
        return accepted(read.text);
      return expected('a size such as `10GiB` or `80%`');
    case 'v1alpha1.InstallDiskSizeMatcher':
      return /^(?:>=|<=|>|<|==)?\s*\d[\d.]*\s*[A-Za-z]*$/.test(read.text.trim())
        ? accepted(read.text.trim())
        : expected('a condition such as `>= 100GB`');
    case 'network.PortRange':
      return readPortRange(read);
    case 'netip.Prefix':
    case 'meta.Prefix':
    case 'network.Prefix':
      return read.text === '' || isPrefix(read.text) ? accepted(canonicalPrefix(read.text)) : expected('a network such as `10.0.0.0/8`');
    case 'netip.Addr':
    case 'meta.Addr':
    case 'network.Addr':
      return read.text === '' || isAddress(read.text) ? accepted(canonicalAddress(read.text)) : expected('an IP address');
    case 'netip.AddrPort':
    case 'meta.AddrPort':
    case 'network.AddrPort':
      return read.text === '' || /^(?:\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:.%\w]+\]):\d{1,5}$/.test(read.text)
        ? accepted(read.text)
        : expected('an address with a port');
    case 'nethelpers.HardwareAddr':
      return /^(?:[0-9a-fA-F]{2})*$/.test(read.text.replaceAll(':', ''))
        ? accepted((read.text.replaceAll(':', '').toLowerCase().match(/../g) ?? []).join(':'))
        : expected('a hardware address such as `aa:bb:cc:dd:ee:ff`');
    case 'meta.URL':
    case 'v1alpha1.Endpoint':
      return 'error' in parseGoUrl(read.text) ? expected('a URL') : accepted(read.text);
    default:
      return accepted(read.text);
  }
}

function readInteger(read: ReadScalar, [low, high]: readonly [bigint, bigint], what: string): ScalarResult {
  const number = read.value;
  if (typeof number === 'number' && Number.isInteger(number) && BigInt(number) >= low && BigInt(number) <= high) return accepted(number);
  if (typeof number === 'bigint' && number >= low && number <= high) return accepted(number);
  return expected(what.includes(' ') ? what : `an integer (${what})`);
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Source: Go's time.ParseDuration and Duration.String */
function readDuration(text: string): ScalarResult {
  const wrong = expected('a duration such as `1h30m`');
  const [, sign = '', rest = ''] = /^([-+]?)(.*)$/.exec(text) ?? [];
  if (rest === '0') return accepted('0s');
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return wrong;
  let total = 0n;
  for (const [, whole = '0', fraction = '', unit = 's'] of rest.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = units[unit] ?? 1n;
    total += BigInt(whole || '0') * scale + (fraction === '' ? 0n : (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length));
  }
  return accepted(`${sign === '-' && total > 0n ? '-' : ''}${renderDuration(total)}`);
}

function renderDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const decimal = (amount: bigint, scale: bigint, unit: string) => {
    const fraction = (amount % scale)
      .toString()
      .padStart(scale.toString().length - 1, '0')
      .replace(/0+$/, '');
    return `${amount / scale}${fraction === '' || scale === 1n ? '' : `.${fraction}`}${unit}`;
  };
  if (nanoseconds < 1000n) return `${nanoseconds}ns`;
  if (nanoseconds < 1_000_000n) return decimal(nanoseconds, 1000n, 'µs');
  if (nanoseconds < 1_000_000_000n) return decimal(nanoseconds, 1_000_000n, 'ms');
  const hours = nanoseconds / 3_600_000_000_000n;
  const minutes = (nanoseconds / 60_000_000_000n) % 60n;
  const seconds = decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n, 's');
  return `${hours > 0n ? `${hours}h` : ''}${hours > 0n || minutes > 0n ? `${minutes}m` : ''}${seconds}`;
}

function isBase64(text: string): boolean {
  const compact = text.replace(/[\r\n]/g, '');
  return (
    compact.length % 4 === 0 &&
    /^[A-Za-z0-9+/]*={0,2}$/.test(compact) &&
    Buffer.from(compact, 'base64').length === (compact.length / 4) * 3 - (/=*$/.exec(compact)?.[0].length ?? 0)
  );
}

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  p: 1e15,
  pb: 1e15,
  e: 1e18,
  eb: 1e18,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
  ti: 2 ** 40,
  tib: 2 ** 40,
  pi: 2 ** 50,
  pib: 2 ** 50,
  ei: 2 ** 60,
  eib: 2 ** 60,
};

/** Source: dustin/go-humanize ParseBytes */
export function bytesOf(text: string): number | undefined {
  const [, number = '', unit = ''] = /^([\d.,]+)\s*([A-Za-z]*)\s*$/.exec(text.trim()) ?? [];
  const value = Number(number.replaceAll(',', ''));
  const scale = byteUnits[unit.toLowerCase()];
  return number === '' || !Number.isFinite(value) || scale === undefined ? undefined : Math.floor(value * scale);
}

/** Source: v1alpha1 DiskSize.MarshalYAML: the short form where it loses nothing, bytes otherwise. */
function renderDiskSize(text: string): ConfigValue {
  const bytes = bytesOf(text) ?? 0;
  // No size at all is left out when it is written.
  if (bytes % 1000 !== 0 || bytes === 0) return bytes;
  const names = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  const exponent = bytes < 10 ? 0 : Math.min(6, Math.floor(Math.log10(bytes) / 3 + 1e-9));
  const scaled = Math.floor((bytes / 1000 ** exponent) * 10 + 0.5) / 10;
  const short = bytes < 10 ? `${bytes} B` : `${scaled < 10 ? scaled.toFixed(1) : scaled.toFixed(0)} ${names[exponent]}`;
  return bytesOf(short) === bytes ? short : bytes;
}

function isPercentage(text: string): boolean {
  const value = Number(/^-?(\d+(?:\.\d*)?)%$/.exec(text)?.[1] ?? Number.NaN);
  return value >= 0 && value <= 100;
}

function readPortRange(read: ReadScalar): ScalarResult {
  if (typeof read.value === 'number' && Number.isInteger(read.value) && read.value >= 0 && read.value <= 65_535)
    return accepted(read.value);
  const [, low, high] = /^(\d{1,5})-(\d{1,5})$/.exec(read.text) ?? [];
  if (low === undefined || high === undefined || Number(low) > 65_535 || Number(high) > 65_535)
    return expected('a port or a range such as `8000-8100`');
  return accepted(Number(low) === Number(high) ? Number(low) : `${Number(low)}-${Number(high)}`);
}
