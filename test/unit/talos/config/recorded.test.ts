import { expect, test } from 'vitest';
import { coverage } from '../../../oracle/recorded/recorded.ts';

/** Keys that talhelper or Talos refuses, or drops, wherever they are written. */
const withoutRecording = [
  'block.FilesystemSpec.xfs',
  'block.XFSSpec.minAllocationGroupSize',
  'v1alpha1.Bond.adActorSystem',
  'v1alpha1.Bond.arpIPTarget',
  'v1alpha1.Bond.primary',
  'v1alpha1.BridgePort.master',
  'v1alpha1.DHCPOptions.duidv6',
  'v1alpha1.Device.bridgePort',
  'v1alpha1.InstallDiskSelector.name',
  'v1alpha1.Vlan.cidr',
];

test('every key of talconfig.yaml, merge rule and document kind has a case that upstream answered', () => {
  const { 'talconfig keys': keys, 'merge rules': rules, 'document kinds': kinds } = coverage();
  expect([keys.blank, rules.blank, kinds.blank]).toEqual([withoutRecording, [], []]);
});
