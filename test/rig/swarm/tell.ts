import { bootstrapStory } from './bootstrap-story.ts';
import { tellMany } from './tell-many.ts';

/** `node tell.ts FIRST COUNT FILE` tells histories, and what happened in them: one JSON document. */
const [first = '0', count = '1', file = ''] = process.argv.slice(2);
// Thousands of failures are told in a swarm, and nobody looks where they were made.
Error.stackTraceLimit = count === '1' ? 30 : 0;
const told = await tellMany(bootstrapStory, { first: Number(first), count: Number(count) }, file);
process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0));
