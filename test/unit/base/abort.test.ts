import { expect, test } from 'vitest';
import { eitherOf } from '../../../lib/base/index.ts';

test('either of two wishes to end ends the work, with its reason', () => {
  for (const first of [0, 1]) {
    const [one, other] = [new AbortController(), new AbortController()];
    const either = eitherOf(one.signal, other.signal);
    expect(either.signal.aborted).toBe(false);
    [one, other][first]?.abort('enough');
    [other, one][first]?.abort('too late');
    expect([either.signal.aborted, either.signal.reason]).toEqual([true, 'enough']);
  }
});

test('one that came before is heard at once', () => {
  expect(eitherOf(AbortSignal.abort('before'), new AbortController().signal).signal.reason).toBe('before');
  expect(eitherOf(new AbortController().signal, AbortSignal.abort('before')).signal.reason).toBe('before');
});

test('work that is over hears of neither', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const either = eitherOf(one.signal, other.signal);
  either.stop();
  one.abort();
  other.abort();
  expect(either.signal.aborted).toBe(false);
});
