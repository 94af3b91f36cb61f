import { afterAll } from 'vitest';

// Files of one worker share its globals; a swarm turns stack traces off, and inline snapshots need them to find their place.
const { stackTraceLimit } = Error;
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});
