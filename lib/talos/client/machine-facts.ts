import { stripControl } from '../../base/index.ts';
import { type commonApi, definitions, type machineApi, type machineConfigApi } from '../../upstream/index.ts';
import type { ResourceType } from './resources.ts';

/** Where the facts of a machine lie. Source: Talos pkg/machinery/resources */
export const types = {
  machineStatus: { type: 'MachineStatuses.runtime.talos.dev', namespace: 'runtime' },
  machineConfig: { type: 'MachineConfigs.config.talos.dev', namespace: 'config' },
  machineType: { type: 'MachineTypes.config.talos.dev', namespace: 'config' },
  members: { type: 'Members.cluster.talos.dev', namespace: 'cluster' },
  disks: { type: 'Disks.block.talos.dev', namespace: 'runtime' },
  systemDisk: { type: 'SystemDisks.block.talos.dev', namespace: 'runtime' },
  discoveredVolumes: { type: 'DiscoveredVolumes.block.talos.dev', namespace: 'runtime' },
  volumeStatuses: { type: 'VolumeStatuses.block.talos.dev', namespace: 'runtime' },
  links: { type: 'LinkStatuses.net.talos.dev', namespace: 'network' },
  nodeAddresses: { type: 'NodeAddresses.net.talos.dev', namespace: 'network' },
  hostname: { type: 'HostnameStatuses.net.talos.dev', namespace: 'network' },
  systemInformation: { type: 'SystemInformations.hardware.talos.dev', namespace: 'hardware' },
  timeStatus: { type: 'TimeStatuses.v1alpha1.talos.dev', namespace: 'runtime' },
  extensions: { type: 'ExtensionStatuses.runtime.talos.dev', namespace: 'runtime' },
  securityState: { type: 'SecurityStates.talos.dev', namespace: 'runtime' },
  diagnostics: { type: 'Diagnostics.runtime.talos.dev', namespace: 'runtime' },
  staticPods: { type: 'StaticPodStatuses.kubernetes.talos.dev', namespace: 'k8s' },
  nodename: { type: 'Nodenames.kubernetes.talos.dev', namespace: 'k8s' },
} as const satisfies Record<string, ResourceType>;

export interface TalosVersion {
  /** `v1.14.1` */
  readonly tag: string;
  readonly sha: string;
  readonly arch: string;
  /** `metal`, `nocloud`, … absent where the machine does not say. */
  readonly platform?: string;
}

export type MachineStage =
  | 'unknown'
  | 'booting'
  | 'installing'
  | 'maintenance'
  | 'running'
  | 'rebooting'
  | 'shutting down'
  | 'resetting'
  | 'upgrading';

export interface MachineStatus {
  readonly stage: MachineStage;
  readonly isReady: boolean;
  readonly unmet: readonly { readonly name: string; readonly reason: string }[];
}

export interface ServiceStatus {
  readonly id: string;
  /** `Running`, `Waiting`, `Preparing`, `Finished`, … */
  readonly state: string;
  readonly health: 'healthy' | 'unhealthy' | 'unknown';
  /** Newest last: what the service said about itself. */
  readonly events: readonly { readonly state: string; readonly message: string }[];
}

export interface Disk {
  /** `sda`, `nvme0n1` */
  readonly id: string;
  /** `/dev/sda` */
  readonly devPath: string;
  readonly sizeBytes: number;
  readonly model: string;
  readonly serial: string;
  readonly wwid: string;
  readonly uuid: string;
  readonly modalias: string;
  readonly busPath: string;
  /** `sata`, `nvme`, `virtio`, `usb`, … */
  readonly transport: string;
  readonly isRotational: boolean;
  readonly isReadonly: boolean;
  readonly isCdrom: boolean;
  readonly symlinks: readonly string[];
}

export interface Link {
  readonly name: string;
  /** `aa:bb:cc:dd:ee:ff`; empty for links without one. */
  readonly mac: string;
  readonly permanentMac: string;
  /** Empty for physical links; `vlan`, `bond`, `bridge`, `veth`, … */
  readonly kind: string;
  /** An Ethernet port of the machine, not something made in software. */
  readonly isPhysical: boolean;
  readonly driver: string;
  readonly busPath: string;
  readonly isUp: boolean;
  readonly mtu: number;
}

export interface Member {
  readonly nodeId: string;
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly role: MachineRole;
  readonly operatingSystem: string;
}

export type MachineRole = 'unknown' | 'controlplane' | 'worker';

export interface EtcdMember {
  readonly id: bigint;
  readonly hostname: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface EtcdAlarm {
  readonly memberId: bigint;
  readonly alarm: 'NOSPACE' | 'CORRUPT';
}

export interface EtcdStatus {
  readonly memberId: bigint;
  /** 0 when this member sees no leader. */
  readonly leader: bigint;
  readonly raftIndex: bigint;
  readonly raftTerm: bigint;
  readonly raftAppliedIndex: bigint;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  readonly isLearner: boolean;
  readonly errors: readonly string[];
  readonly version: string;
}

export interface SystemInformation {
  readonly manufacturer: string;
  readonly productName: string;
  readonly serialNumber: string;
  readonly uuid: string;
}

const text = stripControl;

export function versionOf(version: machineApi.Version): TalosVersion {
  const platform = version.platform?.name;
  return {
    tag: text(version.version?.tag ?? ''),
    sha: text(version.version?.sha ?? ''),
    arch: text(version.version?.arch ?? ''),
    ...(platform ? { platform: text(platform) } : {}),
  };
}

const stages: readonly MachineStage[] = [
  'unknown',
  'booting',
  'installing',
  'maintenance',
  'running',
  'rebooting',
  'shutting down',
  'resetting',
  'upgrading',
];

export function machineStatusOf(spec: definitions.runtime.MachineStatusSpec): MachineStatus {
  return {
    stage: stages[spec.stage] ?? 'unknown',
    isReady: spec.status?.ready ?? false,
    unmet: (spec.status?.unmetConditions ?? []).map(({ name, reason }) => ({ name: text(name), reason: text(reason) })),
  };
}

export function serviceOf(service: machineApi.ServiceInfo): ServiceStatus {
  const { health } = service;
  return {
    id: text(service.id),
    state: text(service.state),
    health: !health || health.unknown ? 'unknown' : health.healthy ? 'healthy' : 'unhealthy',
    events: (service.events?.events ?? []).map(({ state, msg }) => ({ state: text(state), message: text(msg) })),
  };
}

export function diskOf(id: string, spec: definitions.block.DiskSpec): Disk {
  return {
    id,
    devPath: text(spec.devPath),
    sizeBytes: Number(spec.size),
    model: text(spec.model),
    serial: text(spec.serial),
    wwid: text(spec.wwid),
    uuid: text(spec.uuid),
    modalias: text(spec.modalias),
    busPath: text(spec.busPath),
    transport: text(spec.transport),
    isRotational: spec.rotational,
    isReadonly: spec.readonly,
    isCdrom: spec.cdrom,
    symlinks: spec.symlinks.map(text),
  };
}

export function linkOf(name: string, spec: definitions.network.LinkStatusSpec): Link {
  return {
    name,
    mac: macOf(spec.hardwareAddr),
    permanentMac: macOf(spec.permanentAddr),
    kind: text(spec.kind),
    isPhysical: spec.type === definitions.enums.NethelpersLinkType.LINK_ETHER && spec.kind === '',
    driver: text(spec.driver),
    busPath: text(spec.busPath),
    isUp: spec.linkState,
    mtu: spec.mtu,
  };
}

function macOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

const roles: readonly MachineRole[] = ['unknown', 'controlplane', 'controlplane', 'worker'];

export function memberOf(spec: definitions.cluster.MemberSpec): Member {
  return {
    nodeId: text(spec.nodeId),
    hostname: text(spec.hostname),
    addresses: spec.addresses.map(addressOf),
    role: roles[spec.machineType] ?? 'unknown',
    operatingSystem: text(spec.operatingSystem),
  };
}

export function roleOf(spec: machineConfigApi.MachineTypeSpec): MachineRole {
  return roles[spec.machineType] ?? 'unknown';
}

/** As RFC 5952 writes it: `10.0.0.1`, `fd00::1`. */
export function addressOf({ ip }: commonApi.NetIP): string {
  if (ip.length === 4) return ip.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (((ip[2 * index] ?? 0) << 8) | (ip[2 * index + 1] ?? 0)).toString(16));
  const text = `:${groups.join(':')}:`;
  const [longest = ''] = [...text.matchAll(/:(?:0:){2,}/g)].map(([run]) => run).sort((a, b) => b.length - a.length);
  const shortened = longest === '' ? text : text.replace(longest, '::');
  return shortened.replace(/^:(?!:)/, '').replace(/(?<!:):$/, '');
}

export function etcdMemberOf(member: machineApi.EtcdMember): EtcdMember {
  return {
    id: member.id,
    hostname: text(member.hostname),
    peerUrls: member.peerUrls.map(text),
    clientUrls: member.clientUrls.map(text),
    isLearner: member.isLearner,
  };
}

const alarms = [undefined, 'NOSPACE', 'CORRUPT'] as const;

export function etcdAlarmsOf({ memberId, alarm }: machineApi.EtcdMemberAlarm): EtcdAlarm[] {
  const name = alarms[alarm];
  return name === undefined ? [] : [{ memberId, alarm: name }];
}

export function etcdStatusOf(status: machineApi.EtcdMemberStatus): EtcdStatus {
  return {
    memberId: status.memberId,
    leader: status.leader,
    raftIndex: status.raftIndex,
    raftTerm: status.raftTerm,
    raftAppliedIndex: status.raftAppliedIndex,
    dbSizeBytes: Number(status.dbSize),
    dbSizeInUseBytes: Number(status.dbSizeInUse),
    isLearner: status.isLearner,
    errors: status.errors.map(text),
    version: text(status.storageVersion || status.protocolVersion),
  };
}
