import { isTreeMap, TreeComment, type TreeMap, TreeTime, type TreeValue } from '../../format/index.ts';

/** As Go's `json.Marshal` and `json.Indent` write it; absent indent: a tab. Comments have no place in JSON. */
export function emitJson(map: TreeMap, indent: number | undefined): string {
  const unit = indent === undefined || indent < 0 ? '\t' : ' '.repeat(indent);
  const emit = (value: TreeValue, pad: string): string => {
    if (value === null) return 'null';
    if (typeof value === 'string') return text(value);
    if (value instanceof TreeTime) return text(value.text);
    if (typeof value === 'number') return float(value);
    if (typeof value !== 'object') return String(value);
    const inner = pad + unit;
    if (isTreeMap(value)) {
      const entries = value.entries.flatMap((entry) =>
        entry instanceof TreeComment ? [] : [`\n${inner}${text(entry.key)}: ${emit(entry.value, inner)}`],
      );
      return entries.length === 0 ? '{}' : `{${entries.join(',')}\n${pad}}`;
    }
    const items = value.flatMap((item) => (item instanceof TreeComment ? [] : [`\n${inner}${emit(item, inner)}`]));
    return items.length === 0 ? '[]' : `[${items.join(',')}\n${pad}]`;
  };
  return emit(map, '');
}

const short: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
  '"': '\\"',
  '\\': '\\\\',
};

/** Go escapes what HTML gives a meaning to, and JavaScript's line ends. */
function text(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes exactly these
  return `"${value.replace(/[\u0000-\u001F"\\<>&\u2028\u2029]/g, (character) => short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}

/** JSON in Go follows JavaScript here. */
const float = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
