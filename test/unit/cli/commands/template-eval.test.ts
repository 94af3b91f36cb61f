import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../rig/process.ts';
import { inFolder } from './in-folder.ts';

const evaluate = (folder: string, dialect: string, template: string, ...more: string[]) =>
  inFolder(folder, ['template:eval', '--dialect', dialect, '--template', template, '--data', 'data.json', ...more]);
const data = JSON.stringify({ user: 'ada', n: 1.0, items: [1, 2] });

test('each dialect prints what its own program would, newline included or not', async () => {
  using folder = temporaryFolder({
    'data.json': '{"user": "ada", "n": 1.0}',
    'make.j2': '#% if user %#\nhi #{ user }# #{ n }#\n#% endif %#\n',
    'jinja.j2': '{% if user %}\nhi {{ user }} {{ n }}\n{% endif %}\n',
  });
  const texts = [];
  for (const [dialect, template] of [
    ['makejinja', 'make.j2'],
    ['minijinja', 'jinja.j2'],
    ['jinja', 'jinja.j2'],
    ['nunjucks', 'jinja.j2'],
  ] as const)
    texts.push([dialect, (await evaluate(folder.path, dialect, template)).stdout]);
  expect(texts).toEqual([
    ['makejinja', 'hi ada 1.0\n'],
    ['minijinja', 'hi ada 1.0\n\n'],
    ['jinja', '\nhi ada 1.0\n'],
    ['nunjucks', 'hi ada 1\n'],
  ]);
});

test('templates beside the template can be included, also from each other', async () => {
  using folder = temporaryFolder({
    'data.json': data,
    't/main.j2': '{% include "part.j2" %}|{% include "nowhere.j2" ignore missing %}',
    't/part.j2': '{% import "deep/macros.j2" as m %}{{ m.twice(user) }}',
    't/deep/macros.j2': '{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}',
  });
  expect(await evaluate(folder.path, 'jinja', 't/main.j2')).toEqual({ exitCode: 0, stdout: 'adaada|', notes: [], failures: [] });
});

test('nothing outside of the folder of the template is read, neither by dots nor through a link', async () => {
  using folder = temporaryFolder({
    'data.json': data,
    'secret.txt': 'secret',
    't/dots.j2': '{% include "../secret.txt" %}',
    't/root.j2': '{% include "/etc/hostname" %}',
    't/link.j2': '{% include "link.txt" %}',
  });
  symlinkSync(join(folder.path, 'secret.txt'), join(folder.path, 't/link.txt'));
  for (const template of ['t/dots.j2', 't/root.j2', 't/link.j2'])
    expect(await evaluate(folder.path, 'jinja', template)).toMatchObject({ stdout: '', failures: ['render/template-not-found'] });
});

test('a missing name prints nothing, or is refused with --strict', async () => {
  using folder = temporaryFolder({ 'data.json': data, 'a.j2': 'a{{ nobody }}b' });
  expect((await evaluate(folder.path, 'minijinja', 'a.j2')).stdout).toBe('ab\n');
  for (const dialect of ['minijinja', 'jinja'])
    expect(await evaluate(folder.path, dialect, 'a.j2', '--strict')).toMatchObject({ stdout: '', failures: ['render/undefined'] });
});

test('wrong words and broken inputs have their own codes', async () => {
  using folder = temporaryFolder({ 'data.json': '[]', 'a.j2': 'a', 'b.j2': '{{' });
  expect((await evaluate(folder.path, 'mustache', 'a.j2')).failures).toEqual(['usage/bad-value']);
  expect((await evaluate(folder.path, 'jinja', 'none.j2')).failures).toEqual(['usage/file-missing']);
  expect((await evaluate(folder.path, 'jinja', 'a.j2')).failures).toEqual(['render/data']);
  expect((await evaluate(folder.path, 'nunjucks', 'a.j2')).failures).toEqual(['render/data']);
  expect((await inFolder(folder.path, ['template:eval', '--dialect', 'jinja'])).failures).toEqual(['usage/missing-argument']);
});

// The texts are what minijinja-cli 3.0.5 prints with the same files.
test.for<readonly [string, string, Readonly<Record<string, string>>, string]>([
  ['its defaults', 'autoescape = "none"\n', {}, 'a: x: <y>\n  \nb: \n  \np X: <Y>\n'],
  [
    'as most repositories have it',
    'autoescape = "none"\nnewline = true\ntrim-blocks = true\nlstrip-blocks = true\nenv = true\n',
    {},
    'a: x: <y>\nb: v1.14.1\np X: <Y>\n',
  ],
  [
    'without a last newline, escaped',
    'autoescape = "html"\nnewline = false\nunknown = 1\n',
    {},
    'a: x: &lt;y&gt;\n  \nb: \n  \np X: &lt;Y&gt;',
  ],
  ['values of its own', 'autoescape = "none"\ntrim-blocks = true\n[defines]\nuser = "z"\n', {}, 'a: z\n  b: \n  p Z\n'],
  [
    'a syntax of its own',
    'autoescape = "none"\n[syntax]\nvariable-start = "#{"\nvariable-end = "}#"\n',
    { 't.yaml.j2': '#{ user }# {{ user }}{% if true %}!{% endif %}\n' },
    'x: <y> {{ user }}!\n',
  ],
])('a .minijinja.toml is gone by: %s', async ([, settings, more, text]) => {
  using folder = temporaryFolder({
    '.minijinja.toml': settings,
    'data.json': '{"user": "x: <y>"}',
    't.yaml.j2': 'a: {{ user }}\n  {% if true %}\nb: {{ ENV is defined and ENV.TALOS_VERSION or "" }}\n  {% endif %}\n{% include "p.j2" %}',
    'p.j2': 'p {{ user|upper }}',
    ...more,
  });
  const words = ['template:eval', '--dialect', 'minijinja', '--template', 't.yaml.j2', '--data', 'data.json'];
  const run = await inFolder(folder.path, words, { env: { TALOS_VERSION: 'v1.14.1' } });
  expect(run).toEqual({ exitCode: 0, stdout: text, notes: [], failures: [] });
  // Other programs do not read it.
  expect((await evaluate(folder.path, 'jinja', 'p.j2')).stdout).toBe('p X: <Y>');
});

test('what a .minijinja.toml asks for and cannot have is told', async () => {
  for (const [settings, template] of [
    ['trim-blocks = "yes"', 't.txt'],
    ['autoescape = "xml"', 't.txt'],
    ['autoescape = "json"', 't.txt'],
    ['', 't.yaml.j2'],
    ['[syntax]\nline-statement-prefix = "#"', 't.txt'],
  ] as const) {
    using folder = temporaryFolder({ '.minijinja.toml': settings, 'data.json': data, [template]: '' });
    expect((await evaluate(folder.path, 'minijinja', template)).failures, settings).toEqual(['render/setting']);
  }
});
