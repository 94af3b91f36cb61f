import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { baseFailure, type Failure, placeOf, relatedPlace, type SourceFile } from '../../../lib/base/index.ts';
import { coreFailure } from '../../../lib/core/index.ts';
import { failureWords, printerTables, renderFailure } from '../../../lib/ui/failure-text.ts';
import { styleWith } from '../../../lib/ui/index.ts';

const file: SourceFile = {
  path: 'nodes.yaml',
  text: 'nodes:\n  - name: a\n    address: 192.168.1.11\n  - name: b\n\taddress: "日本"\u001b[2J\r\n',
};

const span = (text: string) => ({ file, start: file.text.indexOf(text), end: file.text.indexOf(text) + text.length });

test('a failure at a place shows the line, what is meant, and the other party', () => {
  const failure: Failure = {
    code: 'task/failed',
    facts: { message: '`192.168.1.11` is used twice', help: 'give one of them another address' },
    where: placeOf(span('192.168.1.11'), [relatedPlace(span('name: a'), 'first used here by `a`')]),
  };
  expect(`\n${renderFailure(failure)}\n`).toBe(`
error[task/failed]: \`192.168.1.11\` is used twice
 ——▶ nodes.yaml:3:14
  │
3 │     address: 192.168.1.11
  │              ^^^^^^^^^^^^
  └── nodes.yaml:2:5 first used here by \`a\`
help: give one of them another address
`);
});

test('tabs, wide characters, escape sequences and CRLF keep the mark under the text', () => {
  const failure: Failure = { code: 'task/failed', facts: { message: 'no address\u001b[31m' }, where: placeOf(span('"日本"')) };
  expect(`\n${renderFailure(failure, { severity: 'warning' })}\n`).toBe(`
warning[task/failed]: no address
 ——▶ nodes.yaml:5:11
  │
5 │ \taddress: "日本"
  │ \t         ^^^^^^
`);
});

test('a failure in a step names the step and the innermost cause', () => {
  const refused: Failure = { code: 'task/failed', facts: { message: 'connection refused' } };
  const failure = coreFailure(
    'step/deadline',
    { deadlineMs: 60_000 },
    {
      where: { kind: 'step', task: 'talos:apply-node', step: 'connect', node: 'cp-1' },
      cause: coreFailure('step/deadline', { deadlineMs: 5 }, { cause: refused }),
    },
  );
  expect(renderFailure(failure)).toBe(`error[step/deadline]: not done within 1m00s
because: connection refused
step: talos:apply-node › connect on cp-1`);
});

test('a code without words shows its facts; colours only where they are wanted', () => {
  expect(renderFailure({ code: 'nas/full', facts: { disk: 'sda', freeBytes: 12, empty: undefined } })).toBe(
    'error[nas/full]: disk sda, freeBytes 12',
  );
  expect(renderFailure({ code: 'nas/full', facts: {} }, { style: styleWith(true) })).toBe(
    '\u001b[31m\u001b[1merror[nas/full]\u001b[22m\u001b[39m: \u001b[1mno more is known\u001b[22m',
  );
});

test('the words of the engine', () => {
  const failures: Failure[] = [
    baseFailure('wait/timeout', {
      waitingFor: 'etcd on cp-1',
      deadlineMs: 600_000,
      last: 'waiting for time sync',
      see: 'npx tk talos:logs',
    }),
    baseFailure('run/aborted', { during: 'install' }),
    coreFailure('task/unknown', { task: 'talos:upgade', suggestion: 'talos:upgrade' }),
    coreFailure('task/duplicate', { task: 'sync' }),
    coreFailure('params/unknown', { task: 'sync', param: 'nod', suggestion: 'node', known: ['node'] }),
    coreFailure('params/unknown', { task: 'sync', param: 'x', known: ['node', 'force'] }),
    coreFailure('params/missing', { task: 'sync', param: 'node', description: 'which machine' }),
    coreFailure('params/invalid', { task: 'sync', param: 'keep', problem: 'Too small: expected number to be >=1' }),
    coreFailure('graph/cycle', { path: ['a', 'b', 'a'] }),
    coreFailure('graph/unregistered-task', { summary: 'Copy it', neededBy: 'sync' }),
    coreFailure('step/undecidable', { step: 'bootstrap etcd', seen: 'cp-1 does not answer', intendedBy: '01J', target: 'cp-1' }),
    coreFailure('lock/held', { heldBy: 'tk bootstrap (pid 4)', path: '.tk/lock' }),
    coreFailure('confirm/declined', { task: 'reset', message: 'wipe cp-1?' }),
    coreFailure('prompt/no-terminal', { name: 'yes', message: 'wipe cp-1?', confirmation: true }),
    coreFailure('prompt/no-terminal', { name: 'yes', message: 'wipe cp-1?', confirmation: true, phrase: 'cp-1' }),
    coreFailure('prompt/no-terminal', { name: 'node', message: 'which machine', confirmation: false }),
    coreFailure('journal/write', { path: '.tk/runs/01J/journal.jsonl' }),
    coreFailure('run/unfinished', { tasks: ['a', 'b'] }),
  ];
  expect(`\n${failures.map((failure) => renderFailure(failure)).join('\n\n')}\n`).toMatchInlineSnapshot(`
    "
    error[wait/timeout]: waited 10m00s for etcd on cp-1
    because: last seen: waiting for time sync
    help: see more with \`npx tk talos:logs\`

    error[run/aborted]: stopped during install

    error[task/unknown]: there is no task \`talos:upgade\`
    help: did you mean \`talos:upgrade\`?

    error[task/duplicate]: two task files are both called \`sync\`
    help: rename one of them

    error[params/unknown]: \`sync\` has no param \`nod\`
    help: did you mean \`node\`?

    error[params/unknown]: \`sync\` has no param \`x\`
    help: it takes \`node\` and \`force\`

    error[params/missing]: \`sync\` needs \`node\`: which machine
    help: add \`--node …\`

    error[params/invalid]: \`keep\` of \`sync\` is not what it takes
    because: too small: expected number to be >=1
    help: see \`npx tk sync --help\`

    error[graph/cycle]: these tasks wait for each other: \`a\` → \`b\` → \`a\`
    help: take one of them out of the other's needs

    error[graph/unregistered-task]: \`sync\` needs a task that has no name: "Copy it"
    help: export it as the default of a file below \`tasks/\`

    error[step/undecidable]: nobody can tell whether "bootstrap etcd" has happened on \`cp-1\`
    because: cp-1 does not answer; run 01J had set out to do it
    help: look at the machine, then run the same command again

    error[lock/held]: another run is changing this repository
    because: tk bootstrap (pid 4) holds .tk/lock
    help: wait until it ends, or stop it

    error[confirm/declined]: not confirmed
    because: the question was: wipe cp-1?
    help: nothing was changed

    error[prompt/no-terminal]: nobody can answer "wipe cp-1?"
    because: there is no terminal
    help: confirm with \`--yes\`

    error[prompt/no-terminal]: nobody can answer "wipe cp-1?"
    because: there is no terminal
    help: \`--yes\` is not enough for this: set \`TK_ANSWER_YES=cp-1\`

    error[prompt/no-terminal]: nobody can answer "which machine"
    because: there is no terminal
    help: give the answer with \`--node …\`

    error[journal/write]: .tk/runs/01J/journal.jsonl cannot be written
    because: what cannot be recorded is not begun
    help: make room, or make it writable

    error[run/unfinished]: the run ended without 2 tasks: \`a\` and \`b\`
    help: please report it: this is a defect of tk
    "
  `);
});

test('a code has words in exactly one table', () => {
  const codes = Object.values(printerTables).flatMap((table) => Object.keys(table));
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  expect(failureWords({ code: codes[0] ?? '', facts: { waitingFor: 'x', deadlineMs: 1 } }).title).toBe('waited 1ms for x');
});

test('no table of words is forgotten, and every code that a layer declares has words', async () => {
  const tables = new Set<unknown>(Object.values(printerTables));
  const folder = new URL('../../../lib/ui/failures/', import.meta.url);
  for (const file of await readdir(folder)) {
    const exported: Readonly<Record<string, unknown>> = await import(new URL(file, folder).href);
    for (const [name, table] of Object.entries(exported))
      if (name.endsWith('Printers')) expect({ name, merged: tables.has(table) }).toEqual({ name, merged: true });
  }
  const codes = new Set(Object.values(printerTables).flatMap((table) => Object.keys(table)));
  const lib = new URL('../../../lib/', import.meta.url);
  const silent: string[] = [];
  for (const file of await readdir(lib, { recursive: true })) {
    if (file.startsWith('ui/') || !/(?:^|[/-])failures?\.ts$/.test(file)) continue;
    const source = await readFile(new URL(file, lib), 'utf8');
    for (const [, code = ''] of source.matchAll(/^ {2}'([a-z-]+\/[a-z-]+)':/gm)) if (!codes.has(code)) silent.push(`${file} ${code}`);
  }
  expect(silent).toEqual([]);
});
