import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from '../../../lib/base/index.ts';

test('a checksum is the one that everybody knows', () => {
  expect(crc32('123456789')).toBe(0xcbf43926);
  expect(crc32('')).toBe(0);
});

test('texts are summed up as zlib does, one after the other too', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (one, other) => {
      expect(crc32(other, crc32(one))).toBe(zlib.crc32(one + other));
    }),
    { numRuns: 200 },
  );
});
