import { runInThisContext } from 'node:vm';
import { expect, test } from 'vitest';

const { lateChunks } = (await import(new URL('../../../../lib/cli/build/late-chunks.js', import.meta.url).href)) as {
  lateChunks: { generateBundle(options: object, files: Record<string, { type: string; code: string }>): void };
};

const getter = (name: string, value = name) =>
  `Object.defineProperty(exports, "${name}", {\n\tenumerable: true,\n\tget: function() {\n\t\treturn ${value};\n\t}\n});\n`;

/** Runs a file as load.js does. `loaded` grows with each file that it asks for. */
function run(lines: readonly string[]) {
  const file = { type: 'chunk', code: `(function (exports, require, module) {\n${lines.join('\n')}\n})` };
  lateChunks.generateBundle({}, { file });
  const loaded: string[] = [];
  const module = { exports: {} as Record<string, unknown> };
  const require = (path: string) => {
    loaded.push(path);
    return { __exportAll: () => 'helpers', Base: class {}, twice: (value: number) => value * 2, words: path };
  };
  const script = runInThisContext(file.code) as (...given: readonly unknown[]) => void;
  script(module.exports, require, module);
  const call = (name: string) => (module.exports[name] as (value?: number) => unknown)(4);
  return { exports: module.exports, call, loaded };
}

test('another file is loaded when something of it is asked for, and once', () => {
  const { call, loaded } = run([
    'const require_rolldown_runtime = require("./rolldown-runtime.cjs");',
    'const require_math = require("./math.cjs");',
    'const require_math$1 = require("../math.cjs");',
    'require("./unused.cjs");',
    'let node_path = require("node:path");',
    'const helpers = require_rolldown_runtime.__exportAll({});',
    'const four = () => [...[2].map(require_math.twice), ...require_math$1.words, other.require_math];',
    'const other = { require_math: 1 };',
    getter('four'),
  ]);
  expect(loaded).toEqual(['./rolldown-runtime.cjs', 'node:path']);
  expect(call('four')).toEqual([4, ...'../math.cjs', 1]);
  call('four');
  expect(loaded).toEqual(['./rolldown-runtime.cjs', 'node:path', './math.cjs', '../math.cjs']);
});

test('exports have the values of their variables, of those that change the present one, and what another file has when it is asked for', () => {
  const { exports, call, loaded } = run([
    'const require_math = require("./math.cjs");',
    'const a = 1;',
    'var b = 2;',
    'var kind;',
    '(function(kind) { kind["x"] = "x"; })(kind || (kind = {}));',
    'let count = 0;',
    'function add() { count += 1; }',
    'async function later() {}',
    'class Thing {}',
    'exports.a = a;',
    'exports.thing = Thing;',
    'exports.words = require_math.words;',
    getter('b'),
    getter('add'),
    getter('later'),
    getter('count'),
    getter('kind'),
    getter('twice', 'require_math.twice'),
  ]);
  expect(loaded).toEqual([]);
  expect(Object.keys(exports)).toEqual(['b', 'add', 'later', 'count', 'kind', 'twice', 'a', 'thing', 'words']);
  expect([exports['a'], exports['b'], exports['kind'], String(exports['thing'])]).toEqual([1, 2, { x: 'x' }, 'class Thing {}']);
  call('add');
  call('add');
  expect(exports['count']).toBe(2);
  expect(loaded).toEqual([]);
  expect([call('twice'), exports['words'], loaded]).toEqual([8, './math.cjs', ['./math.cjs']]);
});
