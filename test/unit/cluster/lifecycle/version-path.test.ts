import { expect, test } from 'vitest';
import { versionPathProblems } from '../../../../lib/cluster/lifecycle/gates/version-path.ts';

const problemsOf = (from: string, to: string, ...kubernetes: string[]) =>
  versionPathProblems({ node: 'cp-1', from, to, kubernetes }).map(({ facts }) => facts);

test('within a minor, and to the next one', () => {
  expect([
    problemsOf('v1.14.0', 'v1.14.1', 'v1.37.0'),
    problemsOf('v1.13.9', 'v1.14.1', 'v1.36.3', 'v1.35.4'),
    problemsOf('v1.12.11', 'v1.13.9', 'v1.35.4'),
    problemsOf('v1.14.0-rc.1', 'v1.14.1', 'v1.37.0'),
  ]).toEqual([[], [], [], []]);
});

test('a minor that is skipped, with the way that would do', () => {
  expect(problemsOf('v1.12.6', 'v1.14.1', 'v1.35.4')).toEqual([
    {
      node: 'cp-1',
      from: 'v1.12.6',
      to: 'v1.14.1',
      because: 'skips-a-minor',
      hops: ['Talos v1.12.11', 'Talos v1.13.9', 'Talos v1.14.1'],
    },
  ]);
});

test('what the installer itself would refuse', () => {
  expect(problemsOf('v1.11.6', 'v1.14.1', 'v1.34.1')).toMatchObject([{ because: 'not-installable', other: 'v1.12.0' }]);
});

test('older than what runs', () => {
  expect(problemsOf('v1.14.1', 'v1.13.9', 'v1.36.3')).toMatchObject([{ because: 'downgrade' }]);
});

test('a kubelet that the new Talos does not run, wherever it is', () => {
  expect(problemsOf('v1.13.9', 'v1.14.1', 'v1.36.3', 'v1.31.2', 'v1.36.3')).toMatchObject([{ because: 'kubernetes', other: 'v1.31.2' }]);
});

test('a Talos that nobody here knows', () => {
  expect(problemsOf('v1.14.1', 'v1.99.0', 'v1.37.0')).toEqual([
    { node: 'cp-1', from: 'v1.14.1', to: 'v1.99.0', because: 'unknown', other: '1.14' },
  ]);
});
