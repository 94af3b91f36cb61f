import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DataPath, parseYaml } from '../../../lib/format/index.ts';
import { quickDocument } from '../../../lib/format/yaml-quick.ts';

const folder = join(import.meta.dirname, '../../golden/inputs');
const realFiles = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.ya?ml$/.test(name))
  .map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);

const written: readonly (readonly [string, string])[] = [
  ['comments and quotes', "# one\na: \"x \\u00e9\" # two\nb: 'it''s'\n"],
  ['flow collections', 'a: { b: [ 1, "]" , # ]\n  2 ], c: {} } # }\nd: []\n'],
  ['blocks', 'a: |-\n  text\n   more\n\nb: not here\n'],
  ['folded blocks in lists', '- >+ # why\n  a\n  b\n\n- |\n  c\n'],
  ['empty values', 'a:\nb: ~\nc:\n  - \n  - d:\n'],
  ['plain text of many lines', 'a: one\n  two\nb: x:y\n'],
  ['numbers as Go reads them', '0644: 1_000\nb: 12:30\nc: 2024-01-02\nd: 0x1F\ne: 18446744073709551615\n'],
  ['a marked beginning', '---\na: 1\n'],
  ['without a last line break', 'a: 1\nb: x # y'],
  ['a scalar alone', 'text\n'],
];

function pathsOf(value: unknown, path: DataPath = []): DataPath[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]))];
}

/** Everything that can be asked of the one document of a text; spans only as far as their line, which is all that anybody shows. */
function seen(text: string) {
  const { documents, failures } = parseYaml({ path: 'a.yaml', text });
  const [document] = documents;
  if (!document) return { failures };
  const lineOf = (start: number, end: number) => [start, text.slice(start, end).split('\n')[0]];
  const places = pathsOf(document.value).map((path) => {
    const [key, value] = [document.spanOf(path, 'key'), document.spanOf(path)];
    return [path.join('/'), lineOf(key.start, key.end), lineOf(value.start, value.end), document.scalarAt(path)];
  });
  return { failures, value: document.value, places, missing: document.spanOf([...(pathsOf(document.value).at(-1) ?? []), 'x']).start };
}

const quick = (text: string) =>
  quickDocument({ path: 'a.yaml', text }, 'go', { file: { path: 'a.yaml', text }, start: 0, end: text.length });

describe('the quick reader and the thorough one see the same', () => {
  test.each([...written, ...realFiles])('%s', (_, text) => {
    // A tab is enough for the thorough one.
    expect(seen(text)).toEqual(seen(`${text}${text.endsWith('\n') ? '' : '\n'}#\t\n`));
  });

  test('and most files are read by the quick one', () => {
    expect(written.filter(([, text]) => quick(text) === undefined)).toEqual([]);
  });
});

test.each([
  ['an anchor', 'a: &x 1\nb: *x\n'],
  ['a merged mapping', 'a: { <<: { b: 1 } }\n'],
  ['a tag', 'a: !!str 1\n'],
  ['a directive', '%YAML 1.2\n---\na: 1\n'],
  ['two documents', 'a: 1\n---\nb: 2\n'],
  ['a key twice', 'a: 1\na: 2\n'],
  ['a mapping as a key', '{ a: 1 }: 2\n'],
  ['a pair in a list', '[a: 1]\n'],
  ['a key without a value', '{ a }\n'],
  ['a block that the file ends in', 'a: |\n  b'],
  ['an error', 'a: [1\n'],
])('%s is left to the thorough reader', (_, text) => {
  expect(quick(text)).toBeUndefined();
});
