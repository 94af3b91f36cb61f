import { quoted } from '../python/text.ts';
import { Callable, Dict, DictView, Instance, Iterator, Markup, Range, Tuple, Undefined, type Value } from '../python/values.ts';

/** Rust's `Display` of a float: never an exponent. */
function displayFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const plain = withoutExponent(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

function withoutExponent(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const digits = mantissa.replace(/[-.]/g, '');
  const power = Number(exponent);
  const sign = value < 0 ? '-' : '';
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`;
  if (digits.length <= power + 1) return sign + digits + '0'.repeat(power + 1 - digits.length);
  return `${sign}${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
}

/** Rust's `Debug` of a float, which is how floats look inside of lists and maps. */
function debugFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e16 || magnitude < 1e-4)) return value.toExponential().replace('e+', 'e');
  return displayFloat(value);
}

/** What `{{ value }}` prints. */
export function miniText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  if (typeof value === 'number') return displayFloat(value);
  if (value instanceof Undefined) {
    value.failIfStrict();
    return '';
  }
  return miniRepr(value);
}

/** How a value looks inside of a list or map. */
export function miniRepr(value: Value, seen: readonly Value[] = []): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return debugFloat(value);
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Markup) return quoted(value.text);
  if (value instanceof Undefined) return 'undefined';
  if (value instanceof Callable) return value.kind === 'macro' ? `<macro ${value.name}>` : value.name;
  if (value instanceof Instance) return value.text();
  if (seen.includes(value)) return '...';
  const inside = [...seen, value];
  const repr = (item: Value) => miniRepr(item, inside);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (value instanceof Tuple)
    return value.items.length === 1 ? `(${repr(value.items[0] ?? null)},)` : `(${value.items.map(repr).join(', ')})`;
  if (value instanceof DictView) return `[${value.items().map(repr).join(', ')}]`;
  if (value instanceof Range || value instanceof Iterator) return `[${Array.from(value, repr).join(', ')}]`;
  return `{${(value as Dict)
    .entries()
    .map(([key, item]) => `${repr(key)}: ${repr(item)}`)
    .join(', ')}}`;
}

const htmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
  '/': '&#x2f;',
};

export function miniEscape(value: Value): Markup {
  if (value instanceof Markup) return value;
  // Numbers and words hold nothing that could be escaped.
  return new Markup(miniText(value).replace(/[&<>"'/]/g, (character) => htmlEntities[character] ?? character));
}

/** Rust's `{:#?}` in Python's spelling: one item a line, a comma behind each. */
export function miniPretty(value: Value, pad = ''): string {
  const inner = `${pad}    `;
  const block = (open: string, items: readonly string[], close: string) =>
    items.length === 0 ? open + close : `${open}\n${items.map((item) => `${inner}${item},\n`).join('')}${pad}${close}`;
  if (Array.isArray(value))
    return block(
      '[',
      value.map((item) => miniPretty(item, inner)),
      ']',
    );
  if (value instanceof Tuple)
    return block(
      '(',
      value.items.map((item) => miniPretty(item, inner)),
      ')',
    );
  if (value instanceof Dict)
    return block(
      '{',
      value.entries().map(([key, item]) => `${miniRepr(key)}: ${miniPretty(item, inner)}`),
      '}',
    );
  return miniRepr(value);
}
