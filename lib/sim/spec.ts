/** The machines of a simulated cluster, before anything was done to them: powered on, in maintenance mode. */
export interface SandboxSpec {
  readonly clusterName: string;
  readonly machines: readonly MachineSpec[];
  /** Floating address of the control planes, served by one of them once etcd runs. */
  readonly vip?: string;
  /** Hosts that answer HTTPS in the sandbox besides the machines: registries, the image factory. Port 443. */
  readonly extraHosts?: readonly string[];
}

export interface MachineSpec {
  readonly name: string;
  readonly address: string;
  readonly role: 'controlplane' | 'worker';
  /** Version of the image that the machine booted from, with its `v`. */
  readonly talosVersion: string;
  /** Lower case, with dashes. */
  readonly uuid: string;
  readonly disks: readonly DiskSpec[];
  readonly links: readonly LinkSpec[];
  readonly secureBoot?: boolean;
  readonly schematicId?: string;
  readonly memoryMiB?: number;
}

export interface DiskSpec {
  /** `/dev/nvme0n1` */
  readonly path: string;
  readonly sizeBytes: number;
  readonly model: string;
  readonly serial: string;
  readonly transport: 'nvme' | 'sata' | 'virtio' | 'usb' | 'mmc';
  readonly rotational?: boolean;
  readonly wwid?: string;
  readonly busPath?: string;
  /** What udev links to it: `/dev/disk/by-id/ata-…`. */
  readonly symlinks?: readonly string[];
}

export interface LinkSpec {
  /** `enp1s0` */
  readonly name: string;
  /** Lower case, colons. */
  readonly mac: string;
  readonly driver?: string;
}
