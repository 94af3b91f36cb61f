import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Evidence, done, fail, notDone, undecidable } from '../../../lib/core/index.ts';
import { defineTask, MemoryFiles, rig, type Survival } from './rig.ts';

/** A world in which something may be started exactly once. It outlives every process. */
interface Machine {
  starts: string[];
  /** Whether one can see what was started. */
  isVisible: boolean;
}

const machineWithout = (): Machine => ({ starts: [], isVisible: true });

const never = () => new Promise<never>(() => {});

function look(machine: Machine): Evidence {
  if (!machine.isVisible) return undecidable('cp-1 does not answer', 'bring cp-1 back');
  return machine.starts.length > 0 ? done(`started on ${machine.starts.join(', ')}`) : notDone();
}

type Death = 'before the act' | 'after the act' | undefined;

function bootstrap(machine: Machine, options: { readonly files?: MemoryFiles; readonly target?: string; readonly dies?: Death } = {}) {
  return defineTask({
    summary: 'Start it',
    effect: 'mutate',
    async run({ step }) {
      await step('prepare', () => {});
      await step.once('start', {
        target: options.target ?? 'cp-1',
        probe: () => look(machine),
        act: async (_step, target) => {
          // A dead process does nothing any more.
          if (options.files?.isDead || options.dies === 'before the act') return never();
          machine.starts.push(target ?? 'nobody');
          if (options.dies === 'after the act') return never();
        },
      });
      await step('finish', () => {});
    },
  });
}

/** Runs until the end or until nothing moves any more. */
async function runUntilStill(start: () => Promise<{ readonly exitCode: number }>): Promise<number | 'dead'> {
  const still = (async () => {
    for (let turn = 0; turn < 40; turn += 1) await new Promise(setImmediate);
    return 'dead' as const;
  })();
  return Promise.race([start().then((result) => result.exitCode), still]);
}

test('killed at every file operation and resumed, the act happens exactly once and the run ends well', async () => {
  const whole = new MemoryFiles();
  const undisturbed = machineWithout();
  const task = bootstrap(undisturbed);
  expect((await rig({ start: task }, { files: whole }).run(task())).exitCode).toBe(0);
  expect(whole.operations).toBeGreaterThan(10);

  const ends = new Map<string, number>();
  for (const survival of ['all', 'synced', 'torn'] satisfies Survival[]) {
    for (let operation = 1; operation <= whole.operations; operation += 1) {
      const machine = machineWithout();
      const files = new MemoryFiles().dieAt(operation);
      const first = bootstrap(machine, { files });
      expect(await runUntilStill(() => rig({ start: first }, { files }).run(first()))).toBe('dead');
      const second = bootstrap(machine, { target: 'cp-2' });
      const survivors = files.afterCrash(survival);
      const resumed = rig({ start: second }, { files: survivors });
      const result = await resumed.run(second());
      expect({ survival, operation, exitCode: result.exitCode, starts: machine.starts.length }).toEqual({
        survival,
        operation,
        exitCode: 0,
        starts: 1,
      });
      // Whoever was chosen first stays chosen as soon as the choice is on disk.
      ends.set(machine.starts[0] ?? '', (ends.get(machine.starts[0] ?? '') ?? 0) + 1);
    }
  }
  expect([...ends.keys()].sort()).toEqual(['cp-1', 'cp-2']);
});

test.each([
  ['before the act', true, { starts: ['cp-1'], exitCode: 0 }],
  ['after the act', true, { starts: ['cp-1'], exitCode: 0 }],
  ['before the act', false, { starts: [], exitCode: 5 }],
  ['after the act', false, { starts: ['cp-1'], exitCode: 5 }],
] satisfies [Death, boolean, { starts: string[]; exitCode: number }][])(
  'killed %s, reality visible: %s',
  async (dies, isVisible, expected) => {
    const machine = machineWithout();
    const files = new MemoryFiles();
    const first = bootstrap(machine, { dies });
    expect(await runUntilStill(() => rig({ start: first }, { files }).run(first()))).toBe('dead');
    machine.isVisible = isVisible;
    const second = bootstrap(machine, { target: 'cp-3' });
    const result = await rig({ start: second }, { files: files.afterCrash('synced') }).run(second());
    expect({ starts: machine.starts, exitCode: result.exitCode }).toEqual(expected);
    if (expected.exitCode === 5) {
      expect(result.failures[0]).toMatchObject({
        code: 'step/undecidable',
        facts: { step: 'start', seen: 'cp-1 does not answer', help: 'bring cp-1 back', target: 'cp-1' },
      });
    }
  },
);

test('a probe that cannot tell is asked again for a while, before and after the act', async () => {
  const machine = machineWithout();
  let silentFor = 3;
  const task = defineTask({
    summary: 'Start it',
    effect: 'mutate',
    run: ({ step }) =>
      step.once('start', {
        probe: () => (silentFor-- > 0 ? undecidable('cp-1 restarts') : look(machine)),
        act: () => {
          machine.starts.push('cp-1');
          silentFor = 2;
          fail('the reply was lost');
        },
      }),
  });
  const world = rig({ start: task });
  expect((await world.run(task())).exitCode).toBe(0);
  expect(machine.starts).toEqual(['cp-1']);
  expect(world.events.map((event) => event.elapsedMs).at(-1)).toBe(15_000);
  expect(world.story()).toEqual([
    'run start',
    'start started',
    '  start (once)',
    '  waiting for certainty about "start": cp-1 restarts',
    '  waiting for certainty about "start": cp-1 restarts',
    '    started on cp-1',
    '  s1 done',
    'start done changes=1',
    'succeeded 0',
  ]);
});

test('an act that says that nothing was sent is not probed, and its intent is withdrawn; any other failure leaves it open', async () => {
  for (const [wasSent, probesOf, opens] of [
    [false, ['first 0', 'second 0'], [false, false]],
    // Right after it, and then by the next run.
    [true, ['first 0', 'first 1', 'second 1'], [false, true, true]],
  ] as const) {
    const files = new MemoryFiles();
    const probes: string[] = [];
    const intents: boolean[] = [];
    const attempt = (name: string, act: () => void) =>
      defineTask({
        summary: 'Start it',
        effect: 'mutate',
        run: ({ step }) =>
          step.once('start', {
            key: 'start',
            probe(_step, intent) {
              probes.push(`${name} ${intent === undefined ? 0 : 1}`);
              intents.push(intent !== undefined);
              return notDone();
            },
            act,
            changedNothing: () => !wasSent,
          }),
      });
    const first = attempt('first', () => fail('a gate refused'));
    const refused = await rig({ start: first }, { files }).run(first());
    expect(refused.failures).toMatchObject([{ facts: { message: 'a gate refused' } }]);
    const second = attempt('second', () => {});
    expect((await rig({ start: second }, { files: files.afterCrash('synced') }).run(second())).exitCode).toBe(0);
    expect({ wasSent, probes, intents }).toEqual({ wasSent, probes: probesOf, intents: opens });
  }
});

test('an intent of another identity is not ours', async () => {
  const machine = machineWithout();
  const files = new MemoryFiles();
  const first = bootstrap(machine, { dies: 'before the act' });
  await runUntilStill(() => rig({ start: first }, { files, identity: 'sandbox' }).run(first()));
  const second = bootstrap(machine, { target: 'cp-3' });
  await rig({ start: second }, { files: files.afterCrash('synced'), identity: 'home' }).run(second());
  expect(machine.starts).toEqual(['cp-3']);
});

test('a lost reply is judged by reality: done counts, not done stays a failure, undecidable needs a human', async () => {
  const outcomes: unknown[] = [];
  for (const [acts, sees] of [
    [true, true],
    [false, true],
    [true, false],
  ]) {
    const machine = machineWithout();
    const task = defineTask({
      summary: 'Start it',
      effect: 'mutate',
      run: ({ step }) =>
        step.once('start', {
          probe: () => look(machine),
          act: () => {
            if (acts) machine.starts.push('cp-1');
            machine.isVisible = sees === true;
            fail('the reply was lost');
          },
        }),
    });
    const result = await rig({ start: task }).run(task());
    outcomes.push([result.exitCode, result.failures[0]?.code, result.failures[0]?.cause?.code]);
  }
  expect(outcomes).toEqual([
    [0, undefined, undefined],
    [1, 'task/failed', undefined],
    [5, 'step/undecidable', 'task/failed'],
  ]);
});

test('once done, a second run sees it and changes nothing', async () => {
  const machine = machineWithout();
  const files = new MemoryFiles();
  const task = bootstrap(machine);
  await rig({ start: task }, { files }).run(task());
  const again = rig({ start: task }, { files });
  const result = await again.run(task());
  expect(result.exitCode).toBe(0);
  expect(machine.starts).toEqual(['cp-1']);
  expect(again.story()).toContain('  s2 skipped reason=started on cp-1');
});

/** One attempt of a run: where it dies, and what the world does to each act of it. */
interface Attempt {
  readonly dieAt: number | undefined;
  readonly survival: Survival;
  /** Per act: it happens, it is refused, it happens but the reply is lost, or the process dies before or after it. */
  readonly acts: readonly ('ok' | 'refused' | 'reply lost' | 'dies before' | 'dies after')[];
}

const attempts: fc.Arbitrary<readonly Attempt[]> = fc.array(
  fc.record({
    dieAt: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
    survival: fc.constantFrom<Survival>('all', 'synced', 'torn'),
    acts: fc.array(fc.constantFrom('ok', 'refused', 'reply lost', 'dies before', 'dies after'), { minLength: 3, maxLength: 3 }),
  }),
  { maxLength: 5 },
);

test('whatever happens to however many runs, three acts happen exactly once each, on the target recorded first', async () => {
  const hits = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(attempts, async (list) => {
      const happened: string[][] = [[], [], []];
      const intended: (string | undefined)[] = [];
      const program = (attempt: Attempt | undefined, files: MemoryFiles, runNumber: number) =>
        defineTask({
          summary: 'Three acts',
          effect: 'mutate',
          async run({ each, step }) {
            await each(happened, (starts, index) =>
              step.once(`act ${index}`, {
                target: `target-${runNumber}`,
                probe: () => (starts.length > 0 ? done(starts.join()) : notDone()),
                async act(_step, target = '') {
                  // An act that begins has its intent on disk, so its target is settled for good.
                  expect(intended[index] ?? target).toBe(target);
                  intended[index] = target;
                  const fate = attempt?.acts[index] ?? 'ok';
                  hits.set(fate, (hits.get(fate) ?? 0) + 1);
                  if (files.isDead || fate === 'dies before') return never();
                  if (fate === 'refused') fail('refused');
                  starts.push(target);
                  if (fate === 'dies after') return never();
                  if (fate === 'reply lost') fail('lost');
                },
              }),
            );
          },
        });
      let files = new MemoryFiles();
      for (const [index, attempt] of list.entries()) {
        if (attempt.dieAt !== undefined) files.dieAt(attempt.dieAt);
        const task = program(attempt, files, index);
        await runUntilStill(() => rig({ acts: task }, { files, firstRandom: index * 100 }).run(task()));
        files = files.afterCrash(attempt.survival);
      }
      const last = program(undefined, files, list.length);
      const result = await rig({ acts: last }, { files, firstRandom: list.length * 100 }).run(last());
      expect(result.exitCode).toBe(0);
      expect(happened.map((starts) => starts.length)).toEqual([1, 1, 1]);
    }),
    { numRuns: 150 },
  );
  expect([...hits.keys()].sort()).toEqual(['dies after', 'dies before', 'ok', 'refused', 'reply lost']);
});
