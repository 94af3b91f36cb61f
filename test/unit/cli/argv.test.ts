import { expect, test } from 'vitest';
import { TkError } from '../../../lib/base/index.ts';
import { type ArgumentShape, findCommand, parseArguments, shellLine, splitGlobalFlags } from '../../../lib/cli/argv.ts';
import { parseParams } from '../../../lib/core/index.ts';
import patch from '../../../tasks/talos/patch.ts';

const names = new Set(['talos:upgrade-node', 'talos:apply', 'machineconfig', 'machineconfig:gen', 'bootstrap', 'bootstrap:crds']);
const failure = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof TkError) return { code: error.failure.code, ...error.failure.facts };
    throw error;
  }
  throw new Error('nothing was thrown');
};

test('a task is named with colons or with spaces, and the longest name wins', () => {
  expect(findCommand(['talos:upgrade-node', 'IP=1.2.3.4'], names)).toEqual({ name: 'talos:upgrade-node', rest: ['IP=1.2.3.4'] });
  expect(findCommand(['talos', 'upgrade-node', '--ip', 'x'], names)).toEqual({ name: 'talos:upgrade-node', rest: ['--ip', 'x'] });
  expect(findCommand(['machineconfig', 'gen', 'more'], names)).toEqual({ name: 'machineconfig:gen', rest: ['more'] });
  expect(findCommand(['bootstrap'], names)).toEqual({ name: 'bootstrap', rest: [] });
});

test('an unknown command suggests the near one', () => {
  expect(failure(() => findCommand(['talos:upgrde-node'], names))).toEqual({
    code: 'usage/unknown-command',
    word: 'talos:upgrde-node',
    suggestion: 'talos:upgrade-node',
  });
  expect(failure(() => findCommand(['crds'], names))).toEqual({
    code: 'usage/unknown-command',
    word: 'crds',
    suggestion: 'bootstrap:crds',
  });
});

test('global flags stand anywhere, and what follows -- is left alone', () => {
  const { flags, words } = splitGlobalFlags(['bootstrap', '--sim', '-C', '/repo', '--output=json', 'IP=1', '--', '--plan']);
  expect(flags).toMatchObject({ sim: true, directory: '/repo', output: 'json', plan: false });
  expect(words).toEqual(['bootstrap', 'IP=1', '--', '--plan']);
  expect(failure(() => splitGlobalFlags(['-C']))).toEqual({ code: 'usage/missing-value', flag: '-C' });
  expect(failure(() => splitGlobalFlags(['--output', 'xml']))).toMatchObject({ code: 'usage/bad-value', value: 'xml' });
  expect(failure(() => splitGlobalFlags(['--offline']))).toMatchObject({ code: 'usage/flags-exclude' });
});

const shape: ArgumentShape[] = [
  { name: 'ip', kind: 'value' },
  { name: 'stage', kind: 'boolean' },
  { name: 'patch', kind: 'list' },
  { name: 'file', kind: 'value', position: 0, required: true },
];

test('parameters are read as KEY=value, --key value, --key=value, flags and positions', () => {
  const values = parseArguments('t', ['IP=10.0.0.1', '--stage', 'a.yaml', '--patch', 'x', '--patch=@y'], shape);
  expect(Object.fromEntries(values)).toEqual({ ip: ['10.0.0.1'], stage: ['true'], file: ['a.yaml'], patch: ['x', '@y'] });
  expect(Object.fromEntries(parseArguments('t', ['--no-stage', '--', '-odd-name'], shape))).toEqual({
    stage: ['false'],
    file: ['-odd-name'],
  });
});

test('a wrong parameter is named with the near one', () => {
  expect(failure(() => parseArguments('t', ['IPP=1', 'f'], shape))).toEqual({
    code: 'usage/unknown-flag',
    flag: 'IPP',
    command: 't',
    suggestion: 'IP',
  });
  expect(failure(() => parseArguments('t', ['--stag', 'f'], shape))).toMatchObject({ suggestion: '--stage' });
  expect(failure(() => parseArguments('t', ['a', 'b'], shape))).toMatchObject({ code: 'usage/unexpected-argument', argument: 'b' });
  expect(failure(() => parseArguments('t', ['--ip'], shape))).toMatchObject({ code: 'usage/missing-value', flag: '--ip' });
  expect(failure(() => parseArguments('t', [], shape))).toEqual({ code: 'usage/missing-argument', command: 't', argument: 'FILE' });
});

test('a patch keeps its commas, and a line that is recommended can be typed into a shell', () => {
  const patches = ['[{"op":"add","path":"/a","value":{"b":1}}]', "machine: { type: worker, token: 'x' }"];
  const parsed = parseParams(
    'talos:patch',
    patch,
    parseArguments('talos:patch', ['--patch', patches[0] ?? '', `PATCH=${patches[1]}`], [{ name: 'patch', kind: 'list' }]),
  );
  expect(parsed.ok && parsed.value).toMatchObject({ patch: patches });
  expect(shellLine(['talos:patch', patches[1] ?? '', 'NODE=cp-1', '--try-for=5m'])).toBe(
    `talos:patch 'machine: { type: worker, token: '\\''x'\\'' }' NODE=cp-1 --try-for=5m`,
  );
});
