import { describe, expect, test } from 'vitest';
import { TkError } from '../../../../lib/base/index.ts';
import { disruptionOptions, readDuration, shareOf } from '../../../../lib/cluster/index.ts';
import { parseOverrides } from '../../../../lib/cluster/lifecycle/overrides.ts';
import { compactTime, microTime, readTime } from '../../../../lib/cluster/lifecycle/utc.ts';

const gates = ['identity', 'etcd-quorum', 'volumes'];
const codeOf = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error instanceof TkError ? { code: error.failure.code, ...error.failure.facts } : error;
  }
};

describe('overrides', () => {
  test('a gate, a sign and a reason', () => {
    expect([...parseOverrides(['etcd-quorum=cp-3 is in the workshop', 'volumes: "they detach by hand"'], gates)]).toEqual([
      ['etcd-quorum', 'cp-3 is in the workshop'],
      ['volumes', 'they detach by hand'],
    ]);
  });
  test('a comma in a reason belongs to the reason', () => {
    expect([...parseOverrides(['etcd-quorum=cp-3 is dead', 'replaced tomorrow', 'volumes=known'], gates)]).toEqual([
      ['etcd-quorum', 'cp-3 is dead, replaced tomorrow'],
      ['volumes', 'known'],
    ]);
  });
  test('no reason, an empty one, and one that says nothing', () => {
    expect(['etcd-quorum', 'etcd-quorum=', 'etcd-quorum=ok'].map((word) => codeOf(() => parseOverrides([word], gates)))).toEqual(
      Array.from({ length: 3 }, () => ({ code: 'usage/override-reason', gate: 'etcd-quorum' })),
    );
  });
  test('a gate that there is not', () => {
    expect(codeOf(() => parseOverrides(['etcd-quorom=known'], gates))).toEqual({
      code: 'usage/override-unknown',
      asked: 'etcd-quorom',
      known: ['image', ...gates],
      suggestion: 'etcd-quorum',
    });
  });
});

test('shares of the workers', () => {
  const cases: readonly (readonly [string | number, number])[] = [
    [1, 5],
    [3, 2],
    ['25%', 5],
    ['25%', 4],
    ['1%', 100],
    ['100%', 7],
    ['1%', 0],
  ];
  expect(cases.map(([asked, total]) => shareOf(asked, total, 'workers'))).toEqual([1, 3, 2, 1, 1, 7, 1]);
  expect(['0', '-1', '1.5', 'half', '%', ''].map((asked) => codeOf(() => shareOf(asked, 4, 'workers')))).toEqual(
    ['0', '-1', '1.5', 'half', '%', ''].map((asked) => ({ code: 'usage/share', asked, what: 'workers' })),
  );
});

test('durations', () => {
  expect(['90s', '5m', '1h30m', '250ms', '1.5h', '5', 'm', '5 m', '-1s'].map(readDuration)).toEqual([
    90_000,
    300_000,
    5_400_000,
    250,
    5_400_000,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('how pods are moved', () => {
  const policy = (drain: string, drainTimeout = '5m') =>
    disruptionOptions({ drain, drainTimeout, override: [], acceptDowntime: false }, { overridesFrom: () => new Map() } as never).drain;
  expect([policy('evict'), policy('evict', '90s'), policy('skip'), policy('delete-after=2m')]).toEqual([
    { how: 'evict', deadlineMs: 300_000 },
    { how: 'evict', deadlineMs: 90_000 },
    { how: 'skip' },
    { how: 'delete-after', afterMs: 120_000, deadlineMs: 420_000 },
  ]);
});

test('times as Kubernetes writes them', () => {
  const ms = 1_795_264_352_123;
  expect(microTime(ms)).toBe('2026-11-21T12:32:32.123000Z');
  expect([readTime('2026-11-21T12:32:32.123000Z'), readTime('2026-11-21T12:32:32Z'), readTime('yesterday'), readTime('')]).toEqual([
    ms,
    1_795_264_352_000,
    undefined,
    undefined,
  ]);
  expect(compactTime(ms)).toBe('20261121T123232Z');
});
