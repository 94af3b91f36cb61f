import { Callable, type Dict, DictView, Instance, Iterator, Markup, Range, Tuple, Undefined, type Value, valueError } from './values.ts';

const surrogate = /[\uD800-\uDFFF]/;

/** Characters as Python counts them. */
export function characters(text: string): readonly string[] | string {
  return surrogate.test(text) ? Array.from(text) : text;
}

export const textLength = (text: string): number => characters(text).length;

/** `str(value)`. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) {
    value.failIfStrict();
    return value.mode === 'debug' ? value.debug : '';
  }
  return reprOf(value);
}

/** `repr(value)`. */
export function reprOf(value: Value, seen: readonly Value[] = []): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'bigint') return integerText(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`;
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Range)
    return value.step === 1n ? `range(${value.start}, ${value.stop})` : `range(${value.start}, ${value.stop}, ${value.step})`;
  if (value instanceof Iterator) return `<${value.name} object>`;
  if (value instanceof Callable) {
    if (value.kind === 'macro') return `<Macro ${quoted(value.name)}>`;
    return value.kind === 'class' ? `<class '${value.name}'>` : `<function ${value.name}>`;
  }
  if (value instanceof Instance) return value.text();
  const inside = [...seen, value];
  const repr = (item: Value) => reprOf(item, inside);
  if (Array.isArray(value)) return seen.includes(value) ? '[...]' : `[${value.map(repr).join(', ')}]`;
  if (value instanceof Tuple)
    return value.items.length === 1 ? `(${repr(value.items[0] ?? null)},)` : `(${value.items.map(repr).join(', ')})`;
  if (value instanceof DictView) return `dict_${value.kind}([${value.items().map(repr).join(', ')}])`;
  return seen.includes(value)
    ? '{...}'
    : `{${(value as Dict)
        .entries()
        .map(([key, item]) => `${repr(key)}: ${repr(item)}`)
        .join(', ')}}`;
}

/** Python refuses to print integers of more than 4300 digits. */
export function integerText(value: bigint): string {
  const text = value.toString();
  if (text.length > 4301)
    throw valueError(
      'Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit',
    );
  return text;
}

export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  if (value === 0) return '0.0';
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  const plain = power < 0 ? value.toFixed(Math.max(0, mantissa.replace(/[-.]/g, '').length - 1 - power)) : String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

const unprintable = /[\p{C}\p{Z}]/u;

export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let result = quote;
  for (const character of text) {
    if (character === quote || character === '\\') result += `\\${character}`;
    else if (character === '\n') result += '\\n';
    else if (character === '\r') result += '\\r';
    else if (character === '\t') result += '\\t';
    else if (character !== ' ' && unprintable.test(character)) result += escaped(character.codePointAt(0) ?? 0);
    else result += character;
  }
  return result + quote;
}

function escaped(code: number): string {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;' })[character] ?? '&#39;');
}

/** MarkupSafe's `escape`: text that is markup already stays. */
export function escapeValue(value: Value): Markup {
  return value instanceof Markup ? value : new Markup(escapeHtml(textOf(value)));
}
