import { expect, test } from 'vitest';
import { sandboxSpecOf } from '../../../../lib/cli/sandbox/spec.ts';
import { matchingDisks } from '../../../../lib/cluster/disk-choice.ts';
import type { ClusterModel, NodeModel } from '../../../../lib/config/index.ts';
import { createMemoryWorld, startCluster } from '../../../../lib/sim/index.ts';
import { createTalosReader } from '../../../../lib/talos/index.ts';

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

test.for([
  ['/dev/sda', '/dev/sda sata'],
  ['/dev/vdb', '/dev/vdb virtio'],
  ['/dev/nvme1n1', '/dev/nvme1n1 nvme'],
  ['/dev/mmcblk1', '/dev/mmcblk1 mmc'],
  ['/dev/disk/by-id/nvme-eui.0000000000000001', '/dev/nvme0n1 nvme'],
  ['/dev/disk/by-id/ata-Disk_1TB_S1', '/dev/sda sata'],
  ['/dev/disk/by-id/usb-Stick_S1-0:0', '/dev/sda usb'],
  ['/dev/disk/by-path/pci-0000:01:00.0-nvme-1', '/dev/nvme0n1 nvme'],
  ['/dev/disk/by-path/virtio-pci-0000:00:05.0', '/dev/vda virtio'],
] as const)('%s is a disk that its machine has', async ([path, expected]) => {
  const node = {
    name: 'a',
    address: '10.0.0.1',
    macAddresses: [],
    disk: { by: 'path', path },
    role: 'controlplane',
    talosVersion: 'v1.14.1',
  };
  const spec = sandboxSpecOf({ name: 'x', nodes: [node] } as unknown as ClusterModel);
  const [machine] = spec.machines;
  expect(machine?.disks.map((disk) => `${disk.path} ${disk.transport}`)).toEqual([expected]);
  const { kernel, network, world } = createMemoryWorld();
  startCluster(kernel, network, spec);
  const reader = createTalosReader(world, { node: 'a', host: '10.0.0.1', trust: { kind: 'insecure' } });
  const disks = await reader.disks(new AbortController().signal);
  expect(matchingDisks({ by: 'path', path }, disks).map(({ devPath }) => devPath)).toEqual([expected.split(' ')[0]]);
});
