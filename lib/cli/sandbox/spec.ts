import { createHash } from 'node:crypto';
import type { ClusterModel, NodeModel } from '../../config/index.ts';
import type { DiskSpec, MachineSpec, SandboxSpec } from '../../sim/index.ts';

/**
 * The machines that a repository's inventory describes, as they would stand there before anything was done to them: the named disk,
 * the named network card, the named Talos image. What the inventory leaves open is derived from the node's name, so that the same
 * repository always gets the same machines.
 */
export function sandboxSpecOf(model: ClusterModel): SandboxSpec {
  return {
    clusterName: model.name,
    machines: model.nodes.map(machineOf),
    ...(model.vip === undefined ? {} : { vip: model.vip }),
  };
}

function machineOf(node: NodeModel): MachineSpec {
  const digest = createHash('sha256').update(`${node.name} ${node.address}`).digest('hex');
  const macs = node.macAddresses.length > 0 ? node.macAddresses : [`02:${(digest.slice(0, 10).match(/../g) ?? []).join(':')}`];
  return {
    name: node.name,
    address: node.address,
    role: node.role,
    talosVersion: node.talosVersion,
    uuid: `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`,
    disks: [diskOf(node, digest)],
    links: macs.map((mac, index) => ({ name: `enp${index + 1}s0`, mac })),
    secureBoot: node.secureBoot,
    ...(node.schematicId === undefined ? {} : { schematicId: node.schematicId }),
  };
}

const gigabyte = 1_000_000_000;

function diskOf(node: NodeModel, digest: string): DiskSpec {
  const serial = `SIM${digest.slice(0, 12).toUpperCase()}`;
  const plain = { path: '/dev/nvme0n1', sizeBytes: 512 * gigabyte, model: 'Simulated NVMe 512GB', serial, transport: 'nvme' } as const;
  switch (node.disk.by) {
    case 'nothing':
      return plain;
    case 'path':
      return diskAt(node.disk.path, plain);
    case 'selector': {
      const { selector } = node.disk;
      const rotational = selector['type'] === 'hdd';
      const type = selector['type'] ?? 'nvme';
      const transport = type === 'nvme' ? 'nvme' : type === 'sd' ? 'mmc' : 'sata';
      return {
        path: { nvme: '/dev/nvme0n1', mmc: '/dev/mmcblk0', sata: '/dev/sda' }[transport],
        sizeBytes: sizeThatFits(selector['size']),
        model: withoutGlob(selector['model']) ?? plain.model,
        serial: withoutGlob(selector['serial']) ?? serial,
        transport,
        ...(rotational ? { rotational } : {}),
        ...(selector['wwid'] === undefined ? {} : { wwid: withoutGlob(selector['wwid']) ?? '' }),
        ...(selector['busPath'] === undefined ? {} : { busPath: withoutGlob(selector['busPath']) ?? '' }),
      };
    }
  }
}

/** `/dev/disk/by-id/nvme-…`, `/dev/disk/by-path/pci-…-nvme-1` are links of udev's; their names tell what they link to. */
function diskAt(path: string, plain: DiskSpec): DiskSpec {
  const isLink = path.startsWith('/dev/disk/');
  const links = isLink ? { symlinks: [path] } : {};
  const isOf = (device: RegExp, link: RegExp) => (isLink ? link : device).test(path);
  if (isOf(/^\/dev\/nvme/, /[/-]nvme-/)) return { ...plain, path: isLink ? plain.path : path, ...links };
  const kind = isOf(/^\/dev\/vd/, /[/-]virtio-/)
    ? ({ path: '/dev/vda', model: 'Simulated SSD 512GB', transport: 'virtio' } as const)
    : isOf(/^\/dev\/mmcblk/, /[/-]mmc-/)
      ? ({ path: '/dev/mmcblk0', model: 'Simulated SD 512GB', transport: 'mmc' } as const)
      : isOf(/^$/, /[/-]usb-/)
        ? ({ path: '/dev/sda', model: 'Simulated USB 512GB', transport: 'usb' } as const)
        : ({ path: '/dev/sda', model: 'Simulated SSD 512GB', transport: 'sata' } as const);
  return { ...plain, ...kind, path: isLink ? kind.path : path, ...links };
}

/** Something that the pattern matches: selectors are globs. */
const withoutGlob = (pattern: string | undefined): string | undefined => pattern?.replaceAll('*', 'X').replaceAll('?', 'x');

const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

function sizeThatFits(selector: string | undefined): number {
  const match = /^\s*(<=|>=|==|<|>)?\s*([\d.]+)\s*([A-Za-z]*)\s*$/.exec(selector ?? '');
  const unit = units[(match?.[3] ?? '').toUpperCase()];
  if (!match || unit === undefined) return 512 * gigabyte;
  const bound = Math.round(Number(match[2]) * unit);
  switch (match[1]) {
    case '<':
      return bound - gigabyte > 0 ? bound - gigabyte : bound - 1;
    case '>':
      return bound + gigabyte;
    default:
      return bound;
  }
}
