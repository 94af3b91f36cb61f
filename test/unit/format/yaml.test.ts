import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DataPath, parseYaml, parseYamlBulk } from '../../../lib/format/index.ts';

function textAt(text: string, path: DataPath, part?: 'key' | 'value'): string | undefined {
  const document = parseYaml({ path: 'x.yaml', text }).documents[0];
  const span = document?.spanOf(path, part);
  return span && span.file.text.slice(span.start, span.end);
}

test('every value and key knows where it was written, behind a byte-order mark and CRLF too', () => {
  const text = '\uFEFFa: 1\r\nlist:\r\n  - name: "x"\r\n    deep: {k: [1, two]}\r\nempty:\r\n';
  expect([
    textAt(text, ['a']),
    textAt(text, ['a'], 'key'),
    textAt(text, ['list', 0, 'name']),
    textAt(text, ['list', 0, 'deep', 'k', 1]),
    textAt(text, ['empty']),
  ]).toEqual(['1', 'a', '"x"', 'two', 'empty']);
  const span = parseYaml({ path: 'x.yaml', text }).documents[0]?.spanOf(['a']);
  expect(span?.start).toBe(3);
});

test('a path that does not exist has the place of its nearest ancestor', () => {
  const text = 'machine:\n  network:\n    hostname: a\n';
  expect(textAt(text, ['machine', 'network', 'dns', 'x'])).toBe('network');
  expect(textAt(text, ['cluster'])).toBe('machine:');
});

test('values that come through an alias or a merge key have the place where they stand', () => {
  const text = 'base: &b\n  a: 1\n  b: 2\nuse:\n  <<: *b\n  b: 3\nother: *b\n';
  const document = parseYaml({ path: 'x.yaml', text }).documents[0];
  expect(document?.value).toEqual({ base: { a: 1, b: 2 }, use: { a: 1, b: 3 }, other: { a: 1, b: 2 } });
  expect([textAt(text, ['use', 'a']), textAt(text, ['use', 'b']), textAt(text, ['other', 'b'])]).toEqual(['1', '3', '2']);
});

test('each document of a file keeps its own text', () => {
  const text = '# top\n---\nkind: A\n# in a\n---\nkind: B\nv: |\n  x\n...\n---\n';
  const { documents, failures } = parseYaml({ path: 'x.yaml', text });
  expect(failures).toEqual([]);
  expect(documents.map(({ source }) => text.slice(source.start, source.end))).toEqual(['kind: A\n# in a\n', 'kind: B\nv: |\n  x\n', '']);
  expect(parseYaml({ path: 'x.yaml', text: '# nothing\n' }).documents).toEqual([]);
});

test('all problems of a file are reported with their places', () => {
  const { failures } = parseYaml({ path: 'x.yaml', text: 'a: 1\nb: { c: 1, c: 2 }\nd: *nobody\na: 3\ne: &e [*e]\n' });
  expect(failures).toEqual([
    {
      code: 'format/duplicate-key',
      facts: { key: 'c' },
      where: {
        kind: 'file',
        path: 'x.yaml',
        line: 2,
        column: 12,
        excerpt: { text: 'b: { c: 1, c: 2 }', length: 1 },
        related: [{ path: 'x.yaml', line: 2, column: 6, note: 'first written here' }],
      },
    },
    {
      code: 'format/duplicate-key',
      facts: { key: 'a' },
      where: {
        kind: 'file',
        path: 'x.yaml',
        line: 4,
        column: 1,
        excerpt: { text: 'a: 3', length: 1 },
        related: [{ path: 'x.yaml', line: 1, column: 1, note: 'first written here' }],
      },
    },
    {
      code: 'format/alias',
      facts: { problem: 'unknown' },
      where: { kind: 'file', path: 'x.yaml', line: 3, column: 4, excerpt: { text: 'd: *nobody', length: 7 } },
    },
    {
      code: 'format/alias',
      facts: { problem: 'cyclic' },
      where: { kind: 'file', path: 'x.yaml', line: 5, column: 8, excerpt: { text: 'e: &e [*e]', length: 2 } },
    },
  ]);
});

test('a confidential file leaves no word of itself in a failure', () => {
  const text = 'token: hunter2hunter2\ntoken: hunter3hunter3\nbad: [hunter4\n"hunter5: x\n';
  const { failures } = parseYaml({ path: 'secrets.yaml', text }, { confidential: true });
  expect(failures.length).toBeGreaterThan(1);
  expect(JSON.stringify(failures)).not.toContain('hunter');
});

test('bombs and abysses are failures, not crashes', () => {
  const codes = (text: string) => parseYaml({ path: 'x.yaml', text }).failures.map(({ code }) => code);
  expect(codes('['.repeat(20_000))).toEqual(['format/too-deep']);
  expect(codes('{a: '.repeat(5_000))).toEqual(['format/too-deep']);
  expect(codes(`${'- '.repeat(5_000)}x\n`)).toEqual(['format/too-deep']);
  expect(codes(Array.from({ length: 2_000 }, (_, index) => `${' '.repeat(index)}a:\n`).join(''))).toEqual(['format/too-deep']);
  expect(codes(`"${'['.repeat(5_000)}"\n`)).toEqual([]);
  const laughs = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (let level = 1; level < 9; level += 1) {
    const [name, before] = ['abcdefghij'[level], 'abcdefghij'[level - 1]];
    laughs.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`);
  }
  expect(codes(`${laughs.join('\n')}\n`)).toEqual(['format/alias']);
});

test('`__proto__` and friends are ordinary keys', () => {
  const [document] = parseYaml({ path: 'x.yaml', text: '__proto__: {polluted: 1}\nconstructor: 2\n' }).documents;
  expect(Object.keys(document?.value as object)).toEqual(['__proto__', 'constructor']);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('no text whatsoever throws, and every span lies inside of the text', () => {
  const pieces = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '|',
    '>',
    '&a',
    '*a',
    '!',
    '---',
    '...',
    '#',
    '\t',
    '\r\n',
    '<<',
    '0x1',
    '\uFEFF',
    '?',
    '%YAML 1.1\n',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      const { documents, failures } = parseYaml({ path: 'x.yaml', text });
      for (const { where } of failures) expect(where?.kind === 'file' && where.line >= 1 && where.column >= 1).toBe(true);
      for (const document of documents) {
        const { start, end, file } = document.spanOf(['a', 0, 'a']);
        expect(start >= 0 && start <= end && end <= file.text.length).toBe(true);
      }
    }),
    { numRuns: 800 },
  );
});

test('a text block that the file ends in without a line break ends without one, as in Go', () => {
  // Source: what go.yaml.in/yaml v3.0.4 and v4.0.0-rc.4 make of each.
  const blocks: readonly (readonly [string, string])[] = [
    ['a: |\n  x', 'x'],
    ['a: |\n  x\n', 'x\n'],
    ['a: |+\n  x', 'x'],
    ['a: >\n  x\n\n  y', 'x\ny'],
    ['a: |\n  x\n  ', 'x\n'],
    ['a: |\n  x  ', 'x  '],
    ['a: |\n  x\n# comment', 'x\n'],
    ['a: |\n  x\n  # text', 'x\n# text'],
    ['a: |\r\n  x\r\n  y', 'x\ny'],
    ['a: &b |\n  x\r', 'x\n'],
    ['a: "x\\n"', 'x\n'],
  ];
  for (const [text, expected] of blocks) {
    expect(parseYaml({ path: 'x.yaml', text }).documents[0]?.value, text).toEqual({ a: expected });
    expect(parseYamlBulk(text), text).toEqual([{ a: expected }]);
  }
  const nested = 'machine:\n  files:\n    - path: /etc/x\n      content: |\n        [plugins]';
  expect(parseYaml({ path: 'x.yaml', text: nested }).documents[0]?.value).toEqual({
    machine: { files: [{ path: '/etc/x', content: '[plugins]' }] },
  });
  expect(parseYaml({ path: 'x.yaml', text: 'a: |\n  x' }, { version: 'core' }).documents[0]?.value).toEqual({ a: 'x\n' });
});

test('a binary value is the text that it stands for, as in Go', () => {
  expect(parseYaml({ path: 'x.yaml', text: 'a: !!binary aGk=\nb: [!!binary eA==]\n' }).documents[0]?.value).toEqual({ a: 'hi', b: ['x'] });
});
