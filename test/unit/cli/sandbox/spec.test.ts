import { expect, test } from 'vitest';
import { sandboxSpecOf } from '../../../../lib/cli/sandbox/spec.ts';
import type { ClusterModel, NodeModel } from '../../../../lib/config/index.ts';

test.for([
  ['sd', '/dev/mmcblk0 mmc'],
  ['nvme', '/dev/nvme0n1 nvme'],
  ['ssd', '/dev/sda sata'],
  ['hdd', '/dev/sda sata'],
] as const)('a disk that a selector of type %s finds', ([type, expected]) => {
  const node = { name: 'a', address: '10.0.0.1', macAddresses: [], disk: { by: 'selector', selector: { type } } } as unknown as NodeModel;
  const [machine] = sandboxSpecOf({ name: 'x', nodes: [node] } as unknown as ClusterModel).machines;
  expect(machine?.disks.map(({ path, transport }) => `${path} ${transport}`)).toEqual([expected]);
});
