import { subscript } from './operators.ts';
import { toFixedHalfEven } from './numbers.ts';
import { characters, escapeValue, floatText, reprOf, textLength, textOf } from './text.ts';
import {
  type Arguments,
  Dict,
  isInteger,
  isNumber,
  isText,
  Markup,
  PythonError,
  Range,
  Tuple,
  typeError,
  typeName,
  Undefined,
  type Value,
  valueError,
} from './values.ts';

const whole = (value: bigint | boolean): bigint => BigInt(value);

/** `format % args`. */
export function percentFormat(format: string | Markup, args: Value): Value {
  if (format instanceof Markup) return new Markup(percent(format.text, args, (value) => escapeValue(value).text));
  return percent(format, args, textOf);
}

const directive = /%(?:\(([^)]*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?(.|$)/gsu;

function percent(format: string, args: Value, asText: (value: Value) => string): string {
  const items = args instanceof Tuple ? args.items : [args];
  let next = 0;
  let usedNames = false;
  const take = (): Value => {
    if (next >= items.length) throw typeError('not enough arguments for format string');
    next += 1;
    return items[next - 1] ?? null;
  };
  const result = format.replace(
    directive,
    (match: string, key: string | undefined, flags: string, width: string | undefined, precision: string | undefined, kind: string) => {
      if (kind === '%') return '%';
      if (kind === '') throw valueError('incomplete format');
      const columns = width === '*' ? Number(take()) : Number(width ?? 0);
      const places =
        precision === '*' ? Number(take()) : precision === undefined ? (/\.[hlL]?.$/su.test(match) ? 0 : undefined) : Number(precision);
      const value = key === undefined ? take() : named(args, key);
      usedNames ||= key !== undefined;
      return padPercent(percentValue(value, kind, flags, places, asText), kind, flags, Math.abs(columns), columns < 0);
    },
  );
  // Whatever can be subscripted counts as a mapping here, and a mapping may have more than was asked for.
  const isMapping = args instanceof Dict || Array.isArray(args) || args instanceof Range || args instanceof Undefined;
  if (!usedNames && next < items.length && !isMapping) throw typeError('not all arguments converted during string formatting');
  return result;
}

function named(args: Value, key: string): Value {
  if (!(args instanceof Dict)) throw typeError('format requires a mapping');
  const value = args.get(key);
  if (value === undefined) throw new PythonError('KeyError', reprOf(key));
  return value;
}

function percentValue(value: Value, kind: string, flags: string, precision: number | undefined, asText: (value: Value) => string): string {
  const cut = (text: string) => (precision === undefined ? text : Array.from(characters(text)).slice(0, precision).join(''));
  switch (kind) {
    case 's':
      return cut(asText(value));
    case 'r':
    case 'a':
      return cut(reprOf(value));
    case 'c':
      if (isInteger(value)) return String.fromCodePoint(Number(value));
      if (isText(value) && textLength(textOf(value)) === 1) return textOf(value);
      throw typeError('%c requires int or char');
    case 'd':
    case 'i':
    case 'u': {
      if (!isNumber(value)) throw typeError(`%${kind} format: a real number is required, not ${typeName(value)}`);
      const integer = typeof value === 'number' ? BigInt(Math.trunc(value)) : whole(value);
      return signed(integer < 0n, String(integer < 0n ? -integer : integer).padStart(precision ?? 0, '0'), flags);
    }
    case 'x':
    case 'X':
    case 'o': {
      if (!isInteger(value)) throw typeError(`%${kind} format: an integer is required, not ${typeName(value)}`);
      const integer = whole(value);
      const digits = (integer < 0n ? -integer : integer).toString(kind === 'o' ? 8 : 16).padStart(precision ?? 0, '0');
      const prefix = flags.includes('#') ? `0${kind}` : '';
      return signed(integer < 0n, prefix + (kind === 'X' ? digits.toUpperCase() : digits), flags);
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
      if (!isNumber(value)) throw typeError(`must be real number, not ${typeName(value)}`);
      const number = Number(value);
      return signed(number < 0 || Object.is(number, -0), floatFormat(Math.abs(number), kind, precision ?? 6, flags.includes('#')), flags);
    }
    default:
      throw valueError(`unsupported format character '${kind}' (0x${kind.codePointAt(0)?.toString(16)})`);
  }
}

const signed = (negative: boolean, digits: string, flags: string): string =>
  (negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + digits;

function padPercent(text: string, kind: string, flags: string, columns: number, leftByWidth: boolean): string {
  const missing = columns - textLength(text);
  if (missing <= 0) return text;
  if (flags.includes('-') || leftByWidth) return text + ' '.repeat(missing);
  if (!flags.includes('0') || 'srac'.includes(kind)) return ' '.repeat(missing) + text;
  const lead = /^[+\- ]?(?:0[xXo])?/.exec(text)?.[0] ?? '';
  return lead + '0'.repeat(missing) + text.slice(lead.length);
}

/** A finite or infinite non-negative number in one of C's float formats. */
function floatFormat(value: number, kind: string, precision: number, alternate: boolean): string {
  if (!Number.isFinite(value)) {
    const word = Number.isNaN(value) ? 'nan' : 'inf';
    return kind === kind.toUpperCase() ? word.toUpperCase() : word;
  }
  const places = Math.min(precision, 100);
  const exponentForm = (digits: number) => value.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
  let text: string;
  if (kind === 'f' || kind === 'F') text = toFixedHalfEven(value, places);
  else if (kind === 'e' || kind === 'E') text = exponentForm(places);
  else {
    const significant = places === 0 ? 1 : places;
    const power = value === 0 ? 0 : Number(value.toExponential(significant - 1).split('e')[1]);
    text = power < -4 || power >= significant ? exponentForm(significant - 1) : toFixedHalfEven(value, significant - 1 - power);
    if (!alternate && text.includes('.')) text = text.replace(/\.?0+(?=e|$)/, '');
  }
  return kind === kind.toUpperCase() ? text.toUpperCase() : text;
}

/** `format.format(*args, **kwargs)`. `attribute` reads attributes as templates may. */
export function formatCall(format: string, args: Arguments, attribute: (object: Value, name: string) => Value | undefined): string {
  let automatic = 0;
  const field = (path: string): Value => {
    const [, first = '', rest = ''] = /^([^.[]*)(.*)$/s.exec(path) ?? [];
    const index = first === '' ? automatic++ : /^\d+$/.test(first) ? Number(first) : undefined;
    const start = index === undefined ? args.named.get(first) : args.positional[index];
    if (start === undefined) {
      throw index === undefined
        ? new PythonError('KeyError', reprOf(first))
        : new PythonError('IndexError', `Replacement index ${index} out of range for positional args tuple`);
    }
    let value: Value = start;
    for (const [, name, item] of rest.matchAll(/\.([^.[]+)|\[([^\]]*)\]/g)) {
      const found: Value | undefined =
        name === undefined ? subscript(value, /^\d+$/.test(item ?? '') ? BigInt(item ?? 0) : (item ?? '')) : attribute(value, name);
      if (found === undefined) throw new PythonError(name === undefined ? 'KeyError' : 'AttributeError', reprOf(name ?? item ?? ''));
      value = found;
    }
    return value;
  };
  const expand = (text: string, depth: number): string => {
    let result = '';
    for (let index = 0; index < text.length; index += 1) {
      const character = text[index];
      if (character === '}') {
        if (text[index + 1] !== '}') throw valueError("Single '}' encountered in format string");
        result += '}';
        index += 1;
      } else if (character !== '{') result += character;
      else if (text[index + 1] === '{') {
        result += '{';
        index += 1;
      } else {
        const end = closing(text, index);
        const [, path = '', conversion, spec = ''] = /^([^!:]*)(?:!([a-z]))?(?::(.*))?$/s.exec(text.slice(index + 1, end)) ?? [];
        const value = field(path);
        const converted = conversion === 'r' || conversion === 'a' ? reprOf(value) : conversion === 's' ? textOf(value) : value;
        if (depth > 1) throw valueError('Max string recursion exceeded');
        result += formatSpec(converted, expand(spec, depth + 1));
        index = end;
      }
    }
    return result;
  };
  return expand(format, 0);
}

function closing(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    if (text[index] === '{') depth += 1;
    if (text[index] === '}') depth -= 1;
    if (depth === 0) return index;
  }
  throw valueError("expected '}' before end of string");
}

/** `format(value, spec)`. */
export function formatSpec(value: Value, spec: string): string {
  if (spec === '') return textOf(value);
  if (!isText(value) && !isNumber(value)) throw typeError(`unsupported format string passed to ${typeName(value)}.__format__`);
  const parsed = /^(?:(.)?([<>=^]))?([+\- ])?(#)?(0)?(\d+)?([_,])?(?:\.(\d+))?([a-zA-Z%])?$/su.exec(spec);
  if (!parsed) throw valueError(`Invalid format specifier '${spec}' for object of type '${typeName(value)}'`);
  const [, fillGiven, alignGiven, sign = '-', alternate, zero, width = '0', grouping, precisionText, kind] = parsed;
  const precision = precisionText === undefined ? undefined : Number(precisionText);
  const fill = fillGiven ?? (zero ? '0' : ' ');
  let lead = '';
  let body: string;
  let align = alignGiven;
  if (isText(value)) {
    if (kind !== undefined && kind !== 's') throw valueError(`Unknown format code '${kind}' for object of type 'str'`);
    body = textOf(value);
    if (precision !== undefined) body = Array.from(characters(body)).slice(0, precision).join('');
    align ??= '<';
  } else {
    const negative = Number(value) < 0;
    lead = negative ? '-' : sign === '-' ? '' : sign;
    body = numberBody(value, kind, precision, grouping, alternate !== undefined);
    if (alternate && kind && 'xXob'.includes(kind)) lead += `0${kind}`;
    align ??= zero ? '=' : '>';
  }
  const missing = Math.max(0, Number(width) - textLength(lead + body));
  if (align === '=') return lead + fill.repeat(missing) + body;
  if (align === '<') return lead + body + fill.repeat(missing);
  if (align === '^') return fill.repeat(Math.floor(missing / 2)) + lead + body + fill.repeat(Math.ceil(missing / 2));
  return fill.repeat(missing) + lead + body;
}

function numberBody(
  value: bigint | number | boolean,
  kind: string | undefined,
  precision: number | undefined,
  grouping: string | undefined,
  alternate: boolean,
): string {
  const group = (digits: string, size = 3) =>
    grouping ? digits.replace(new RegExp(`\\B(?=(?:[0-9a-fA-F]{${size}})+$)`, 'g'), grouping) : digits;
  const groupWhole = (text: string) => text.replace(/^\d+/, (digits) => group(digits));
  if (typeof value !== 'number' && (kind === undefined || 'dxXobcn'.includes(kind))) {
    if (kind === 'c') return String.fromCodePoint(Number(value));
    if (precision !== undefined) throw valueError('Precision not allowed in integer format specifier');
    const magnitude = whole(value) < 0n ? -whole(value) : whole(value);
    const radix = kind === 'x' || kind === 'X' ? 16 : kind === 'o' ? 8 : kind === 'b' ? 2 : 10;
    const digits = group(magnitude.toString(radix), radix === 10 ? 3 : 4);
    return kind === 'X' ? digits.toUpperCase() : digits;
  }
  const number = Math.abs(Number(value));
  if (kind === '%') return `${groupWhole(toFixedHalfEven(number * 100, precision ?? 6))}%`;
  if (kind === undefined) {
    if (precision === undefined) return groupWhole(floatText(number));
    const general = floatFormat(number, 'g', precision, false);
    return groupWhole(/[.en]/.test(general) ? general : `${general}.0`);
  }
  if ('eEfFgGn'.includes(kind)) return groupWhole(floatFormat(number, kind === 'n' ? 'g' : kind, precision ?? 6, alternate));
  throw valueError(`Unknown format code '${kind}' for object of type '${typeName(value)}'`);
}
