import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Exchange, replay } from './replay.ts';

const { exchanges } = JSON.parse(readFileSync(new URL('./exchanges.json', import.meta.url), 'utf8')) as { exchanges: readonly Exchange[] };
const gaps = new Map(
  readFileSync(new URL('../known-gaps.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('kube: '))
    .map((line) => line.slice('kube: '.length).split(' — ') as [string, string]),
);

const answers = await replay();
const recorded = new Map(exchanges.map((exchange) => [exchange.id, exchange]));

for (const answer of answers) {
  const gap = gaps.get(answer.id);
  if (gap === undefined) {
    test(`${answer.id}: the simulated API server answers as the real one`, () => {
      expect(answer).toEqual(recorded.get(answer.id));
    });
  } else {
    test(`${answer.id}: differs from the real API server: ${gap}`, () => {
      expect(answer).not.toEqual(recorded.get(answer.id));
    });
  }
}

test('every recorded exchange was replayed', () => {
  expect(answers.map(({ id }) => id)).toEqual(exchanges.map(({ id }) => id));
});
