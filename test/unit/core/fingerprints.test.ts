import { expect, test } from 'vitest';
import { z } from 'zod';
import { type Json, Secret } from '../../../lib/base/index.ts';
import { findFiles, parseFilePattern } from '../../../lib/core/file-patterns.ts';
import type { Task, TaskCall } from '../../../lib/core/index.ts';
import { defineTask, MemoryFiles, rig } from './rig.ts';

/** A repository with one task that makes `out/schema.json` from `in/`, and one that needs it. */
interface Given {
  readonly result?: unknown;
  readonly act?: (files: MemoryFiles) => Promise<unknown>;
}

function repository(given: Given = {}) {
  const files = new MemoryFiles();
  const put = (path: string, text: string) => files.write(`/repo/${path}`, text);
  const ran: string[] = [];
  const make = defineTask({
    summary: 'Make the schema',
    params: z.object({ draft: z.string().default('7') }),
    effect: 'write',
    inputs: ({ draft }) => ['in/**/*.yaml', '!in/**/*.draft.yaml', `drafts/${draft}`],
    outputs: ['out'],
    async run({ params }) {
      ran.push(`make ${params.draft}`);
      await (given.act ?? (() => put('out/schema.json', '{}')))(files);
      return ('result' in given ? given.result : { path: 'out/schema.json' }) as Json;
    },
  });
  const use = defineTask({
    summary: 'Use the schema',
    needs: { made: make() },
    effect: 'read',
    inputs: [],
    run({ needs }) {
      ran.push(`use ${JSON.stringify(needs.made)}`);
    },
  });
  let runs = 0;
  const at = (source = 'v1', tasks: Readonly<Record<string, Task>> = { make, use }) => {
    const made = rig({}, { files, firstRandom: (runs += 20) });
    for (const [name, task] of Object.entries(tasks)) made.registry.register(name, task, { source });
    return made;
  };
  /** Runs once more, and tells which bodies ran. */
  const again = async (goal: TaskCall = use(), options: { readonly fresh?: boolean; readonly source?: string } = {}) => {
    ran.length = 0;
    const result = await at(options.source).run(goal, options);
    return { ran: [...ran], exitCode: result.exitCode, skipped: result.counts.tasks.skipped };
  };
  const plan = async (goal: TaskCall = use()) => {
    const planned = await at().engine.plan([goal], { mode: 'plan', offline: true, signal: new AbortController().signal });
    return planned.tasks.flatMap(({ title, steps }) =>
      steps.map((step) => `${title}: ${step.decision}${'reason' in step ? `, ${step.reason?.replace(/run 0\S+/, 'run …')}` : ''}`),
    );
  };
  return { files, put, again, plan, make, use, at };
}

const both = { ran: ['make 7', 'use {"path":"out/schema.json"}'], exitCode: 0, skipped: 0 };
const none = { ran: [], exitCode: 0, skipped: 2 };

test('a task whose inputs and outputs are unchanged is left out, in the plan and in the run, and its result is read all the same', async () => {
  const { put, again, plan, make, at } = repository();
  await put('in/a.yaml', 'a');
  expect(await plan()).toEqual(['make: run, no earlier run of it is known', 'use: run, no earlier run of it is known']);
  expect(await again()).toEqual(both);
  expect(await again()).toEqual(none);
  expect(await plan()).toEqual([
    'make: skip, inputs and outputs are as run … left them',
    'use: skip, inputs and outputs are as run … left them',
  ]);
  const { run, story } = at();
  expect((await run(make())).values).toEqual([{ path: 'out/schema.json' }]);
  expect(story().map((line) => line.replace(/run 0\S+/, 'run …'))).toEqual([
    'run make',
    'make{"draft":"7"} started',
    'make{"draft":"7"} skipped reason=inputs and outputs are as run … left them',
    'succeeded 0',
  ]);
});

test.for<readonly [string, (given: ReturnType<typeof repository>) => Promise<unknown>, readonly string[], string]>([
  ['an input that changed', ({ put }) => put('in/a.yaml', 'b'), ['make 7'], 'in/a.yaml has changed'],
  ['an input that is new', ({ put }) => put('in/deep/er/b.yaml', 'b'), ['make 7'], 'in/deep/er/b.yaml is new'],
  ['an input that is gone', ({ files }) => files.remove('/repo/in/a.yaml'), ['make 7'], 'in/a.yaml is gone'],
  ['an input by a param', ({ put }) => put('drafts/7', ''), ['make 7'], 'drafts/7 is new'],
  ['an output that somebody changed', ({ put }) => put('out/schema.json', '{} '), ['make 7'], 'out/schema.json has changed'],
  ['an output that is gone', ({ files }) => files.remove('/repo/out/schema.json'), ['make 7'], 'out/schema.json is gone'],
  ['a file that is taken out', ({ put }) => put('in/b.draft.yaml', 'b'), [], ''],
  ['a file beside', ({ put }) => put('elsewhere.yaml', 'b'), [], ''],
])('$0: exactly what depends on it runs', async ([, change, ran, reason]) => {
  const it = repository();
  await it.put('in/a.yaml', 'a');
  await it.again();
  await change(it);
  if (reason !== '') expect(await it.plan()).toEqual([`make: run, ${reason}`, 'use: unknown, depends on what make returns']);
  // The result is the same, so that whoever needs it is left out.
  expect(await it.again()).toEqual({ ran, exitCode: 0, skipped: 2 - ran.length });
  expect(await it.again()).toEqual(none);
});

test('other params, another file of the task, another result and --fresh are each a reason to run', async () => {
  const made = { path: 'a' };
  const it = repository({ result: made });
  await it.again();
  expect(await it.again(it.make({ draft: '8' }))).toMatchObject({ ran: ['make 8'] });
  expect(await it.again(it.make({ draft: '8' }))).toMatchObject({ ran: [] });
  expect(await it.again(it.use(), { source: 'v2' })).toMatchObject({ ran: ['make 7', 'use {"path":"a"}'] });
  made.path = 'b';
  expect(await it.again(it.use(), { source: 'v2' })).toMatchObject({ ran: [] });
  expect(await it.again(it.make(), { source: 'v2', fresh: true })).toMatchObject({ ran: ['make 7'] });
  expect(await it.again(it.use(), { source: 'v2' })).toMatchObject({ ran: ['use {"path":"b"}'] });
});

test('a run that failed, or was cut off, leaves nothing that happens to fit again', async () => {
  let fails = false;
  const it = repository({
    async act(files) {
      await files.write('/repo/out/schema.json', '{}');
      if (fails) throw new Error('no');
    },
  });
  await it.put('in/a.yaml', 'a');
  await it.again();
  fails = true;
  await it.put('in/a.yaml', 'b');
  expect(await it.again()).toMatchObject({ exitCode: 1, ran: ['make 7'] });
  fails = false;
  await it.put('in/a.yaml', 'a');
  expect(await it.again()).toMatchObject({ exitCode: 0, ran: ['make 7'] });
});

test.for<readonly [string, Given]>([
  ['an input that changed meanwhile', { act: (files) => files.write('/repo/in/a.yaml', String(Math.random())) }],
  ['outputs that are not there', { act: async () => {} }],
  ['a result that is no plain data', { result: new Date(0) }],
  ['a key in the result', { result: { key: new Secret('x') } }],
])('never left out because of $0', async ([, given]) => {
  const it = repository(given);
  await it.again(it.make());
  expect(await it.again(it.make())).toMatchObject({ ran: ['make 7'] });
});

test('a task that prints, finds a difference or changes machines runs every time', async () => {
  const ran: string[] = [];
  const task = (
    name: string,
    body: (context: { print(text: string): void; differs(): void }) => void,
    effect: 'read' | 'mutate' = 'read',
  ) => defineTask({ summary: name, effect: effect as 'read', inputs: [], run: (context) => void (ran.push(name), body(context)) });
  const tasks = {
    prints: task('prints', ({ print }) => print('x')),
    differs: task('differs', ({ differs }) => differs()),
    mutates: task('mutates', () => {}, 'mutate'),
    quiet: task('quiet', () => {}),
  };
  const files = new MemoryFiles();
  for (const [index, goal] of [...Object.values(tasks), ...Object.values(tasks)].entries())
    await rig(tasks, { files, firstRandom: index * 20 }).run(goal());
  expect(ran).toEqual(['prints', 'differs', 'mutates', 'quiet', 'prints', 'differs', 'mutates']);
});

test('patterns that lead out of the repository are all told', async () => {
  const task = defineTask({ summary: 'Out', effect: 'read', inputs: ['../x', '/etc/passwd', '', 'in'], run() {} });
  const result = await rig({ task }).run(task());
  expect(result.failures.map(({ code, facts }) => [code, facts['pattern']])).toEqual([
    ['task/file-pattern', '../x'],
    ['task/file-pattern', '/etc/passwd'],
    ['task/file-pattern', ''],
  ]);
  expect(result.exitCode).toBe(1);
});

test.for<readonly [string, readonly string[]]>([
  ['**', ['.a', 'a.yaml', 'b/a.yaml', 'b/c/d.yaml', 'b/c/d.yaml.j2']],
  ['*.yaml', ['a.yaml']],
  ['**/*.yaml', ['a.yaml', 'b/a.yaml', 'b/c/d.yaml']],
  ['b', ['b/a.yaml', 'b/c/d.yaml', 'b/c/d.yaml.j2']],
  ['./b/', ['b/a.yaml', 'b/c/d.yaml', 'b/c/d.yaml.j2']],
  ['b/**', ['b/a.yaml', 'b/c/d.yaml', 'b/c/d.yaml.j2']],
  ['b/?.yaml', ['b/a.yaml']],
  ['b/**/{a,d}.{yaml,toml}', ['b/a.yaml', 'b/c/d.yaml']],
  ['**/[!a].yaml', ['b/c/d.yaml']],
  ['b/c/d.yaml', ['b/c/d.yaml']],
  ['B', []],
])('the pattern %s names', async ([pattern, paths]) => {
  const files = new MemoryFiles();
  for (const path of ['.a', 'a.yaml', 'b/a.yaml', 'b/c/d.yaml', 'b/c/d.yaml.j2', '.git/a.yaml', 'b/node_modules/a.yaml', '.tk/a.yaml'])
    await files.write(`/repo/${path}`, '');
  const parsed = parseFilePattern(pattern);
  expect(await findFiles(files, '/repo', parsed === undefined ? [] : [parsed])).toEqual(paths);
});
