import { expect, test } from 'vitest';
import { type NodeUpgradeState, type Roll, rollHeadline } from '../../../../lib/cluster/index.ts';

const at = (state: 'equal' | 'needed' | 'leaving', name: string, from: string, schematicId = 'a'): NodeUpgradeState =>
  ({
    state,
    node: { name },
    facts: { node: { name, role: 'worker' }, talosVersion: from, schematicId: 'a', stage: 'running' },
    target: { image: '', version: 'v1.14.1', schematicId },
    cordon: { state: 'none' },
  }) as unknown as NodeUpgradeState;

const roll = (equal: readonly NodeUpgradeState[], ...workers: readonly NodeUpgradeState[]): Roll => ({
  controlPlanes: [],
  workers,
  equal,
  parallel: 1,
});

test('the headline of a roll counts who changes, and says from what to what', () => {
  const there = at('equal', 'c', 'v1.14.1');
  const needed = at('needed', 'a', 'v1.13.10');
  expect(rollHeadline(roll([there], needed, at('needed', 'b', 'v1.13.9')))).toBe(
    '2 of 3 nodes change: Talos v1.13.9, v1.13.10 → v1.14.1, schematic unchanged',
  );
  expect(rollHeadline(roll([there], needed))).toBe('1 of 2 nodes changes: Talos v1.13.10 → v1.14.1, schematic unchanged');
  expect(rollHeadline(roll([], at('needed', 'a', 'v1.14.1', 'b')))).toBe('Talos v1.14.1, another schematic on a');
  const silent = { state: 'unknown', node: { name: 'd' } } as unknown as NodeUpgradeState;
  expect(rollHeadline(roll([there], needed, silent))).toBe(
    '1 of 3 nodes changes: Talos v1.13.10 → v1.14.1, schematic unchanged; d cannot be asked',
  );
  expect(rollHeadline(roll([], silent))).toBe('d cannot be asked');
  expect(rollHeadline(roll([there, there]))).toBe('no node changes: all 2 run v1.14.1 already');
  expect(rollHeadline(roll([there]))).toBe('no node changes: it runs v1.14.1 already');
  expect(rollHeadline(roll([there], at('leaving', 'a', 'v1.13.9')))).toBe('1 of 2 nodes is on the way to v1.14.1 already');
});
