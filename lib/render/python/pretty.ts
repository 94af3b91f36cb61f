import { compareValues } from './sorting.ts';
import { reprOf } from './text.ts';
import { Dict, PythonError, Tuple, type Value } from './values.ts';

const widthOfLine = 80;

/** `pprint.pformat(value)`: keys sorted, one item a line where a line is too short. Long texts stay whole. */
export function prettyRepr(value: Value): string {
  const format = (item: Value, column: number, after: number): string => {
    const flat = reprOf(sorted(item));
    if (flat.length <= widthOfLine - column - after) return flat;
    if (Array.isArray(item) || item instanceof Tuple) {
      const items = Array.isArray(item) ? item : item.items;
      const [left, right] = Array.isArray(item) ? ['[', ']'] : ['(', items.length === 1 ? ',)' : ')'];
      const lines = items.map((child, index) => format(child, column + 1, index === items.length - 1 ? after + right.length : 1));
      return items.length === 0 ? flat : `${left}${lines.join(`,\n${' '.repeat(column + 1)}`)}${right}`;
    }
    if (!(item instanceof Dict) || item.size === 0) return flat;
    const entries = sortedEntries(item);
    const lines = entries.map(([key, child], index) => {
      const head = `${reprOf(key)}: `;
      return head + format(child, column + 1 + head.length, index === entries.length - 1 ? after + 1 : 1);
    });
    return `{${lines.join(`,\n${' '.repeat(column + 1)}`)}}`;
  };
  return format(value, 0, 0);
}

function sortedEntries(dict: Dict): [Value, Value][] {
  return dict.entries().sort(([a], [b]) => {
    try {
      return compareValues(a, b);
    } catch (error) {
      if (error instanceof PythonError) return reprOf(a) < reprOf(b) ? -1 : 1;
      throw error;
    }
  });
}

function sorted(value: Value): Value {
  if (value instanceof Dict) return Dict.of(sortedEntries(value).map(([key, item]) => [key, sorted(item)]));
  if (value instanceof Tuple) return new Tuple(value.items.map(sorted));
  return Array.isArray(value) ? value.map(sorted) : value;
}
