import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createEngine,
  createNunjucksEngine,
  evaluateTemplate,
  Float,
  makejinjaPlugin,
  readTemplateData,
} from '../../../lib/render/index.ts';

const file = (text: string) => ({ path: 't', text });

test('a template cannot reach anything but its data', () => {
  const engine = createEngine({ dialect: 'jinja', globals: { f: () => 1 } });
  const tries = [
    "{{ ''.constructor }}",
    "{{ ''['constructor'] }}",
    '{{ [].constructor.constructor("return process")() }}',
    '{{ {}.__proto__ }}{{ d.__proto__ }}{{ d.hasOwnProperty }}{{ d.toString }}',
    '{{ f.constructor }}{{ f.call }}{{ f.__class__ }}',
    '{{ range.constructor }}{{ namespace(__proto__=1).polluted }}',
    "{{ ''|attr('constructor') }}{{ [1]|map(attribute='constructor')|list }}",
    '{% set ns = namespace() %}{% set ns.constructor = 1 %}{{ ns.constructor }}',
  ];
  expect(
    tries
      .map((text) => engine.render(file(text), { d: {} }))
      .map((result) => (result.state === 'rendered' ? result.text : result.failures[0].code)),
  ).toEqual(['', '', 'render/undefined', '', '', '', '[Undefined]', '1']);
});

test('templates that would not end are stopped', () => {
  const engine = createEngine({
    dialect: 'jinja',
    loader: (name) => file(`{% include '${name}' %}`),
    limits: { steps: 100_000, size: 1_000_000 },
  });
  const tries = [
    '{% for i in range(10**12) %}x{% endfor %}',
    "{% include 'a' %}",
    '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
    '{{ "x" * 10**12 }}',
    '{{ 9 ** (9 ** 9) }}',
    '{% for i in range(10000) %}{{ "x" * 10000 }}{% endfor %}',
    `{{ ${'('.repeat(20_000)} }}`,
  ];
  expect(
    tries
      .map((text) => engine.render(file(text), {}))
      .map((result) => (result.state === 'failed' ? (result.failures[0].facts['limit'] ?? result.failures[0].code) : 'rendered')),
  ).toEqual(['steps', 'depth', 'depth', 'size', 'size', 'size', 'render/syntax']);
});

test('functions and filters of a plugin get plain values and named arguments', () => {
  const engine = createEngine({
    dialect: 'makejinja',
    ...makejinjaPlugin({
      environment: { HOME: '/home/me' },
      ageKey: { public: 'age1x', private: 'AGE-SECRET-KEY-1X' },
      cloudflareTunnel: { AccountTag: 'A', TunnelID: 'T', TunnelSecret: 'S' },
      talosPatches: { global: ['a.yaml.j2'] },
      nthHost: (cidr, n) => (n > 5 ? false : `${cidr}+${n}`),
    }),
    tests: { small: ([value], { than = 10 }) => Number(value) < Number(than) },
  });
  const text =
    "#{ age_key('public') }# #{ cloudflare_tunnel_secret() }# #{ talos_patches('global') | map('basename') | list }# #{ 'n' | nthhost(2) }# #{ 'n' | nthhost(9) }# #{ env.HOME }# #{ 5 is small(than=3) }#";
  expect(engine.render(file(text), {})).toEqual({
    state: 'rendered',
    text: "age1x eyJhIjoiQSIsInQiOiJUIiwicyI6IlMifQ== ['a.yaml'] n+2 False /home/me False",
  });
});

test('data keep integers, floats and the order of keys apart as Python does', () => {
  const read = readTemplateData({ path: 'd.json', text: '{"i": 1, "f": 1.0, "big": 12345678901234567890, "d": {"b": 1, "2": 2, "a": 3}}' });
  if (read.state === 'failed') throw new Error('data');
  const engine = createEngine({ dialect: 'jinja' });
  expect(engine.render(file('{{ i }} {{ f }} {{ big + 1 }} {{ d }}'), read.data)).toEqual({
    state: 'rendered',
    text: "1 1.0 12345678901234567891 {'b': 1, '2': 2, 'a': 3}",
  });
  expect(engine.render(file('{{ x }} {{ y }}'), { x: new Float(2), y: 2 })).toEqual({ state: 'rendered', text: '2.0 2' });
});

test('data that are no JSON object say where they stop being one', () => {
  const details = ['[1]', '{"a": 1,}', '{"a": }', '{\n "a": tru\n}']
    .map((text) => readTemplateData({ path: 'd', text }))
    .map((read) => read.state === 'failed' && read.failures[0].facts['detail']);
  expect(details).toEqual([
    'not a JSON object',
    'not JSON at line 1 column 9',
    'not JSON at line 1 column 7',
    'not JSON at line 2 column 7',
  ]);
});

test('one template comes out as its own program prints it', () => {
  const data = { path: 'd.json', text: '{"a": [1, 2.0, null]}' };
  const run = (dialect: 'makejinja' | 'minijinja', text: string, strict = false) =>
    evaluateTemplate({ dialect, strict, template: file(text), data });
  expect(run('makejinja', '#| c #|#{ a }#\n')).toEqual({ state: 'rendered', text: '[1, 2.0, None]\n' });
  expect(run('minijinja', '{{ a }}\n')).toEqual({ state: 'rendered', text: '[1, 2.0, None]\n' });
  expect([run('makejinja', '#{ b }#').state, run('makejinja', '#{ b }#', true).state, run('minijinja', '{{ b }}', true).state]).toEqual([
    'rendered',
    'failed',
    'failed',
  ]);
});

test('nunjucks templates stay nunjucks, and reach own members only', async () => {
  const engine = await createNunjucksEngine({ loader: (name) => (name === 'inc' ? file('inc {{ a }}') : undefined) });
  expect(engine.render(file('{{ a }} {% include "inc" %} {{ "x,y".split(",").length }}'), { a: 1 })).toEqual({
    state: 'rendered',
    text: '1 inc 1 2',
  });
  const escape = engine.render(file('{{ "".constructor.constructor("return 1")() }}'), {});
  expect(escape.state).toBe('failed');
  expect(engine.render(file('a\n{% if %}'), {})).toMatchObject({
    state: 'failed',
    failures: [{ code: 'render/syntax', where: { line: 2 } }],
  });
});

const pieces = [
  '{{',
  '}}',
  '{%',
  '%}',
  '{#',
  '#}',
  ' if ',
  ' for x in l',
  ' else',
  'endif',
  'endfor',
  'set ',
  'a',
  '.b',
  '[0]',
  '|',
  'upper',
  '(',
  ')',
  ',',
  '"',
  "'",
  '1',
  '+',
  '-',
  '~',
  ' is ',
  'defined',
  ' not ',
  ' in ',
  '\n',
  ' ',
  'macro m()',
  'endmacro',
  'raw',
  'endraw',
  '{',
  '}',
  '**',
  '//',
  '%',
  '=',
  '==',
  'block x',
  'endblock',
  'with',
  'call',
  'filter',
  'include "x"',
  'loop',
  '\\',
  'é',
];

test('no text makes either dialect throw or hang', () => {
  const engines = (['jinja', 'minijinja'] as const).map((dialect) =>
    createEngine({ dialect, extensions: ['do', 'loopcontrols'], limits: { steps: 20_000, size: 100_000 } }),
  );
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (parts) => {
      for (const engine of engines)
        expect(['rendered', 'failed']).toContain(engine.render(file(parts.join('')), { a: { b: [1, 'x'] }, l: [1, 2] }).state);
    }),
    { numRuns: 1500 },
  );
});
