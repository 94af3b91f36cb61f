import { expect, test } from 'vitest';
import { coverage } from '../../../oracle/recorded/recorded.ts';

test('every key of talconfig.yaml, merge rule and document kind has a case that upstream answered', () => {
  const { 'talconfig keys': keys, 'merge rules': rules, 'document kinds': kinds } = coverage();
  expect([keys.blank, rules.blank, kinds.blank]).toEqual([[], [], []]);
});
