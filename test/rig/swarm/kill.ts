import { bootstrapStory } from './bootstrap-story.ts';
import { killEverywhere } from './kill-everywhere.ts';
import { prepared } from './prepare.ts';
import { scheduleOf, undisturbed } from './schedule.ts';

/** `node kill.ts CONTROL_PLANES WORKERS TREE` kills a bootstrap everywhere: one JSON document. */
const [controlPlanes = 1, workers = 0, tree = 0] = process.argv.slice(2).map(Number);
Error.stackTraceLimit = 0;
const calm = undisturbed({ ...scheduleOf('kill'), controlPlanes, workers, talos: 'v1.14.1', tree: tree === 1 });
const killed = await killEverywhere(bootstrapStory, calm, await prepared(calm));
process.stdout.write(`${JSON.stringify(killed)}\n`, () => process.exit(0));
