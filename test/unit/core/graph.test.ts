import { expect, test } from 'vitest';
import { z } from 'zod';
import { TkError } from '../../../lib/base/index.ts';
import { buildGraph } from '../../../lib/core/graph.ts';
import {
  askForMissing,
  createRegistry,
  forEach,
  inSequence,
  parseParams,
  paramShapesOf,
  type Task,
  type TaskCall,
  type TextQuestion,
} from '../../../lib/core/index.ts';
import { defineTask, noPrompter, rig } from './rig.ts';

const failuresOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof TkError) return error.failures.map(({ code, facts }) => ({ code, facts }));
    throw error;
  }
  return [];
};

function registryOf(tasks: Readonly<Record<string, Task>>) {
  const registry = createRegistry();
  for (const [name, task] of Object.entries(tasks)) registry.register(name, task);
  return registry;
}

test('a cycle is a failure that names its path', () => {
  const calls: { first?: () => TaskCall } = {};
  const first = defineTask({
    summary: 'First',
    params: z.object({ n: z.number() }),
    needs: () => ({ second: second() }),
    effect: 'read',
    run() {},
  }) as Task & ((params: object) => TaskCall);
  const second: Task & (() => TaskCall) = defineTask({
    summary: 'Second',
    needs: () => ({ first: first({ n: 1 }) }),
    effect: 'read',
    run() {},
  });
  calls.first = () => first({ n: 1 });
  expect(failuresOf(() => buildGraph([first({ n: 1 })], registryOf({ first, second }), {}))).toEqual([
    { code: 'graph/cycle', facts: { path: ['first n=1', 'second', 'first n=1'] } },
  ]);
});

test('two sequences that contradict each other are a cycle', () => {
  const a = defineTask({ summary: 'A', effect: 'read', run() {} });
  const b = defineTask({ summary: 'B', effect: 'read', run() {} });
  const both = defineTask({
    summary: 'Both',
    needs: { one: inSequence([a(), b()]), other: inSequence([b(), a()]) },
    effect: 'read',
    run() {},
  });
  expect(failuresOf(() => buildGraph([both()], registryOf({ a, b, both }), {}))).toEqual([
    { code: 'graph/cycle', facts: { path: ['a', 'b', 'a'] } },
  ]);
});

test('every wrong call is told at once', () => {
  const strict = defineTask({ summary: 'Strict', params: z.object({ level: z.number().describe('how loud') }), effect: 'read', run() {} });
  const hidden = defineTask({ summary: 'Never registered', effect: 'read', run() {} });
  const wrong = (params: object): TaskCall => ({ kind: 'call', task: strict, params });
  const throwing = defineTask({
    summary: 'Throwing',
    needs: () => {
      throw new Error('no such node');
    },
    effect: 'read',
    run() {},
  });
  const top = defineTask({
    summary: 'Top',
    needs: [wrong({ level: 'x' }), wrong({}), wrong({ level: Number.NaN }), hidden(), throwing()],
    effect: 'read',
    run() {},
  });
  expect(failuresOf(() => buildGraph([top()], registryOf({ strict, throwing, top }), {}))).toEqual([
    { code: 'params/invalid', facts: { task: 'strict', param: 'level', problem: 'Invalid input: expected number, received string' } },
    { code: 'params/missing', facts: { task: 'strict', param: 'level', description: 'how loud' } },
    { code: 'params/invalid', facts: { task: 'strict', param: 'level', problem: 'Invalid input: expected number, received NaN' } },
    { code: 'graph/unregistered-task', facts: { summary: 'Never registered', neededBy: 'top' } },
    { code: 'graph/needs-failed', facts: { task: 'throwing', message: 'no such node' } },
  ]);
});

test('a task that shadows another takes its place wherever the other is needed', async () => {
  const original = defineTask({ summary: 'Original', effect: 'read', run: () => 'original' });
  const copy = defineTask({ summary: 'Copy', effect: 'read', run: () => 'copy' });
  const user = defineTask({ summary: 'User', needs: { it: original() }, effect: 'read', run: ({ needs }) => needs.it });
  const world = rig({ original, user });
  world.registry.register('original', copy, { shadow: true });
  expect((await world.run(user())).values).toEqual(['copy']);
  expect(failuresOf(() => world.registry.register('user', user))).toEqual([{ code: 'task/duplicate', facts: { task: 'user' } }]);
  expect(failuresOf(() => world.registry.get('orginal'))).toEqual([
    { code: 'task/unknown', facts: { task: 'orginal', suggestion: 'original' } },
  ]);
});

test('rows are in the order of work; members of lists stand under the task that lists them', () => {
  const one = defineTask({ summary: 'One', params: z.object({ node: z.string() }), effect: 'mutate', run() {} });
  const all = defineTask({ summary: 'All', needs: forEach(['a', 'b'], (node) => one({ node })), effect: 'mutate', run() {} });
  const top = defineTask({ summary: 'Top', needs: { all: all() }, effect: 'read', run() {} });
  expect(rig({ one, all, top }).engine.rows([top()])).toEqual([
    { task: 'one{"node":"a"}', name: 'one', title: 'one node=a', summary: 'One', effect: 'mutate', after: [], parent: 'all' },
    { task: 'one{"node":"b"}', name: 'one', title: 'one node=b', summary: 'One', effect: 'mutate', after: [], parent: 'all' },
    { task: 'all', name: 'all', title: 'all', summary: 'All', effect: 'mutate', after: ['one{"node":"a"}', 'one{"node":"b"}'] },
    { task: 'top', name: 'top', title: 'top', summary: 'Top', effect: 'read', after: ['all'] },
  ]);
});

const many = defineTask({
  summary: 'Many',
  params: z.object({
    node: z
      .string()
      .describe('which machine')
      .meta({ aliases: ['ip', 'hostname'] }),
    talosVersion: z.string().optional(),
    keep: z.coerce.number().int().min(1).default(7),
    force: z.boolean().default(false),
    nodes: z.array(z.string()).default([]),
    ports: z.array(z.number()).optional(),
    mode: z.enum(['auto', 'try']).default('auto'),
    size: z.union([z.number(), z.literal('all')]).optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  positional: ['node'],
  effect: 'read',
  run() {},
});

test('words become params by the schema, whatever their spelling', () => {
  const parsed = parseParams('many', many, [
    ['HOSTNAME', 'cp-1'],
    ['talos-version', 'v1'],
    ['keep', '3'],
    ['force', 'yes'],
    ['NODES', ['a,b', 'c']],
    ['ports', '80, 443'],
    ['mode', 'try'],
    ['size', '12'],
    ['labels', '{"a":"b"}'],
  ]);
  expect(parsed).toEqual({
    ok: true,
    value: {
      node: 'cp-1',
      talosVersion: 'v1',
      keep: 3,
      force: true,
      nodes: ['a', 'b', 'c'],
      ports: [80, 443],
      mode: 'try',
      size: 12,
      labels: { a: 'b' },
    },
  });
});

test('every wrong word is told at once, with what was probably meant', () => {
  const parsed = parseParams('many', many, [
    ['talos-verzion', 'v1'],
    ['keep', 'lots'],
    ['force', 'maybe'],
    ['mode', 'quick'],
    ['ports', '80,http'],
  ]);
  expect(
    parsed.ok
      ? []
      : parsed.failures.map(({ code, facts }) => [code, facts['param'], facts['suggestion'] ?? facts['problem'] ?? facts['description']]),
  ).toEqual([
    ['params/unknown', 'talos-verzion', 'talos-version'],
    ['params/missing', 'node', 'which machine'],
    ['params/invalid', 'keep', 'Invalid input: expected number, received NaN'],
    ['params/invalid', 'force', 'Invalid input: expected boolean, received string'],
    ['params/invalid', 'ports.1', 'Invalid input: expected number, received string'],
    ['params/invalid', 'mode', 'Invalid option: expected one of "auto"|"try"'],
  ]);
});

test('shapes tell the command line everything about params', () => {
  expect(paramShapesOf(many)).toEqual([
    { name: 'node', key: 'node', kind: 'value', required: true, aliases: ['ip', 'hostname'], position: 0, description: 'which machine' },
    { name: 'talos-version', key: 'talosVersion', kind: 'value', required: false, aliases: [] },
    { name: 'keep', key: 'keep', kind: 'value', required: false, aliases: [], default: '7' },
    { name: 'force', key: 'force', kind: 'boolean', required: false, aliases: [], default: 'false' },
    { name: 'nodes', key: 'nodes', kind: 'list', required: false, aliases: [], default: '' },
    { name: 'ports', key: 'ports', kind: 'list', required: false, aliases: [] },
    { name: 'mode', key: 'mode', kind: 'value', required: false, aliases: [], default: 'auto', choices: ['auto', 'try'] },
    { name: 'size', key: 'size', kind: 'value', required: false, aliases: [] },
    { name: 'labels', key: 'labels', kind: 'value', required: false, aliases: [] },
  ]);
});

test('a plan asks the probes, decides purely, and writes nothing', async () => {
  const asked: string[] = [];
  const one = defineTask({
    summary: 'Upgrade one',
    params: z.object({ node: z.string() }),
    effect: 'mutate',
    async probe({ params, mode, site }) {
      asked.push(`${mode} ${params.node} ${site}`);
      if (params.node === 'c') throw new TkError({ code: 'net/unreachable', facts: {} });
      return params.node === 'a' ? 'new' : 'old';
    },
    plan({ params }, version) {
      if (version === undefined) return [{ decision: 'unknown', title: 'upgrade', node: params.node, reason: 'not asked' }];
      if (version === 'new') return [{ decision: 'skip', title: 'upgrade', node: params.node, reason: 'already new' }];
      return [{ decision: 'run', title: 'upgrade', node: params.node, calls: [{ target: params.node, call: 'Upgrade' }] }];
    },
    run() {},
  });
  const all = defineTask({ summary: 'Upgrade all', needs: forEach(['a', 'b', 'c'], (node) => one({ node })), effect: 'mutate', run() {} });
  const world = rig({ one, all });
  const signal = new AbortController().signal;
  const plan = await world.engine.plan([all()], { mode: 'plan', offline: false, signal });
  expect(plan.counts).toEqual({ run: 2, skip: 1, unknown: 1, calls: 1 });
  expect(plan.tasks.map((task) => [task.title, task.steps.map((step) => `${step.decision} ${step.title}`), task.failure?.code])).toEqual([
    ['one node=a', ['skip upgrade'], undefined],
    ['one node=b', ['run upgrade'], undefined],
    ['one node=c', ['unknown Upgrade one'], 'net/unreachable'],
    ['all', ['run Upgrade all'], undefined],
  ]);
  expect(asked).toEqual(['plan a here', 'plan b here', 'plan c here']);
  const offline = await world.engine.plan([all()], { mode: 'plan', offline: true, signal });
  expect(offline.counts).toEqual({ run: 1, skip: 0, unknown: 3, calls: 0 });
  expect(asked).toHaveLength(3);
  expect({ files: world.files.disk.size, operations: world.files.operations, events: world.events.length }).toEqual({
    files: 0,
    operations: 0,
    events: 0,
  });
});

test('what is missing is asked for, and an answer has to fit', async () => {
  const task = defineTask({
    summary: 'Move',
    params: z.object({
      node: z.string().describe('which machine'),
      count: z.number().int(),
      mode: z.enum(['fast', 'slow']),
      note: z.string().optional(),
    }),
    effect: 'write',
    run() {},
  });
  const asked: unknown[] = [];
  const prompter = {
    ...noPrompter,
    async text({ validate, ...question }: TextQuestion) {
      asked.push(question, validate?.('many'));
      return question.name === 'count' ? '3' : 'cp-1';
    },
    async select(question: unknown) {
      asked.push(question);
      return 'slow';
    },
  };
  expect(await askForMissing('move', task, [['note', 'x']], { prompter, answers: () => undefined, scope: {} })).toEqual({
    node: 'cp-1',
    count: 3,
    mode: 'slow',
    note: 'x',
  });
  expect(asked).toEqual([
    { name: 'node', message: 'which machine' },
    undefined,
    { name: 'count', message: 'count' },
    'Invalid input: expected number, received string',
    { name: 'mode', message: 'mode', choices: [{ value: 'fast' }, { value: 'slow' }] },
  ]);
  await expect(askForMissing('move', task, [['nod', 'x']], { prompter, answers: () => undefined, scope: {} })).rejects.toMatchObject({
    failure: { code: 'params/unknown' },
  });
  expect(asked).toHaveLength(5);
});
