import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editYaml, parseYaml, type YamlEdit } from '../../../lib/format/index.ts';

const edited = (text: string, ...edits: YamlEdit[]) => editYaml({ path: 'x.yaml', text }, edits);

test('a scalar changes and nothing else does', () => {
  const text = '# top\nversion: v1.14.0   # pinned\nlist: [a,  b]\n\n"quoted": \'1.2\'\n';
  expect(edited(text, { op: 'set', path: ['version'], value: 'v1.14.1' }, { op: 'set', path: ['quoted'], value: '1.3' })).toBe(
    '# top\nversion: v1.14.1   # pinned\nlist: [a,  b]\n\n"quoted": \'1.3\'\n',
  );
});

test('new keys and items go to the end of what holds them, before the comments that follow', () => {
  expect(
    edited(
      'nodes:\n  - name: a\n    labels: {}\n\n# the rest\nother: 1\n',
      { op: 'set', path: ['nodes', 0, 'address'], value: '10.0.0.1' },
      { op: 'set', path: ['nodes', 1], value: { name: 'b', on: 'yes' } },
      { op: 'set', path: ['nodes', 0, 'labels', 'gpu'], value: 'true' },
    ),
  ).toBe(
    'nodes:\n  - name: a\n    labels: { "gpu": "true" }\n    address: 10.0.0.1\n  - name: b\n    "on": "yes"\n\n# the rest\nother: 1\n',
  );
});

test('a whole value is replaced by another kind of value', () => {
  expect(
    edited(
      'a: |\n  x\n  y\nb:\n  c: 1\nd: 2\n',
      { op: 'set', path: ['a'], value: 'one' },
      { op: 'set', path: ['b'], value: [1] },
      { op: 'set', path: ['d'], value: { e: { f: 1 } } },
    ),
  ).toBe('a: one\nb:\n  - 1\nd:\n  e:\n    f: 1\n');
});

test('removing takes the key with its lines, and keeps the dash of a list item', () => {
  const text = 'a: 1\nlist:\n  - name: x # first\n    size: 2\n  - name: y\nend: |\n  t\n';
  expect(
    edited(
      text,
      { op: 'remove', path: ['a'] },
      { op: 'remove', path: ['list', 0, 'name'] },
      { op: 'remove', path: ['list', 1] },
      { op: 'remove', path: ['nobody'] },
    ),
  ).toBe('list:\n  - size: 2\nend: |\n  t\n');
  expect(edited('a:\n  b: 1\nc: 2\n', { op: 'remove', path: ['a', 'b'] })).toBe('a:\n  {}\nc: 2\n');
});

test('a byte-order mark and CRLF stay', () => {
  expect(edited('\uFEFFa: 1\r\nb: 2\r\n', { op: 'set', path: ['a'], value: 5 }, { op: 'set', path: ['c'], value: { d: 1 } })).toBe(
    '\uFEFFa: 5\r\nb: 2\r\nc:\r\n  d: 1\r\n',
  );
});

test('what is neither mapping nor list cannot be written into', () => {
  expect(() => edited('a: 1\n', { op: 'set', path: ['a', 'b'], value: 1 })).toThrow('format/cannot-edit');
  expect(() => edited('a: 1\n', { op: 'set', path: ['x', 'y'], value: 1 })).toThrow('format/cannot-edit');
});

const scalar = fc.oneof(fc.string({ unit: fc.constantFrom(...'abc 019:#-\'"\n.') }), fc.integer(), fc.boolean(), fc.constant(null));
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c-d', 'e f', 'yes'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

/** Every path of a value that has a parent. */
function paths(value: unknown, base: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    const path = [...base, Array.isArray(value) ? Number(key) : key];
    return [path, ...paths(part, path)];
  });
}

test('setting anything anywhere gives exactly that value, and keeps the comments around it', async () => {
  const { stringifyYaml } = await import('../../../lib/format/index.ts');
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), tree, { minKeys: 1 }), tree, fc.nat(), (whole, value, pick) => {
      const before = `# head\n${stringifyYaml(whole)}# tail\n`;
      const all = paths(whole);
      const path = all[pick % all.length] as (string | number)[];
      const after = edited(before, { op: 'set', path, value });
      const expected = structuredClone(whole) as Record<string | number, unknown>;
      const parent = path
        .slice(0, -1)
        .reduce<Record<string | number, unknown>>((found, part) => found[part] as Record<string | number, unknown>, expected);
      parent[path.at(-1) as string | number] = value;
      const { documents, failures } = parseYaml({ path: 'x.yaml', text: after });
      expect(failures).toEqual([]);
      expect(documents[0]?.value).toEqual(expected);
      expect(after.startsWith('# head\n') && after.endsWith('# tail\n')).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('adding a key anywhere and taking it out again gives the same value', async () => {
  const { stringifyYaml } = await import('../../../lib/format/index.ts');
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), tree, { minKeys: 1 }), tree, (whole, value) => {
      const before = `# head\n${stringifyYaml(whole)}\n# tail\n`;
      // The blank line in front of the comment belongs to a text that keeps its last newlines.
      const read = parseYaml({ path: 'x.yaml', text: before }).documents[0]?.value as object;
      const added = edited(before, { op: 'set', path: ['new'], value });
      expect(parseYaml({ path: 'x.yaml', text: added }).documents[0]?.value).toEqual({ ...read, new: value });
      const removed = edited(added, { op: 'remove', path: ['new'] });
      expect(parseYaml({ path: 'x.yaml', text: removed }).documents[0]?.value).toEqual(read);
    }),
    { numRuns: 200 },
  );
});
