import { posix } from 'node:path';
import { type Files, throwIfAny } from '../base/index.ts';
import { type ClusterModel, loadClusterInputs, type NodeModel } from '../config/index.ts';
import { editYaml, parseYaml } from '../format/index.ts';
import type { Connections } from './connections.ts';

/** An entry of the inventory, before it is one. */
export interface NewMachine {
  readonly name: string;
  readonly address: string;
  readonly controller: boolean;
  /** A path that begins with `/`, or a serial number. */
  readonly disk: string;
  readonly macAddress: string;
}

/** What answers under an address. Only a machine in maintenance mode shows its hardware to strangers. */
export type DiscoveredMachine =
  | { readonly state: 'unreachable'; readonly reason: string }
  | { readonly state: 'configured' | 'foreign' }
  | {
      readonly state: 'maintenance';
      readonly talosVersion?: string;
      /** Those that Talos can be installed to. */
      readonly disks: readonly { readonly path: string; readonly serial: string; readonly model: string; readonly sizeBytes: number }[];
      readonly links: readonly { readonly name: string; readonly macAddress: string }[];
    };

export interface InventoryView {
  /** The file that a new node is written to, relative to the repository. */
  readonly path: string;
  discover(address: string, signal: AbortSignal): Promise<DiscoveredMachine>;
}

export interface Inventory extends InventoryView {
  /**
   * Adds an entry behind the last; every other byte of the file stays. The inputs are checked as a whole first.
   *
   * Failure: `config/*`; nothing is written then.
   */
  add(machine: NewMachine): Promise<void>;
}

export interface InventoryParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly connections: Pick<Connections, 'probe' | 'maintenanceReader'>;
}

export function createInventory({ model, files, connections }: InventoryParts): Inventory {
  const { root, talconfig } = model.paths;
  const isOurs = model.source === 'cluster.yaml';
  const path = isOurs ? 'nodes.yaml' : posix.relative(root, talconfig);
  return {
    path,
    async discover(address, signal) {
      const stranger = strangerAt(address, model);
      const probe = await connections.probe(stranger, signal);
      if (probe.state === 'unreachable') return { state: 'unreachable', reason: probe.reason };
      if (probe.state !== 'maintenance') return { state: probe.state };
      const reader = connections.maintenanceReader(stranger, probe.spkiSha256);
      try {
        const disks = (await reader.disks(signal)).filter((disk) => !disk.isReadonly && !disk.isCdrom);
        const links = (await reader.links(signal)).filter((link) => link.isPhysical);
        return {
          state: 'maintenance',
          ...(probe.version === undefined ? {} : { talosVersion: probe.version.tag }),
          disks: disks.map(({ devPath, serial, model: name, sizeBytes }) => ({ path: devPath, serial, model: name, sizeBytes })),
          links: links.map(({ name, permanentMac, mac }) => ({ name, macAddress: permanentMac === '' ? mac : permanentMac })),
        };
      } finally {
        reader.close();
      }
    },
    async add(machine) {
      const absolute = posix.join(root, path);
      const text = (await files.readText(absolute)) ?? 'nodes: []\n';
      const { documents, failures } = parseYaml({ path, text }, { version: 'go' });
      throwIfAny(failures);
      const nodes = (documents[0]?.value as { readonly nodes?: readonly unknown[] } | null | undefined)?.nodes ?? [];
      const value = isOurs ? nodeEntry(machine) : talconfigEntry(machine);
      const edited =
        nodes.length === 0
          ? editYaml({ path, text }, [{ op: 'set', path: ['nodes'], value: [value] }])
          : editYaml({ path, text }, [{ op: 'set', path: ['nodes', nodes.length], value }]);
      if (isOurs) throwIfAny((await loadClusterInputs(withText(files, absolute, edited), root)).failures);
      await files.write(absolute, edited);
    },
  };
}

/** Nobody of the inventory: it has no name, and is never sent a config. */
function strangerAt(address: string, model: ClusterModel): NodeModel {
  const [first] = model.nodes;
  return { ...(first as NodeModel), name: address as NodeModel['name'], address, addresses: [address], macAddresses: [] };
}

const withText = (files: Files, path: string, text: string): Files => ({
  ...files,
  read: async (asked) => (asked === path ? Buffer.from(text) : files.read(asked)),
  readText: async (asked) => (asked === path ? text : files.readText(asked)),
});

const nodeEntry = ({ name, address, controller, disk, macAddress }: NewMachine) => ({
  name,
  address,
  controller,
  disk,
  mac_addr: macAddress,
});

const talconfigEntry = ({ name, address, controller, disk, macAddress }: NewMachine) => ({
  hostname: name,
  ipAddress: address,
  controlPlane: controller,
  ...(disk.startsWith('/') ? { installDisk: disk } : { installDiskSelector: { serial: disk } }),
  networkInterfaces: [{ deviceSelector: { hardwareAddr: macAddress }, dhcp: true }],
});
