// Starts a "machine" (a file that counts its starts) exactly once, on the real file system, and dies where it is told to.
// Arguments: directory, name of this process, where to die: an event number, `before-act`, `after-act`, `never`, or `wait`
// (stands in the act until it is killed).
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createRedactor } from '../../../../lib/base/index.ts';
import { createEngine, createRegistry, done, notDone } from '../../../../lib/core/index.ts';
import { createHostWorld } from '../../../../lib/host/index.ts';
import { defineTask, noPrompter } from '../rig.ts';

const [directory = '', name = '', death = 'never'] = process.argv.slice(2);
const machine = `${directory}/machine`;
const die = () => process.kill(process.pid, 'SIGKILL');

const start = defineTask({
  summary: 'Start the machine',
  effect: 'mutate',
  async run({ step }) {
    await step('prepare', () => {});
    await step.once('start', {
      target: name,
      probe: () => (existsSync(machine) ? done(readFileSync(machine, 'utf8').trim()) : notDone()),
      async act(_step, target) {
        if (death === 'before-act') die();
        if (death === 'wait') {
          process.stdout.write('standing in the act\n');
          await new Promise((resolve) => setTimeout(resolve, 60_000));
        }
        appendFileSync(machine, `${target}\n`);
        if (death === 'after-act') die();
      },
    });
    await step('finish', () => {});
  },
});
const registry = createRegistry();
registry.register('start', start);
const world = createHostWorld();
const engine = createEngine({
  world,
  registry,
  kit: { plan: () => ({ site: '' }), run: () => ({ site: '' }) },
  stateDirectory: `${directory}/.tk`,
  identity: 'home',
  version: '0.0.0',
  redactor: createRedactor(),
  prompter: noPrompter,
  sinks: [
    (event) => {
      if (event.sequence === Number(death)) die();
    },
  ],
  stdout: () => {},
  owner: name,
});
const result = await engine.run([start()], { argv: ['start'] }).finished;
process.stdout.write(
  `${JSON.stringify({ outcome: result.outcome, failures: result.failures.map(({ code, facts }) => ({ code, facts })) })}\n`,
);
process.exitCode = result.exitCode;
