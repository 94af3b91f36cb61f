import { asFloat } from './operators.ts';
import { quoted } from './text.ts';
import { isNumber, isText, Markup, PythonError, typeError, typeName, type Value, valueError } from './values.ts';

const digitsOf = (base: number) => '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base);
const prefixes: Readonly<Record<string, number>> = { '0b': 2, '0o': 8, '0x': 16 };

/** `int(text, base)`. */
export function parseInteger(text: string, base: number): bigint {
  const failure = () => valueError(`invalid literal for int() with base ${base}: ${quoted(text)}`);
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/s.exec(text.trim().toLowerCase()) ?? [];
  const prefixBase = prefixes[body.slice(0, 2)];
  const takesPrefix = prefixBase !== undefined && (base === 0 || base === prefixBase);
  const radix = takesPrefix ? prefixBase : base === 0 ? 10 : base;
  const digits = takesPrefix ? body.slice(2).replace(/^_/, '') : body;
  if (radix < 2 || radix > 36) throw valueError('int() base must be >= 2 and <= 36, or 0');
  if (!new RegExp(`^[${digitsOf(radix)}]+(_[${digitsOf(radix)}]+)*$`).test(digits)) throw failure();
  let value = 0n;
  const plain = digits.replaceAll('_', '');
  if (radix === 10) {
    if (plain.length > 4300) throw valueError('Exceeds the limit (4300 digits) for integer string conversion');
    value = BigInt(plain);
  } else for (const digit of plain) value = value * BigInt(radix) + BigInt(Number.parseInt(digit, radix));
  return sign === '-' ? -value : value;
}

/** `int(value)` or `int(value, base)`. */
export function toInteger(value: Value, base?: number): bigint {
  if (isText(value)) return parseInteger(value instanceof Markup ? value.text : value, base ?? 10);
  if (base !== undefined) throw typeError("int() can't convert non-string with explicit base");
  if (typeof value === 'number') {
    if (Number.isNaN(value)) throw valueError('cannot convert float NaN to integer');
    if (!Number.isFinite(value)) throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
    return BigInt(Math.trunc(value));
  }
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  throw typeError(`int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`);
}

/** `float(value)`. */
export function toFloat(value: Value): number {
  if (isNumber(value)) return asFloat(value);
  if (!isText(value)) throw typeError(`float() argument must be a string or a real number, not '${typeName(value)}'`);
  const text = (value instanceof Markup ? value.text : value).trim();
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (word) return word[2]?.toLowerCase() === 'nan' ? Number.NaN : word[1] === '-' ? -Infinity : Infinity;
  const digits = '\\d+(?:_\\d+)*';
  if (!new RegExp(`^[+-]?(?:${digits}(?:\\.(?:${digits})?)?|\\.${digits})(?:e[+-]?${digits})?$`, 'i').test(text)) {
    throw valueError(`could not convert string to float: ${quoted(value instanceof Markup ? value.text : value)}`);
  }
  return Number(text.replaceAll('_', ''));
}

/** Decimal text with `places` digits after the point; ties go to the even digit, as C's printf and Python's round do. */
export function toFixedHalfEven(value: number, places: number): string {
  if (Math.abs(value) >= 1e21) return places === 0 ? String(BigInt(value)) : `${BigInt(value)}.${'0'.repeat(places)}`;
  const exact = Math.abs(value).toFixed(Math.min(100, places + 30));
  const point = exact.indexOf('.');
  const cut = point + 1 + places;
  const kept = places === 0 ? exact.slice(0, point) : exact.slice(0, cut);
  if (!/^50*$/.test(exact.slice(cut))) return value.toFixed(places);
  const lastIsEven = Number(kept.at(-1)) % 2 === 0;
  return lastIsEven ? (value < 0 ? '-' : '') + kept : value.toFixed(places);
}

/** `round(value, precision)` of a float. */
export function roundFloat(value: number, precision: number): number {
  if (!Number.isFinite(value)) return value;
  if (precision >= 0) return Number(toFixedHalfEven(value, Math.min(precision, 70)));
  const unit = 10 ** -precision;
  return roundFloat(value / unit, 0) * unit;
}
