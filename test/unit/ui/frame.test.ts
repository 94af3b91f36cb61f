import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventBody } from '../../../lib/core/index.ts';
import { drawEnd, drawFrame, type FrameOptions } from '../../../lib/ui/frame.ts';
import { folded } from '../../../lib/ui/width.ts';
import { styleWith, widthOf } from '../../../lib/ui/index.ts';
import { renderSummary } from '../../../lib/ui/summary.ts';
import { row, started, stepDone, stepStarted, taskDone, taskStarted, viewOf } from './rig.ts';

const options = (more: Partial<FrameOptions> = {}): FrameOptions => ({
  columns: 80,
  height: 23,
  style: styleWith(false),
  elapsedMs: 184_000,
  wallMs: 2100,
  simulated: true,
  ...more,
});

const midway: readonly EventBody[] = [
  started(),
  taskStarted('configure'),
  taskDone('configure', 0),
  taskStarted('talos:apply-node node=cp-1'),
  taskDone('talos:apply-node node=cp-1'),
  taskStarted('talos:apply-node node=worker-1'),
  taskDone('talos:apply-node node=worker-1'),
  taskStarted('talos:apply'),
  { event: 'task-detail', task: 'talos:apply', text: 'cp-1 worker-1' },
  taskDone('talos:apply', 2),
  taskStarted('bootstrap:apps'),
  stepStarted('bootstrap:apps', 's1', 'cilium 1.19.6'),
  { event: 'step-detail', task: 'bootstrap:apps', step: 's1', text: '20 objects' },
  stepDone('bootstrap:apps', 's1'),
  stepStarted('bootstrap:apps', 's2', 'coredns 1.45.0'),
  {
    event: 'waiting',
    task: 'bootstrap:apps',
    step: 's2',
    waitingFor: 'deployment kube-system/coredns',
    seen: '1 of 2 ready',
    waitedMs: 1000,
    deadlineMs: 600_000,
    see: 'npx tk logs coredns',
  },
];

const shown = (lines: readonly string[]) => `\n${lines.join('\n')}\n`;

test('a running frame: done rows with their time, running rows with what they wait for, the rest on one line', () => {
  expect(shown(drawFrame(viewOf(midway), options()))).toMatchInlineSnapshot(`
    "
     ✔ configure         nothing changed                                    1.0s ⏩
     ✔ talos:apply       cp-1 worker-1                                      6.0s ⏩
     ❯ bootstrap:apps                                                      2m54s ⏩
       ✔ cilium 1.19.6   20 objects                                          38s ⏩
       ❯ coredns 1.45.0  1 of 2 ready                                      2m50s ⏩
           see more: npx tk logs coredns · deadline in 7m10s
     ◌ bootstrap:verify

     3m04s simulated in 2.1s · Ctrl-C stops safely · log .tk/runs/01J/
    "
  `);
});

test('in a low terminal done rows go first, and their number is told', () => {
  expect(shown(drawFrame(viewOf(midway), options({ height: 7, columns: 60 })))).toMatchInlineSnapshot(`
    "
     … 3 more
     ✔ talos:apply       cp-1 worker-1                  6.0s ⏩
     ❯ bootstrap:apps                                  2m54s ⏩
       ❯ coredns 1.45.0  1 of 2 ready                  2m50s ⏩
     ◌ bootstrap:verify

     3m04s simulated in 2.1s · Ctrl-C stops safely
    "
  `);
});

test('a list under way counts its members and names them by their params', () => {
  const view = viewOf([...midway.slice(0, 6), stepStarted('talos:apply-node node=worker-1', 's1', 'apply config', { node: 'worker-1' })]);
  expect(shown(drawFrame(view, options({ simulated: false })))).toMatchInlineSnapshot(`
    "
     ✔ configure         nothing changed                                       1.0s
     ❯ talos:apply       1 of 2
       ✔ cp-1                                                                  1.0s
       ❯ worker-1                                                             2m59s
         ❯ apply config                                                       2m58s
     ◌ bootstrap:apps · bootstrap:verify

     3m04s · Ctrl-C stops safely · log .tk/runs/01J/
    "
  `);
});

test('the end of a good run, of a failed one and of a stopped one', () => {
  const counts = { tasks: { done: 6, skipped: 0, failed: 0, blocked: 0, cancelled: 0 }, steps: { checked: 31, changes: 12 } };
  const finish = (bodies: readonly EventBody[], end: Partial<Extract<EventBody, { event: 'run-finished' }>>) => {
    const view = viewOf([
      ...midway,
      ...bodies,
      {
        event: 'run-finished',
        outcome: 'succeeded',
        exitCode: 0,
        counts,
        failures: [],
        tookMs: 184_000,
        journal: '.tk/runs/01J/journal.jsonl',
        ...end,
      },
    ]);
    return `\n${drawEnd(view, options()).join('\n')}\n\n${renderSummary(view, { style: styleWith(false), wallMs: 2100, simulated: true })}`;
  };
  const failure = {
    code: 'task/failed',
    facts: { message: 'coredns did not start' },
    where: { kind: 'step' as const, task: 'bootstrap:apps', step: 'coredns 1.45.0' },
  };
  const good = finish(
    [
      stepDone('bootstrap:apps', 's2'),
      taskDone('bootstrap:apps'),
      taskStarted('bootstrap:verify'),
      { event: 'report', task: 'bootstrap:verify', headline: 'Healthy: 2 nodes Ready.', rows: { Next: 'npx tk talos:upgrade' } },
      taskDone('bootstrap:verify', 0),
      taskStarted('bootstrap'),
      taskDone('bootstrap', 0),
    ],
    {},
  );
  const failed = finish(
    [
      { event: 'step-finished', task: 'bootstrap:apps', step: 's2', outcome: { state: 'failed', failure }, tookMs: 4000 },
      { event: 'task-finished', task: 'bootstrap:apps', outcome: { state: 'failed', failures: [failure] }, tookMs: 50_000 },
      { event: 'task-finished', task: 'bootstrap:verify', outcome: { state: 'blocked', by: 'bootstrap:apps' }, tookMs: 0 },
      { event: 'task-finished', task: 'bootstrap', outcome: { state: 'blocked', by: 'bootstrap:apps' }, tookMs: 0 },
    ],
    { outcome: 'failed', exitCode: 1, failures: [failure] },
  );
  const stopped = finish(
    [
      { event: 'stopping', signal: 'SIGINT', stage: 'safely' },
      { event: 'step-finished', task: 'bootstrap:apps', step: 's2', outcome: { state: 'cancelled', reason: 'run/stopped' }, tookMs: 4000 },
      { event: 'task-finished', task: 'bootstrap:apps', outcome: { state: 'cancelled', reason: 'the run was stopped' }, tookMs: 50_000 },
      { event: 'task-finished', task: 'bootstrap:verify', outcome: { state: 'cancelled', reason: 'the run was stopped' }, tookMs: 0 },
      { event: 'task-finished', task: 'bootstrap', outcome: { state: 'cancelled', reason: 'the run was stopped' }, tookMs: 0 },
    ],
    { outcome: 'interrupted', exitCode: 130 },
  );
  const nothing = finish([], { counts: { ...counts, steps: { checked: 31, changes: 0 } } });
  expect({ good, failed, stopped, nothing: nothing.split('\n').slice(-3) }).toMatchInlineSnapshot(`
    {
      "failed": "
     ✔ configure         nothing changed                                    1.0s ⏩
     ✔ talos:apply       cp-1 worker-1                                      6.0s ⏩
     ✖ bootstrap:apps    task/failed                                        7.0s ⏩
       ✔ cilium 1.19.6   20 objects                                          38s ⏩
       ✖ coredns 1.45.0  task/failed                                        4.0s ⏩
     ◌ bootstrap:verify

    error[task/failed]: coredns did not start
    step: bootstrap:apps › coredns 1.45.0

     Failed after 3m04s (simulated, in 2.1s).
     Done       configure · talos:apply
     Not done   bootstrap:verify · bootstrap (needs bootstrap:apps)
     Log        .tk/runs/01J/journal.jsonl
     Continue   npx tk resume
    ",
      "good": "
     ✔ configure         nothing changed                                    1.0s ⏩
     ✔ talos:apply       cp-1 worker-1                                      6.0s ⏩
     ✔ bootstrap:apps                                                       7.0s ⏩
     ✔ bootstrap:verify                                                     2.0s ⏩

     Healthy: 2 nodes Ready.
     What took longest   bootstrap:apps 7.0s · talos:apply 6.0s · bootstrap:verify 2.0s
     Next                npx tk talos:upgrade
    ",
      "nothing": [
        "",
        " Nothing to do: 31 steps checked, 0 changes.",
        "",
      ],
      "stopped": "
     ✔ configure         nothing changed                                    1.0s ⏩
     ✔ talos:apply       cp-1 worker-1                                      6.0s ⏩
     ◌ bootstrap:apps · bootstrap:verify

     Stopped.
     Done        configure · talos:apply
     Cut short   coredns 1.45.0
     Not done    bootstrap:apps · bootstrap:verify · bootstrap (the run was stopped)
     Log         .tk/runs/01J/journal.jsonl
     Continue    npx tk resume
    ",
    }
  `);
});

const someText = fc
  .oneof(fc.string({ maxLength: 60 }), fc.constantFrom('日本語'.repeat(20), '⏩'.repeat(50), 'a'.repeat(300)))
  .map((text) => text.replace(/[^\P{C}]/gu, ''));

test('no frame is higher or wider than its terminal', () => {
  const sizes = fc.record({
    columns: fc.integer({ min: 1, max: 130 }),
    height: fc.integer({ min: 0, max: 40 }),
    names: fc.array(someText, { maxLength: 40 }),
    waiting: someText,
  });
  fc.assert(
    fc.property(sizes, ({ columns, height, names, waiting }) => {
      const rows = names.map((name, index) => row(`${index}${name}`, index % 5 === 4 ? { parent: `${index - 1}${names[index - 1]}` } : {}));
      const bodies: EventBody[] = [started(rows, [rows[0]?.title ?? ''])];
      for (const [index, { task }] of rows.entries()) {
        if (index % 3 === 0) continue;
        bodies.push(taskStarted(task), stepStarted(task, `s${index}`, waiting, { node: 'n' }));
        bodies.push({
          event: 'waiting',
          task,
          step: `s${index}`,
          waitingFor: waiting,
          seen: waiting,
          waitedMs: 90_000,
          deadlineMs: 100_000,
          see: waiting,
        });
        if (index % 3 === 1) bodies.push(stepDone(task, `s${index}`), taskDone(task));
      }
      const lines = drawFrame(viewOf(bodies), options({ columns, height }));
      expect(lines.length).toBeLessThanOrEqual(height);
      for (const line of lines) expect(widthOf(line)).toBeLessThan(columns);
    }),
    { numRuns: 300 },
  );
});

test('a heading that is wider than the terminal is broken where a thought ends', () => {
  const about = 'tk 0.1.0 · home-ops · sandbox: 6 simulated nodes, Talos v1.14.1, Kubernetes v1.37.0';
  expect(folded(about, 120)).toEqual([about]);
  expect(folded(about, 79)).toEqual(['tk 0.1.0 · home-ops', '  sandbox: 6 simulated nodes, Talos v1.14.1, Kubernetes v1.37.0']);
  expect(folded(about, 40)).toEqual(['tk 0.1.0 · home-ops · sandbox: 6', '  simulated nodes, Talos v1.14.1,', '  Kubernetes v1.37.0']);
  expect(folded('a-very-long-name-of-a-cluster · b', 20)).toEqual(['a-very-long-name-of…', '  b']);
});
