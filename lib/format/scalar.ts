/**
 * Who reads the file. `go`: yaml.v3 and v4 (Talos, talhelper, SOPS). `kubernetes`: sigs.k8s.io/yaml, which takes yes, no, on, off,
 * y and n for booleans. `core`: YAML 1.2.
 */
export type YamlReader = 'go' | 'kubernetes' | 'core';

export type ScalarKind = 'null' | 'bool' | 'int' | 'float' | 'timestamp' | 'string';

/** Timestamps keep their text: only a reader that knows the field's type can say whether a time is meant. */
export interface ResolvedScalar {
  readonly kind: ScalarKind;
  readonly value: string | number | bigint | boolean | null;
}

const words = new Map<string, ResolvedScalar>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, { kind: 'null', value: null }] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, { kind: 'bool', value: true }] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, { kind: 'bool', value: false }] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, { kind: 'float', value: Number.NaN }] as const),
  ...['.inf', '.Inf', '.INF'].flatMap((word) => [
    [word, { kind: 'float', value: Number.POSITIVE_INFINITY }] as const,
    [`+${word}`, { kind: 'float', value: Number.POSITIVE_INFINITY }] as const,
    [`-${word}`, { kind: 'float', value: Number.NEGATIVE_INFINITY }] as const,
  ]),
]);

const kubernetesTrue = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']);
const kubernetesFalse = new Set(['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);

const coreInteger = /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/;
const coreFloat = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** What strconv.ParseInt takes with base 0, once underscores are gone. */
const goInteger = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
/** Source: yaml.v3 resolve.go, the layouts of `allowedTimestampFormats`. */
const goTimestamp =
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]| )[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?: ?Z|[-+][0-9]{2}:[0-9]{2})?)?$/;

/**
 * What a plain scalar means.
 *
 * Integers outside of the safe range are bigints; Go refuses those beyond 64 bits and reads them as floats, so they are numbers again.
 * Source: go.yaml.in/yaml/v3 resolve.go; sigs.k8s.io/yaml goyaml.v2 resolve.go; YAML 1.2.2 section 10.3.2
 */
export function resolveScalar(text: string, reader: YamlReader): ResolvedScalar {
  const word = words.get(text);
  if (word) return word;
  if (reader === 'kubernetes') {
    if (kubernetesTrue.has(text)) return { kind: 'bool', value: true };
    if (kubernetesFalse.has(text)) return { kind: 'bool', value: false };
  }
  const first = text.charCodeAt(0);
  // Numbers begin with a digit, a sign or a point; everything else is text.
  if (!((first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e)) return { kind: 'string', value: text };
  return reader === 'core' ? resolveCoreNumber(text) : resolveGoNumber(text, first);
}

function resolveCoreNumber(text: string): ResolvedScalar {
  if (coreInteger.test(text)) return { kind: 'int', value: integerOf(text, false) };
  if (coreFloat.test(text)) return { kind: 'float', value: Number(text) };
  return { kind: 'string', value: text };
}

function resolveGoNumber(text: string, first: number): ResolvedScalar {
  if (first === 0x2e) {
    const plain = text.replaceAll('_', '');
    const value = Number(plain);
    return coreFloat.test(plain) && Number.isFinite(value) ? { kind: 'float', value } : { kind: 'string', value: text };
  }
  if (text.charCodeAt(4) === 0x2d && goTimestamp.test(text) && isCalendarDate(text)) return { kind: 'timestamp', value: text };
  const plain = text.replaceAll('_', '');
  if (goInteger.test(plain)) {
    const value = integerOf(plain, true);
    const fits = typeof value === 'number' || (value >= -(2n ** 63n) && value < 2n ** 64n);
    if (fits) return { kind: 'int', value };
  }
  if (coreFloat.test(plain)) {
    const value = Number(plain);
    if (Number.isFinite(value)) return { kind: 'float', value };
  }
  return { kind: 'string', value: text };
}

function integerOf(text: string, leadingZeroIsOctal: boolean): number | bigint {
  const negative = text.startsWith('-');
  let digits = text.replace(/^[-+]/, '').toLowerCase();
  if (leadingZeroIsOctal && /^0[0-7]+$/.test(digits)) digits = `0o${digits.slice(1)}`;
  const magnitude = BigInt(digits);
  const value = negative ? -magnitude : magnitude;
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Go's layouts refuse month 13, hour 25 and 30 February, and the scalar is text then. */
function isCalendarDate(text: string): boolean {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.split(/[-Tt :.Z+]/).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > (daysInMonth[month - 1] ?? 0)) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return !(month === 2 && day === 29 && !isLeap) && hour < 24 && minute < 60 && second < 60;
}

/** RFC 3339 as Go prints a time: a bare date is midnight UTC. */
export function goTime(text: string): string {
  const [, year = '', month = '', day = '', rest = ''] = /^(\d{4})-(\d{1,2})-(\d{1,2})(.*)$/.exec(text) ?? [];
  const [, hour = '0', minute = '0', second = '0', fraction = '', zone = ''] =
    /^[Tt ]+(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?\s*(.*)$/.exec(rest) ?? [];
  const pad = (part: string) => part.padStart(2, '0');
  return `${year}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}${fraction.replace(/\.?0+$/, '')}${zone === '' ? 'Z' : zone}`;
}
