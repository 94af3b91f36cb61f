import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseYaml, parseYamlBulk, resolveScalar, stringifyYaml } from '../../../lib/format/index.ts';

/** Recorded from sops (yaml.v3) and helm (sigs.k8s.io/yaml) by test/oracle/yaml-scalars.mjs: the scalar, and its value as JSON. */
function recorded(reader: 'go' | 'kubernetes'): [string, string][] {
  return JSON.parse(readFileSync(`test/conformance/yaml-scalars/${reader}.json`, 'utf8'));
}

/** Reading the recording takes what is beyond 2^53 for a float. */
function inFloats(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

test.each(['go', 'kubernetes'] as const)('plain scalars mean what %s makes of them', (reader) => {
  const cases = recorded(reader);
  const ours = cases.map(([text]) => [text, inFloats(resolveScalar(text, reader).value)]);
  const theirs = cases.map(([text, upstream]) => [text, JSON.parse(upstream)]);
  expect(ours).toEqual(theirs);
  expect(cases.length).toBeGreaterThan(130);
});

test('both YAML readers of ours agree on every recorded scalar', () => {
  for (const reader of ['go', 'kubernetes'] as const) {
    const text = recorded(reader)
      .map(([scalar]) => `- ${scalar}\n`)
      .join('');
    const [document] = parseYaml({ path: 'x.yaml', text }, { version: reader }).documents;
    expect(parseYamlBulk(text, { version: reader })[0]).toEqual(document?.value);
  }
});

test('long integers are exact', () => {
  expect(
    ['9007199254740993', '0xFFFFFFFFFFFFFFFF', '-9223372036854775808', '18446744073709551616'].map(
      (text) => resolveScalar(text, 'go').value,
    ),
  ).toEqual([9007199254740993n, 18446744073709551615n, -9223372036854775808n, 18446744073709551616]);
});

test('text with dates, NaN and infinities keeps its kind', () => {
  const kinds = [
    '2001-12-14',
    '2001-12-14T21:59:43Z',
    '2001-12-14 21:59:43.10 -05:00',
    '2001-13-14',
    '2001-02-30',
    '.nan',
    '-.Inf',
    '+.INF',
  ].map((text) => [text, resolveScalar(text, 'go').kind, resolveScalar(text, 'core').kind]);
  expect(kinds).toEqual([
    ['2001-12-14', 'timestamp', 'string'],
    ['2001-12-14T21:59:43Z', 'timestamp', 'string'],
    ['2001-12-14 21:59:43.10 -05:00', 'string', 'string'],
    ['2001-13-14', 'string', 'string'],
    ['2001-02-30', 'string', 'string'],
    ['.nan', 'float', 'float'],
    ['-.Inf', 'float', 'float'],
    ['+.INF', 'float', 'float'],
  ]);
});

test('whatever text is written is read back as the same text by every reader', () => {
  const hostile = [
    ...recorded('go').map(([text]) => text),
    '<<',
    '=',
    '',
    ' ',
    '12:30',
    '2001-12-14',
    '- a',
    '# a',
    'a: b',
    'a\n',
    '\n',
    '\ta',
    '|',
    '!x',
    '&a',
    '*a',
    '%',
    '`',
    '"',
    "'",
    '\u2028',
    '\r\n',
  ];
  const text = fc.oneof(
    fc.constantFrom(...hostile),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom(...'0123456789+-._:xobeEnyNY \n#') }),
  );
  fc.assert(
    fc.property(text, fc.string({ unit: 'grapheme-ascii' }), (value, key) => {
      const written = stringifyYaml({ [key]: value, list: [value] });
      for (const version of ['go', 'kubernetes', 'core'] as const) {
        const { documents, failures } = parseYaml({ path: 'x.yaml', text: written }, { version });
        expect(failures).toEqual([]);
        expect(documents[0]?.value).toEqual({ [key]: value, list: [value] });
      }
    }),
    { numRuns: 300 },
  );
});

test('JSON values survive YAML', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
      const clean = JSON.parse(JSON.stringify(value), (_, part) => (Number.isInteger(part) && !Number.isSafeInteger(part) ? 0.5 : part));
      const [document] = parseYaml({ path: 'x.yaml', text: stringifyYaml({ clean }) }).documents;
      expect(document?.value).toEqual({ clean });
    }),
    { numRuns: 200 },
  );
});

test('both YAML readers of ours agree on whole documents: random ones, and every file of the reference cluster', () => {
  const agree = (text: string) => {
    for (const version of ['go', 'kubernetes', 'core'] as const) {
      const { documents, failures } = parseYaml({ path: 'x.yaml', text }, { version });
      expect(failures).toEqual([]);
      const filled = documents.map(({ value }) => value).filter((value) => value !== null);
      expect(parseYamlBulk(text, { version })).toEqual(filled);
    }
  };
  const files = ['kubernetes', 'talos'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml') && !entry.parentPath.includes('clusterconfig'))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) agree(readFileSync(file, 'utf8'));
  const safe = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, part) => (Number.isInteger(part) && !Number.isSafeInteger(part) ? 0.5 : part));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 4 }), { minKeys: 1 }), (value) =>
      agree(stringifyYaml(safe(value))),
    ),
    { numRuns: 150 },
  );
});
