import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSameJson } from '../../../../lib/cluster/kubernetes-upgrade/same-json.ts';

test('values of JSON are the same exactly where Node says so', () => {
  const few = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom('a', 'b') });
  fc.assert(fc.property(few, few, (one, other) => isSameJson(one, other) === isDeepStrictEqual(one, other)));
  fc.assert(fc.property(fc.jsonValue(), (value) => isSameJson(value, JSON.parse(JSON.stringify(value)))));
});

test('the order of keys is nothing, the order of items is', () => {
  expect(isSameJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  expect(isSameJson({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
  expect(isSameJson([], {})).toBe(false);
  expect(isSameJson({ a: undefined }, { b: undefined })).toBe(false);
});
