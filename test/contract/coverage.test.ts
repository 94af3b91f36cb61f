import { expect, test } from 'vitest';
import { callCoverage, isUncovered } from '../rig/upstream-coverage.ts';

test('every call that is served or said was held against upstream, or says why not', () => {
  expect(callCoverage().filter(isUncovered)).toEqual([]);
});

test('a gap that was closed is struck from the list', () => {
  const closed = callCoverage().filter(({ gap, talosctl, client }) => gap !== undefined && (talosctl.has(0) || client.length > 0));
  expect(closed).toEqual([]);
});
