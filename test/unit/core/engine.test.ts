import { expect, test } from 'vitest';
import { z } from 'zod';
import { baseFailure, holds, notYet, Secret, TkError } from '../../../lib/base/index.ts';
import { decideOutcome, done, fail, forEach, inSequence, needsHuman, notDone, refuse, type RunHandle } from '../../../lib/core/index.ts';
import { readJournal } from '../../../lib/core/journal.ts';
import { defineTask, gate, MemoryFiles, noPrompter, rig } from './rig.ts';

test('results of needed tasks arrive by name, each task runs once, defaults are filled in', async () => {
  const runs: string[] = [];
  const base = defineTask({
    summary: 'Base',
    params: z.object({ size: z.number().default(2) }),
    effect: 'read',
    run: ({ params }) => {
      runs.push(`base ${params.size}`);
      return { size: params.size };
    },
  });
  const middle = defineTask({
    summary: 'Middle',
    params: z.object({ name: z.string() }),
    needs: { base: base() },
    effect: 'read',
    run: ({ params, needs }) => `${params.name}${needs.base.size}`,
  });
  const top = defineTask({
    summary: 'Top',
    needs: {
      again: base({ size: 2 }),
      row: inSequence([middle({ name: 'a' }), middle({ name: 'b' })]),
      all: forEach(['c', 'a'], (name) => middle({ name })),
    },
    effect: 'read',
    run: ({ needs }) => [needs.again.size, ...needs.row, ...needs.all],
  });
  const world = rig({ base, middle, top });
  const result = await world.run(top());
  expect(result).toMatchObject({ outcome: 'succeeded', exitCode: 0, values: [[2, 'a2', 'b2', 'c2', 'a2']] });
  expect(runs).toEqual(['base 2']);
  expect(world.files.disk.size).toBe(0);
  expect(world.story()).toEqual([
    'run top',
    'base{"size":2} started',
    'base{"size":2} done changes=0',
    'middle{"name":"a"} started',
    'middle{"name":"c"} started',
    'middle{"name":"a"} done changes=0',
    'middle{"name":"c"} done changes=0',
    'middle{"name":"b"} started',
    'middle{"name":"b"} done changes=0',
    'top started',
    'top done changes=0',
    'succeeded 0',
  ]);
});

test('steps report kind, node, details, skips and changes; waits report what they see', async () => {
  let looks = 0;
  const work = defineTask({
    summary: 'Work',
    effect: 'mutate',
    async run({ step, wait, report, detail }) {
      await step.pure('look', (looking) => looking.detail('3 things'));
      await step('change', () => {}, { node: 'a' });
      await step('change again', (changing) => changing.skip('equal'), { node: 'b' });
      const acted = await step.probeAct('once more', { probe: () => notDone(), act: () => 5 });
      const found = await step.probeAct('already', { probe: () => done('it is there', 6), act: () => 0 });
      await step('outer', (outer) => outer.step('inner', () => {}), { node: 'c' });
      await wait({
        description: 'the light',
        deadlineMs: 10_000,
        intervalMs: 1000,
        check: async () => ((looks += 1) > 2 ? holds(true) : notYet('dark')),
      });
      detail(`${acted.value}${found.value}`);
      report({ headline: 'All good', rows: { Next: 'rest' } });
    },
  });
  const world = rig({ work });
  const result = await world.run(work());
  expect(result.counts).toEqual({ tasks: { done: 1, skipped: 0, failed: 0, blocked: 0, cancelled: 0 }, steps: { checked: 6, changes: 3 } });
  expect(world.story()).toEqual([
    'run work',
    'work started',
    '  look (pure)',
    '    3 things',
    '  s1 done',
    '  change (idempotent on a)',
    '  s2 done',
    '  change again (idempotent on b)',
    '  s3 skipped reason=equal',
    '  once more (probe-act)',
    '  s4 done',
    '  already (probe-act)',
    '  s5 skipped reason=it is there',
    '  outer (idempotent on c)',
    '  inner (idempotent on c)',
    '  s7 done',
    '  s6 done',
    '  waiting for the light: dark',
    'work: 56',
    'report All good {"Next":"rest"}',
    'work done changes=3',
    'succeeded 0',
  ]);
});

test('after a failure nothing new starts, what runs ends, dependants are blocked and the rest is cancelled', async () => {
  const slow = gate();
  const failing = gate();
  const broken = defineTask({
    summary: 'Broken',
    effect: 'write',
    async run({ step }) {
      await step('break', async () => {
        await failing.pass();
        fail('it broke', { help: 'mend it' });
      });
    },
  });
  const steady = defineTask({
    summary: 'Steady',
    effect: 'write',
    async run({ step }) {
      await step('first', () => slow.pass());
      await step('second', () => {});
    },
  });
  const later = defineTask({ summary: 'Later', effect: 'write', run() {} });
  const dependant = defineTask({ summary: 'Dependant', needs: { broken: broken() }, effect: 'write', run() {} });
  const world = rig({ broken, steady, later, dependant });
  const run = world.begin([broken(), steady(), later(), dependant()], { parallel: 2 });
  await Promise.all([failing.reached, slow.reached]);
  failing.open();
  await new Promise(setImmediate);
  slow.open();
  const result = await run.finished;
  expect(result).toMatchObject({
    outcome: 'failed',
    exitCode: 1,
    failures: [
      { code: 'task/failed', facts: { message: 'it broke', help: 'mend it' }, where: { kind: 'step', task: 'broken', step: 'break' } },
    ],
    counts: { tasks: { done: 1, failed: 1, blocked: 1, cancelled: 1 } },
  });
  expect(world.story().slice(1)).toEqual([
    'broken started',
    '  break (idempotent)',
    'steady started',
    '  first (idempotent)',
    '  s1 failed task/failed',
    'broken failed task/failed',
    'dependant blocked by=broken',
    'later cancelled reason=broken failed',
    '  s2 done',
    '  second (idempotent)',
    '  s3 done',
    'steady done changes=2',
    'failed 1',
  ]);
});

test('keepGoing runs what does not depend on the failure', async () => {
  const broken = defineTask({ summary: 'Broken', effect: 'read', run: () => fail('no') });
  const other = defineTask({ summary: 'Other', effect: 'read', run: () => 7 });
  const result = await rig({ broken, other }).run([broken(), other()], { keepGoing: true, parallel: 1 });
  expect(result).toMatchObject({ exitCode: 1, values: [undefined, 7] });
});

test('the first signal lets the step end and starts nothing new; afterwards work still runs', async () => {
  const inside = gate();
  const seen: string[] = [];
  const work = defineTask({
    summary: 'Work',
    effect: 'mutate',
    async run({ step, afterwards }) {
      afterwards('put back', async (back) => {
        await back.step('nested', () => void seen.push('put back'));
      });
      await step('first', async (first) => {
        await inside.pass();
        await first.step('inner', () => void seen.push('inner'));
      });
      await step('second', () => void seen.push('second'));
    },
  });
  const next = defineTask({ summary: 'Next', needs: { work: work() }, effect: 'mutate', run: () => void seen.push('next') });
  const world = rig({ work, next });
  const run = world.begin(next());
  await inside.reached;
  run.stop('SIGINT');
  inside.open();
  const result = await run.finished;
  expect(seen).toEqual(['inner', 'put back']);
  expect(result).toMatchObject({ outcome: 'interrupted', exitCode: 130, failures: [] });
  expect(world.story().slice(3)).toEqual([
    'SIGINT safely',
    'next cancelled reason=the run was stopped',
    '  inner (idempotent)',
    '  s2 done',
    '  s1 done',
    '  put back (idempotent)',
    '  nested (idempotent)',
    '  s4 done',
    '  s3 done',
    'work cancelled reason=the run was stopped',
    'interrupted 130',
  ]);
});

test('a signal that comes while the end is written changes nothing: the run ends with what its journal says', async () => {
  const refused = defineTask({ summary: 'Refused', effect: 'mutate', run: () => refuse('not now') });
  const world = rig({ refused });
  const { files } = world;
  const append = files.append.bind(files);
  const running: { run?: RunHandle } = {};
  files.append = async (path) => {
    const file = await append(path);
    return {
      close: () => file.close(),
      async write(text, how) {
        if (text.includes('"type":"end"')) running.run?.stop('SIGINT');
        await file.write(text, how);
      },
    };
  };
  running.run = world.begin(refused());
  expect(await running.run.finished).toMatchObject({ outcome: 'refused', exitCode: 3 });
  const journal = [...files.disk].find(([path]) => path.endsWith('journal.jsonl'))?.[1].text ?? '';
  expect(readJournal(journal).entries.at(-1)?.record).toMatchObject({ type: 'end', outcome: 'refused', exitCode: 3 });
});

test('the second signal leaves two seconds to all that was registered for afterwards, however late it comes', async () => {
  const inside = gate();
  const silence = (signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new TkError(baseFailure('run/aborted', { during: 'a call' })))),
    );
  const work = defineTask({
    summary: 'Work',
    effect: 'mutate',
    async run({ step, afterwards }) {
      afterwards('give back', ({ signal }) => silence(signal));
      afterwards('put back', async ({ signal }) => {
        await inside.pass();
        await silence(signal);
      });
      await step('first', () => {});
      fail('no');
    },
  });
  const world = rig({ work });
  const run = world.begin(work());
  await inside.reached;
  run.stop('SIGINT');
  const { monotonicMs } = world.clock;
  const hurriedMs = monotonicMs();
  run.stop('SIGINT');
  inside.open();
  expect(await run.finished).toMatchObject({ exitCode: 130 });
  expect(monotonicMs() - hurriedMs).toBeLessThanOrEqual(2000);
});

test('the first signal ends a step that only looks, in the middle of it', async () => {
  const inside = gate();
  const look = defineTask({
    summary: 'Look',
    effect: 'read',
    run: ({ step }) =>
      step.pure('at a silent machine', async ({ signal }) => {
        await inside.pass();
        await new Promise((_, reject) => {
          const left = () => reject(new TkError(baseFailure('run/aborted', { during: 'a call' })));
          if (signal.aborted) left();
          else signal.addEventListener('abort', left);
        });
      }),
  });
  const world = rig({ look });
  const run = world.begin(look());
  await inside.reached;
  inside.open();
  run.stop('SIGINT');
  expect(await run.finished).toMatchObject({ outcome: 'interrupted', exitCode: 130, failures: [] });
  expect(world.story().slice(3)).toEqual([
    'SIGINT safely',
    '  s1 cancelled reason=run/stopped',
    'look cancelled reason=the run was stopped',
    'interrupted 130',
  ]);
});

test('the first signal ends waits; the second leaves behind work that does not listen', async () => {
  const waiting = defineTask({
    summary: 'Wait',
    effect: 'read',
    run: ({ wait }) => wait({ description: 'nothing', deadlineMs: 600_000, intervalMs: 1000, check: async () => notYet('still nothing') }),
  });
  const stuck = gate();
  const deaf = defineTask({ summary: 'Deaf', effect: 'mutate', run: ({ step }) => step('hang', () => stuck.pass()) });
  const world = rig({ waiting, deaf });
  const first = world.begin(deaf());
  await stuck.reached;
  first.stop('SIGTERM');
  first.stop('SIGTERM');
  expect(await first.finished).toMatchObject({ outcome: 'interrupted', exitCode: 143, counts: { tasks: { cancelled: 1 } } });

  const second = world.begin(waiting());
  await new Promise(setImmediate);
  second.stop('SIGHUP');
  expect(await second.finished).toMatchObject({ outcome: 'interrupted', exitCode: 129 });
});

test('deadlines hold for steps that do not listen, and retries follow their table', async () => {
  let tries = 0;
  const retried = defineTask({
    summary: 'Retried',
    effect: 'write',
    run: ({ step }) =>
      step(
        'try',
        () => {
          tries += 1;
          if (tries < 3) fail('not yet');
          return tries;
        },
        { retry: { attempts: 5, delayMs: 100, factor: 2, when: (failure) => failure.code === 'task/failed' } },
      ),
  });
  const late = defineTask({
    summary: 'Late',
    effect: 'write',
    run: ({ step }) => step('hang', () => new Promise(() => {}), { deadlineMs: 60_000, node: 'a' }),
  });
  const cutOff = defineTask({
    summary: 'Cut off',
    effect: 'write',
    run: ({ step }) =>
      step(
        'clean up',
        async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          throw new TkError({
            code: 'task/failed',
            facts: { message: 'it lies there still' },
            cause: baseFailure('run/aborted', { during: 'cleaning' }),
          });
        },
        { deadlineMs: 60_000 },
      ),
  });
  const world = rig({ retried, late, cutOff });
  expect(await world.run(retried())).toMatchObject({ exitCode: 0, values: [3] });
  expect(world.story().filter((line) => line.includes('try '))).toEqual([
    '  try (idempotent)',
    '    try 1 failed with task/failed, again in 100 ms',
    '    try 2 failed with task/failed, again in 200 ms',
  ]);
  expect((await world.run(late())).failures).toEqual([
    { code: 'step/deadline', facts: { deadlineMs: 60_000 }, where: { kind: 'step', task: 'late', step: 'hang', node: 'a' } },
  ]);
  // Whoever says what its being cut off means is heard.
  expect((await world.run(cutOff())).failures).toMatchObject([
    { code: 'task/failed', facts: { message: 'it lies there still' }, cause: { code: 'step/deadline', facts: { deadlineMs: 60_000 } } },
  ]);
});

test('a step that its body did not await still belongs to the task', async () => {
  const hold = gate();
  const careless = defineTask({
    summary: 'Careless',
    effect: 'write',
    run({ step }) {
      void step('floating', async () => {
        await hold.pass();
        fail('it failed unseen');
      }).catch(() => {});
    },
  });
  const world = rig({ careless });
  const run = world.begin(careless());
  await hold.reached;
  hold.open();
  expect(await run.finished).toMatchObject({ exitCode: 1, failures: [{ code: 'task/failed' }] });
});

test('each runs side by side up to its limit, and tells every failure', async () => {
  const gates = [gate(), gate(), gate()];
  const work = defineTask({
    summary: 'Work',
    effect: 'write',
    async run({ each, step }) {
      await each(
        gates,
        (one, index) =>
          step(`item ${index}`, async () => {
            await one.pass();
            fail(`item ${index} failed`);
          }),
        { parallel: 2 },
      );
    },
  });
  const world = rig({ work });
  const run = world.begin(work());
  await Promise.all([gates[0]?.reached, gates[1]?.reached]);
  for (const one of gates) one.open();
  const result = await run.finished;
  expect(result.failures.map((failure) => failure.facts)).toEqual([{ message: 'item 0 failed' }, { message: 'item 1 failed' }]);
});

test('exit codes: refusal 3, needs a human 5, locked 4, differs 6, invalid params 2', async () => {
  const refused = defineTask({ summary: 'Refused', effect: 'mutate', run: () => refuse('not on a Friday') });
  const human = defineTask({ summary: 'Human', effect: 'mutate', run: () => needsHuman('two of them claim to be first') });
  const differing = defineTask({ summary: 'Differing', effect: 'read', run: ({ differs }) => differs() });
  const strict = defineTask({ summary: 'Strict', params: z.object({ level: z.number() }), effect: 'read', run() {} });
  const world = rig({ refused, human, differing, strict });
  const codes = async () => ({
    refused: (await world.run(refused())).exitCode,
    human: (await world.run(human())).exitCode,
    differing: (await world.run(differing())).exitCode,
    invalid: (await world.run({ ...strict({ level: 1 }), params: { level: 'high' } })).exitCode,
    locked: await world.files.lock('/repo/.tk/lock', 'another tk').then(async () => (await world.run(refused())).exitCode),
  });
  expect(await codes()).toEqual({ refused: 3, human: 5, differing: 6, invalid: 2, locked: 4 });
});

test('confirmations come before the first effect; without an answer nothing is touched', async () => {
  const touched: string[] = [];
  const first = defineTask({ summary: 'First', effect: 'mutate', run: ({ step }) => step('touch', () => void touched.push('first')) });
  const wipe = defineTask({
    summary: 'Wipe',
    params: z.object({ node: z.string() }),
    needs: { first: first() },
    confirm: ({ node }, { site }) => ({ message: `wipe ${node} at ${site}?`, phrase: node }),
    effect: 'destroy',
    run: ({ step }) => step('wipe', () => void touched.push('wipe')),
  });
  const asked: unknown[] = [];
  const prompter = (answer: boolean) => ({
    ...noPrompter,
    confirm: async (question: unknown) => {
      asked.push(question);
      return answer;
    },
  });
  const no = await rig({ first, wipe }, { prompter: prompter(false) }).run(wipe({ node: 'a' }));
  expect(no).toMatchObject({ outcome: 'refused', exitCode: 3, failures: [{ code: 'confirm/declined' }] });
  expect(touched).toEqual([]);
  await rig({ first, wipe }, { prompter: prompter(true) }).run(wipe({ node: 'a' }));
  expect(touched).toEqual(['first', 'wipe']);
  expect(asked).toEqual(Array(2).fill({ name: 'yes', message: 'wipe a at here?', phrase: 'a' }));

  // A yes given beforehand is no name that was typed.
  const hasty = await rig({ first, wipe }, { prompter: prompter(false) }).run(wipe({ node: 'a' }), { yes: true });
  expect(hasty).toMatchObject({ outcome: 'refused', exitCode: 3 });
  expect([touched, asked.length]).toEqual([['first', 'wipe'], 3]);
});

test('a plain confirmation is answered by a yes that was given beforehand', async () => {
  const touched: string[] = [];
  const restart = defineTask({
    summary: 'Restart',
    confirm: () => ({ message: 'restart?' }),
    effect: 'mutate',
    run: ({ step }) => step('restart', () => void touched.push('restart')),
  });
  await rig({ restart }).run(restart(), { yes: true });
  expect(touched).toEqual(['restart']);
});

test('secrets and control characters reach neither events nor the journal; print is not redacted', async () => {
  const talking = defineTask({
    summary: 'Talking',
    params: z.object({ word: z.string() }),
    effect: 'write',
    async run({ log, step, print }) {
      log('the password is hunter2hunter2\u001b[2J');
      print(new Secret('hunter2hunter2'));
      await step('use hunter2hunter2', () => fail('hunter2hunter2 was wrong'));
    },
  });
  const world = rig({ talking }, { secrets: ['hunter2hunter2'] });
  await world.run(talking({ word: 'hunter2hunter2' }), { argv: ['talking', 'word=hunter2hunter2'] });
  const everything = JSON.stringify(world.events) + [...world.files.disk.values()].map((file) => file.text).join('');
  expect(everything).not.toContain('hunter2');
  expect(everything).not.toContain('\\u001b');
  expect(everything).toContain('the password is [redacted]');
  expect(world.printed).toEqual(['hunter2hunter2']);
});

test('a full disk stops a once step before it acts', async () => {
  let acts = 0;
  const work = defineTask({
    summary: 'Work',
    effect: 'mutate',
    run: ({ step }) => step.once('start', { probe: () => notDone(), act: () => void (acts += 1) }),
  });
  const files = new MemoryFiles();
  const probe = rig({ work }, { files: new MemoryFiles() });
  await probe.run(work());
  expect(acts).toBe(1);
  for (let operation = 1; operation <= 6; operation += 1) {
    acts = 0;
    const world = rig({ work }, { files: new MemoryFiles().fullFrom(operation) });
    const result = await world.run(work());
    expect({ operation, acts, exitCode: result.exitCode }).toEqual({ operation, acts: 0, exitCode: 1 });
  }
  expect(files.disk.size).toBe(0);
});

test('a sink that throws cannot affect the run', async () => {
  const calm = defineTask({ summary: 'Calm', effect: 'read', run: () => 1 });
  const world = rig({ calm });
  const push = world.events.push.bind(world.events);
  world.events.push = (...events) => {
    push(...events);
    throw new Error('the terminal is gone');
  };
  expect(await world.run(calm())).toMatchObject({ exitCode: 0, values: [1] });
});

test('how a run ends: the gravest failure decides, and nothing unfinished is a success', () => {
  const end = (codes: readonly string[], more: Partial<Parameters<typeof decideOutcome>[0]> = {}) =>
    decideOutcome(
      { failures: codes.map((code) => ({ code, facts: {} })), isComplete: codes.length === 0, touched: false, differs: false, ...more },
      { disk: 'invalid', 'disk/gone': 'needs-human' },
    );
  expect([
    end([]),
    end([], { differs: true }),
    end([], { isComplete: false }),
    end([], { isComplete: false, stoppedBy: 'SIGTERM' }),
    end([], { stoppedBy: 'SIGTERM' }),
    end(['net/broken', 'gate/quorum', 'config/x']),
    end(['gate/quorum', 'config/x']),
    end(['config/x']),
    end(['config/x'], { touched: true }),
    end(['disk/full']),
    end(['disk/gone', 'net/broken'], { stoppedBy: 'SIGINT' }),
    end(['net/broken'], { stoppedBy: 'SIGINT' }),
    end(['prompt/cancelled']),
    end(['run/aborted']),
    end(['lock/held']),
  ]).toEqual([
    { outcome: 'succeeded', exitCode: 0 },
    { outcome: 'differs', exitCode: 6 },
    { outcome: 'failed', exitCode: 1 },
    { outcome: 'interrupted', exitCode: 143 },
    { outcome: 'succeeded', exitCode: 0 },
    { outcome: 'failed', exitCode: 1 },
    { outcome: 'refused', exitCode: 3 },
    { outcome: 'invalid', exitCode: 2 },
    { outcome: 'failed', exitCode: 1 },
    { outcome: 'invalid', exitCode: 2 },
    { outcome: 'needs-human', exitCode: 5 },
    { outcome: 'interrupted', exitCode: 130 },
    { outcome: 'interrupted', exitCode: 130 },
    { outcome: 'failed', exitCode: 1 },
    { outcome: 'locked', exitCode: 4 },
  ]);
});

test('a signal ends a question that nobody answers, and nothing was touched', async () => {
  const asked = gate();
  const wipe = defineTask({
    summary: 'Wipe',
    confirm: () => ({ message: 'wipe?' }),
    effect: 'destroy',
    run: ({ step }) => step('wipe', () => {}),
  });
  const world = rig(
    { wipe },
    {
      prompter: {
        ...noPrompter,
        confirm: async () => {
          await asked.pass();
          return true;
        },
      },
    },
  );
  const run = world.begin(wipe());
  await asked.reached;
  run.stop('SIGINT');
  expect(await run.finished).toMatchObject({ outcome: 'interrupted', exitCode: 130, counts: { steps: { checked: 0 } } });
  expect(world.story()).toEqual(['run wipe', 'asked yes: wipe?', 'SIGINT safely', 'interrupted 130']);
});

test('questions of parallel tasks come one after the other', async () => {
  const open: string[] = [];
  const gates = new Map([
    ['a', gate()],
    ['b', gate()],
  ]);
  const ask = (name: string) =>
    defineTask({ summary: name, effect: 'read', run: ({ prompt }) => prompt.text({ name, message: `${name}?` }) });
  const tasks = { a: ask('a'), b: ask('b') };
  const world = rig(tasks, {
    prompter: {
      ...noPrompter,
      async text({ name }) {
        open.push(name);
        expect(open).toHaveLength(1);
        await gates.get(name)?.pass();
        open.pop();
        return name.toUpperCase();
      },
    },
  });
  const run = world.begin([tasks.a(), tasks.b()]);
  await gates.get('a')?.reached;
  gates.get('a')?.open();
  await gates.get('b')?.reached;
  gates.get('b')?.open();
  expect((await run.finished).values).toEqual(['A', 'B']);
});
