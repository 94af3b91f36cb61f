import { compareValues } from './sorting.ts';
import { floatText, integerText } from './text.ts';
import { Dict, isInteger, isText, Markup, Tuple, typeError, typeName, type Value } from './values.ts';

export interface JsonOptions {
  /** Null: one line. A number of spaces, or the text itself. */
  readonly indent: Value;
  readonly sortKeys: boolean;
}

/** `json.dumps(value)` with ASCII output. */
export function dumpJson(value: Value, options: JsonOptions): string {
  const unit =
    options.indent === null
      ? undefined
      : typeof options.indent === 'string'
        ? options.indent
        : ' '.repeat(Math.max(0, Number(options.indent)));
  const open: Value[] = [];
  const block = (items: string[], [left, right]: string, depth: number): string => {
    if (items.length === 0) return `${left}${right}`;
    if (unit === undefined) return `${left}${items.join(', ')}${right}`;
    const line = `\n${unit.repeat(depth + 1)}`;
    return `${left}${line}${items.join(`,${line}`)}\n${unit.repeat(depth)}${right}`;
  };
  const dump = (item: Value, depth: number): string => {
    if (item === null) return 'null';
    if (typeof item === 'boolean') return String(item);
    if (typeof item === 'bigint') return integerText(item);
    if (typeof item === 'number') return jsonFloat(item);
    if (isText(item)) return jsonText(item instanceof Markup ? item.text : item);
    if (open.includes(item)) throw typeError('Circular reference detected');
    open.push(item);
    let text: string;
    if (Array.isArray(item) || item instanceof Tuple)
      text = block(
        (Array.isArray(item) ? item : item.items).map((child) => dump(child, depth + 1)),
        '[]',
        depth,
      );
    else if (item instanceof Dict) {
      const entries = item.entries();
      if (options.sortKeys) entries.sort((a, b) => compareValues(a[0], b[0]));
      text = block(
        entries.map(([key, child]) => `${jsonText(keyText(key))}: ${dump(child, depth + 1)}`),
        '{}',
        depth,
      );
    } else throw typeError(`Object of type ${typeName(item)} is not JSON serializable`);
    open.pop();
    return text;
  };
  return dump(value, 0);
}

const jsonFloat = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? floatText(value) : value > 0 ? 'Infinity' : '-Infinity';

function keyText(key: Value): string {
  if (isText(key)) return key instanceof Markup ? key.text : key;
  if (key === null) return 'null';
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'number') return jsonFloat(key);
  if (isInteger(key)) return String(key);
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

/** ASCII, with Python's choice of escapes. */
function jsonText(text: string): string {
  return JSON.stringify(text)
    .replace(/[\u007F-\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('\\u007f', '\u007F');
}
