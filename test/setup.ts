import { configureGlobal } from 'fast-check';
import { afterAll } from 'vitest';

// Files of one worker share its globals; a swarm turns stack traces off, and inline snapshots need them to find their place.
const { stackTraceLimit } = Error;
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

// The same examples in every run of `npm test`; TK_SEED=random (or a number) draws others.
const wanted = process.env['TK_SEED'] ?? '2026';
if (wanted !== 'random') configureGlobal({ seed: Number(wanted) });
