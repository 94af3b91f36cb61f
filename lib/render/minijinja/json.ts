import { htmlSafe } from '../jinja/filters/values.ts';
import {
  Callable,
  Dict,
  DictView,
  Instance,
  isText,
  type Iterator,
  Markup,
  type Range,
  Tuple,
  Undefined,
  type Value,
} from '../python/values.ts';
import { invalid } from './semantics.ts';
import { miniText } from './text.ts';

/** `tojson`: keys in their order, text in Unicode, safe inside HTML. */
export function miniJson(value: Value, indent: number | undefined): string {
  const line = (depth: number) => (indent === undefined ? '' : `\n${' '.repeat(indent * depth)}`);
  const block = (open: string, items: readonly string[], close: string, depth: number): string => {
    if (items.length === 0) return open + close;
    return indent === undefined
      ? `${open}${items.join(', ')}${close}`
      : `${open}${line(depth + 1)}${items.join(`,${line(depth + 1)}`)}${line(depth)}${close}`;
  };
  const dump = (item: Value, depth: number): string => {
    if (item === null || item instanceof Undefined) return 'null';
    if (typeof item === 'boolean' || typeof item === 'bigint') return String(item);
    if (typeof item === 'number') return number(item);
    if (isText(item)) return text(item instanceof Markup ? item.text : item);
    if (item instanceof Dict)
      return block(
        '{',
        item.entries().map(([key, child]) => `${text(miniText(key))}: ${dump(child, depth + 1)}`),
        '}',
        depth,
      );
    if (item instanceof Callable || item instanceof Instance) throw invalid('cannot serialize to JSON');
    const items = Array.isArray(item)
      ? item
      : item instanceof Tuple
        ? [...item.items]
        : item instanceof DictView
          ? item.items()
          : [...(item as Range | Iterator)];
    return block(
      '[',
      items.map((child) => dump(child, depth + 1)),
      ']',
      depth,
    );
  };
  return htmlSafe(dump(value, 0));
}

const text = (value: string) => JSON.stringify(value);

function number(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  const plain = String(value);
  return /[.e]/.test(plain) ? plain : value >= 1e16 || value <= -1e16 ? value.toExponential() : `${plain}.0`;
}
