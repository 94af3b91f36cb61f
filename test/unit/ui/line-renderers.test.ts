import { expect, test } from 'vitest';
import type { EventBody } from '../../../lib/core/index.ts';
import { createRenderer, type OutputKind } from '../../../lib/ui/index.ts';
import { eventsOf, memoryStream, started, stepDone, stepStarted, stillClock, taskDone, taskStarted } from './rig.ts';

const failure = {
  code: 'task/failed',
  facts: { message: '50% of the disks are full', help: 'make room' },
  where: { kind: 'file' as const, path: 'nodes.yaml', line: 3, column: 5 },
};

const bodies: readonly EventBody[] = [
  started(),
  taskStarted('configure'),
  taskDone('configure', 0),
  taskStarted('bootstrap:apps'),
  taskStarted('talos:apply'),
  stepStarted('bootstrap:apps', 's1', 'cilium', { node: 'cp-1' }),
  {
    event: 'waiting',
    task: 'bootstrap:apps',
    step: 's1',
    waitingFor: 'its pods',
    seen: '1 of 2',
    waitedMs: 30_000,
    deadlineMs: 60_000,
    see: 'npx tk logs',
  },
  { event: 'log', task: 'bootstrap:apps', level: 'info', text: '::add-mask::everything' },
  { event: 'log', task: 'bootstrap:apps', level: 'debug', text: 'not for logs' },
  { event: 'warning', task: 'bootstrap:apps', failure },
  { event: 'step-retry', task: 'bootstrap:apps', step: 's1', attempt: 1, failure, delayMs: 500 },
  stepDone('bootstrap:apps', 's1'),
  { event: 'task-finished', task: 'talos:apply', outcome: { state: 'skipped', reason: 'equal' }, tookMs: 20 },
  { event: 'task-finished', task: 'bootstrap:apps', outcome: { state: 'failed', failures: [failure] }, tookMs: 40_000 },
  { event: 'task-finished', task: 'bootstrap:verify', outcome: { state: 'blocked', by: 'bootstrap:apps' }, tookMs: 0 },
  {
    event: 'run-finished',
    outcome: 'failed',
    exitCode: 1,
    counts: { tasks: { done: 1, skipped: 1, failed: 1, blocked: 1, cancelled: 0 }, steps: { checked: 1, changes: 1 } },
    failures: [failure],
    tookMs: 41_000,
    journal: '.tk/runs/01J/journal.jsonl',
  },
];

async function shown(kind: OutputKind): Promise<string> {
  const stream = memoryStream();
  const renderer = await createRenderer(kind, { stream, clock: stillClock, colors: false, simulated: false });
  for (const event of eventsOf(bodies)) renderer.sink(event);
  await renderer.close();
  return `\n${stream.text()}`;
}

test('plain lines, also what `auto` means without a terminal: no control characters', async () => {
  const plain = await shown('plain');
  expect(plain).toMatchInlineSnapshot(`
    "
    tk 0.1.0 · home-ops · 2 nodes
    ❯ configure
    ✔ configure (1.5s)
    ❯ bootstrap:apps
    ❯ talos:apply
      bootstrap:apps › cilium cp-1: waiting for its pods: 1 of 2 (30s, deadline in 30s; see more: npx tk logs)
      bootstrap:apps: ::add-mask::everything
    warning[task/failed]: 50% of the disks are full
     ——▶ nodes.yaml:3:5
    help: make room
      bootstrap:apps › cilium cp-1: try 1 failed with task/failed, again in 500ms
      ✔ bootstrap:apps › cilium cp-1 (38s)
    – talos:apply: equal
    ✖ bootstrap:apps: task/failed (40s)
    ◌ bootstrap:verify: needs bootstrap:apps

    error[task/failed]: 50% of the disks are full
     ——▶ nodes.yaml:3:5
    help: make room

     Failed after 41s.
     Done       configure · talos:apply
     Not done   bootstrap:verify (needs bootstrap:apps)
     Log        .tk/runs/01J/journal.jsonl
     Continue   npx tk resume
    "
  `);
  expect(await shown('auto')).toBe(plain);
  expect(plain.replace(/\n/g, '')).not.toMatch(/\p{Cc}/u);
});

test('GitHub: a group per task, annotations at their place, nothing from elsewhere is a command', async () => {
  expect(await shown('github')).toMatchInlineSnapshot(`
    "
    tk 0.1.0 · home-ops · 2 nodes
    ✔ configure (1.5s)
    – talos:apply: equal
    ::group::✖ bootstrap:apps: task/failed (40s)
      bootstrap:apps › cilium cp-1: waiting for its pods: 1 of 2 (30s, deadline in 30s; see more: npx tk logs)
      bootstrap:apps: ::add-mask::everything
    warning[task/failed]: 50% of the disks are full
     ——▶ nodes.yaml:3:5
    help: make room
      bootstrap:apps › cilium cp-1: try 1 failed with task/failed, again in 500ms
      ✔ bootstrap:apps › cilium cp-1 (38s)
    ::endgroup::
    ◌ bootstrap:verify: needs bootstrap:apps
    ::error file=nodes.yaml,line=3,col=5,title=task/failed::50%25 of the disks are full%0Ahelp: make room

    error[task/failed]: 50% of the disks are full
     ——▶ nodes.yaml:3:5
    help: make room

     Failed after 41s.
     Done       configure · talos:apply
     Not done   bootstrap:verify (needs bootstrap:apps)
     Log        .tk/runs/01J/journal.jsonl
     Continue   npx tk resume
    "
  `);
});

test('json: each event as it came, one a line', async () => {
  const lines = (await shown('json')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(eventsOf(bodies))));
});
