import { expect, test } from 'vitest';
import type { NodeName } from '../../../../lib/base/index.ts';
import { type NodeReport, successorProblems } from '../../../../lib/cluster/index.ts';
import { clusterFailure } from '../../../../lib/cluster/failures.ts';
import type { NodeModel } from '../../../../lib/config/index.ts';

const nodeOf = (name: string, address: string) => ({ name: name as NodeName, address, role: 'controlplane' }) as NodeModel;
const old = nodeOf('cp-3', '10.0.0.13');
const other = nodeOf('cp-4', '10.0.0.14');
const asked = { isForced: false };

const report = (node: NodeModel, state: NodeReport['state'], problems: NodeReport['problems'] = []): NodeReport => ({
  node,
  state,
  problems,
  warnings: [],
});
const maintenance = { state: 'maintenance', spkiSha256: 'x', talosVersion: 'v1.14.1' } as const;
const configured = { state: 'configured', talosVersion: 'v1.14.1', stage: 'running', isReady: true, unmet: [] } as const;
const codes = (failures: ReturnType<typeof successorProblems>) => failures.map(({ code, facts }) => [code, facts['state'] ?? '']);

test('a machine that waits for a config may come, under the old name or another', () => {
  expect([successorProblems(old, report(old, maintenance), asked), successorProblems(old, report(other, maintenance), asked)]).toEqual([
    [],
    [],
  ]);
  // It has joined already: a run before, or somebody else.
  expect(successorProblems(old, report(other, configured), asked)).toEqual([]);
});

test('nobody is removed for a machine on other disks, of another version, of another cluster, or for nobody', () => {
  const wrong = [
    clusterFailure('preflight/no-disk', { node: 'cp-4', wanted: 'serial S1', found: ['/dev/sda'] }),
    clusterFailure('preflight/version', { node: 'cp-4', running: 'v1.12.6', wanted: 'v1.14.1' }),
  ];
  const foreign = [clusterFailure('preflight/foreign', { node: 'cp-4', address: '10.0.0.14' })];
  const dark = { state: 'unreachable', reason: 'timeout' } as const;
  expect([
    codes(successorProblems(old, report(other, maintenance, wrong), asked)),
    codes(successorProblems(old, report(other, { state: 'foreign' }, foreign), asked)),
    codes(successorProblems(old, report(old, dark), asked)),
    codes(successorProblems(old, report(other, dark), { isForced: true })),
  ]).toEqual([
    [
      ['preflight/no-disk', ''],
      ['preflight/version', ''],
    ],
    [['preflight/foreign', '']],
    [['node/no-successor', 'unreachable']],
    [['node/no-successor', 'unreachable']],
  ]);
});

test('the old machine that still answers is no new one, whatever was agreed to about its data', () => {
  expect([
    codes(successorProblems(old, report(old, configured), asked)),
    codes(successorProblems(old, report(old, configured), { isForced: true })),
  ]).toEqual([[['node/half-works', '']], [['node/no-successor', 'configured']]]);
});
