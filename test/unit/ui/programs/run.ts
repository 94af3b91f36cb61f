// Sixty tasks, each of which waits for a line from the test (over the socket that the command line names) before it ends.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { createRedactor } from '../../../../lib/base/index.ts';
import { createEngine, createRegistry, fail, forEach } from '../../../../lib/core/index.ts';
import { createRenderer } from '../../../../lib/ui/index.ts';
import { z } from 'zod';
import { countingRandom, defineTask, MemoryFiles, noPrompter } from '../../core/rig.ts';
import { clock, stderr } from './terminal.ts';

const lines = createInterface({ input: connect(process.argv[2] ?? '') })[Symbol.asyncIterator]();
let turn: Promise<unknown> = Promise.resolve();
const permission = () => (turn = turn.then(() => lines.next()));

const one = defineTask({
  summary: 'One',
  params: z.object({ node: z.string() }),
  effect: 'mutate',
  async run({ params, step, log }) {
    await step('work', () => permission(), { node: params.node });
    log(`worked on ${params.node}`);
    if (params.node === 'n57') fail('n57 broke', { because: 'it is old', help: 'replace it' });
  },
});
const all = defineTask({
  summary: 'All',
  needs: forEach(
    Array.from({ length: 60 }, (_, index) => `n${index}`),
    (node) => one({ node }),
    { parallel: 3 },
  ),
  effect: 'mutate',
  run() {},
});
const registry = createRegistry();
registry.register('one', one);
registry.register('all', all);
const renderer = await createRenderer('auto', { stream: stderr, clock, colors: true, simulated: false });
const engine = createEngine({
  world: { clock, random: countingRandom(), files: new MemoryFiles() },
  registry,
  kit: { plan: () => ({ site: '' }), run: () => ({ site: '' }) },
  stateDirectory: '/repo/.tk',
  identity: 'home',
  version: '0.1.0',
  redactor: createRedactor(),
  prompter: noPrompter,
  sinks: [renderer.sink],
  stdout: () => {},
  owner: 'the test',
});
const run = engine.run([all()], { argv: [], about: 'sixty machines', shownPath: () => '.tk/runs/01J/journal.jsonl' });
process.on('SIGINT', () => run.stop('SIGINT'));
const result = await run.finished;
await renderer.close();
process.exit(result.exitCode);
