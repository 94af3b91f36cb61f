import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTk, type RunOptions, temporaryFolder } from '../rig/process.ts';
import { repositoryIn } from '../rig/repository.ts';
import { etcdClusters } from '../rig/sandbox-disk.ts';
import { runTkOnTerminal } from '../rig/terminal.ts';

/** Twenty processes have to start, and the machine may be busy with something else. */
const patience = 600_000;

/** How much further than any run before it each run gets. */
const stepsFurther = 2;
/** No run gets beyond this: behind it a run may have come to its end by the time that a signal arrives. */
const lastStep = 'all k8s nodes to report';

interface Told {
  readonly event: string;
  readonly task?: string;
  readonly title?: string;
  readonly waitingFor?: string;
}

/** Calls `then` as soon as a run has told of so many things that no run before it told of, or comes to its last step. */
function onNewGround(known: Set<string>, then: (kill: (signal: NodeJS.Signals) => void) => void): NonNullable<RunOptions['watch']> {
  let read = 0;
  let left = stepsFurther;
  return (text, kill) => {
    for (let end = text.indexOf('\n', read); end !== -1; end = text.indexOf('\n', read)) {
      const line = text.slice(read, end).trim();
      read = end + 1;
      if (!line.startsWith('{')) continue;
      const { event, task = '', title = '', waitingFor = '' } = JSON.parse(line) as Told;
      const place = `${event} ${task} ${title}${waitingFor}`;
      if (!known.has(place)) left -= 1;
      known.add(place);
      if (left !== 0 && !(left > 0 && event === 'step-started' && title === lastStep)) continue;
      left = -1;
      then(kill);
    }
  };
}

test('killed or stopped at twenty places, each further than the last, on a terminal and in a pipe, one bootstrap comes to its end', {
  timeout: patience,
}, async () => {
  using folder = temporaryFolder();
  const root = repositoryIn(folder.path, 'hut', { from: join(import.meta.dirname, 'fixtures/talhelper'), copies: ['.'] });
  const known = new Set<string>();
  const ends: string[] = [];
  for (let number = 0; number < 20; number += 1) {
    const signal = number % 2 === 0 ? 'SIGKILL' : 'SIGINT';
    // Of each signal every third on a terminal.
    const run = number % 6 < 2 ? runTkOnTerminal : runTk;
    let wasSent = false;
    const end = await run(['bootstrap', '--sim', '--output', 'json'], {
      cwd: root,
      watch: onNewGround(known, (kill) => {
        wasSent = true;
        kill(signal);
      }),
    });
    expect(wasSent, `run ${number} said nothing new:\n${end.stderr.slice(-2000)}`).toBe(true);
    ends.push(`${signal} ${end.signal ?? end.exitCode}`);
    // A terminal echoes the key where it has room for it: after our last line too, when nobody was reading.
    const said = end.stderr.replaceAll('^C', '').trim();
    if (signal === 'SIGINT')
      expect(JSON.parse(said.split('\n').at(-1) ?? '')).toMatchObject({ event: 'run-finished', outcome: 'interrupted' });
  }
  expect([...known]).toContain('step-started bootstrap:verify etcd to be healthy');
  expect(ends).toEqual(Array.from({ length: 10 }, () => ['SIGKILL SIGKILL', 'SIGINT 130']).flat());

  const last = await runTkOnTerminal(['bootstrap', '--sim'], { cwd: root });
  expect(last.exitCode, last.stderr.slice(-3000)).toBe(0);
  expect(last.stderr).toContain('Healthy: 2 nodes Ready, etcd 1 of 1');
  // The cursor that the view hides is there again.
  expect(last.stderr.lastIndexOf('\x1b[?25h')).toBeGreaterThan(last.stderr.lastIndexOf('\x1b[?25l'));
  expect(etcdClusters(root)).toEqual(['c1']);
});
