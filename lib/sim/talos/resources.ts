import { definitions, type DescMessage, machineConfigApi, type JsonObject, type MessageInitShape } from '../../upstream/index.ts';
import { talosDefaults } from '../../upstream/tables.ts';
import type { ApiCall } from './api/call.ts';
import { serviceOf } from './api/machine.ts';
import { type StaticPodName, staticPodNames } from './config-view.ts';
import type { Machine, Stage } from './machine.ts';
import { commandOf, releaseImage, staticPodFacts } from './static-pods.ts';
import { prettySize, volumeStatuses } from './volume-statuses.ts';

/** One resource as a machine shows it: both spellings of its spec. */
export interface ResourceView {
  readonly id: string;
  /** What stands in `yaml_spec`; a string is YAML text of its own. */
  readonly yaml: unknown;
  readonly proto: object;
  readonly labels?: Readonly<Record<string, string>>;
  /** Where others refer to the version. Absent: it grows with every change that somebody looked at. */
  readonly version?: number;
}

/** Makes the resources of one type. What upstream says about the type itself stands in `resourceDefinitions`. */
export interface ResourceSource {
  readonly type: string;
  readonly schema: DescMessage;
  list(api: ResourceScope): readonly ResourceView[];
}

export type ResourceScope = Pick<ApiCall, 'machine' | 'machines' | 'etcd' | 'lifecycle' | 'kube' | 'spec'>;

const { block, cluster, enums, etcd, extensions, hardware, k8s, network, runtime, time, v1alpha1 } = definitions;

const unattended = enums.RuntimeUnattendedInstallPhase;

function define<D extends DescMessage>(
  type: string,
  schema: D,
  list: (api: ResourceScope) => readonly (Omit<ResourceView, 'proto'> & { readonly proto: MessageInitShape<D> })[],
): ResourceSource {
  return { type, schema, list: list as ResourceSource['list'] };
}

const stages: Readonly<Record<Stage, number>> = {
  booting: 1,
  installing: 2,
  maintenance: 3,
  running: 4,
  rebooting: 5,
  'shutting down': 6,
  resetting: 7,
  upgrading: 8,
};

/**
 * The resources that the simulator fills; of every other type that a machine registers there are none.
 * Source: Talos pkg/machinery/resources at v1.14.0-rc.1
 */
export const resourceSources: readonly ResourceSource[] = [
  define('MachineStatuses.runtime.talos.dev', runtime.MachineStatusSpecSchema, ({ machine, lifecycle }) => {
    const stage = machine.get('stage') ?? 'booting';
    const unmetConditions = lifecycle.unmet(machine).map(({ name, reason }) => ({ name, reason }));
    const status = { ready: unmetConditions.length === 0, unmetConditions };
    return [{ id: 'machine', yaml: { stage, status }, proto: { stage: stages[stage] as never, status } }];
  }),
  define('Versions.runtime.talos.dev', runtime.VersionSpecSchema, ({ machine }) => {
    const spec = { name: 'Talos', version: machine.version() };
    return [{ id: 'version', yaml: spec, proto: spec }];
  }),
  define('BootIDs.runtime.talos.dev', runtime.BootIDSpecSchema, ({ machine }) => {
    const bootId = machine.get('boot')?.id ?? '';
    return [{ id: 'boot-id', yaml: { bootID: bootId }, proto: { bootId } }];
  }),
  define('SecurityStates.talos.dev', runtime.SecurityStateSpecSchema, ({ machine }) => {
    const secureBoot = machine.spec.secureBoot === true;
    return [
      {
        id: 'securitystate',
        yaml: {
          secureBoot,
          ukiSigningKeyFingerprint: '',
          pcrSigningKeyFingerprint: '',
          selinuxState: 'enabled, permissive',
          bootedWithUKI: secureBoot,
          fipsState: 'disabled',
        },
        proto: { secureBoot, seLinuxState: enums.RuntimeSELinuxState.SE_LINUX_STATE_PERMISSIVE, bootedWithUki: secureBoot },
      },
    ];
  }),
  define('Diagnostics.runtime.talos.dev', runtime.DiagnosticSpecSchema, () => []),
  define('ExtensionStatuses.runtime.talos.dev', extensions.LayerSchema, ({ machine }) => {
    const schematic = machine.get('installed')?.schematicId || machine.spec.schematicId;
    if (!schematic) return [];
    const metadata = { name: 'schematic', version: schematic, author: 'Image Factory', description: '', extraInfo: '' };
    return [{ id: '0', yaml: { image: '', metadata: { ...metadata, 'extra info': '' } }, proto: { image: '', metadata } }];
  }),
  define('UnattendedInstallStatuses.runtime.talos.dev', runtime.UnattendedInstallStatusSpecSchema, ({ machine }) => {
    const phase = machine.get('unattended-install');
    if (!phase) return [];
    const image = machine.config()?.install?.image ?? '';
    return [
      {
        id: 'unattended-install',
        yaml: { image, phase: phase === 'waiting' ? 'installing' : phase },
        proto: {
          image,
          phase: phase === 'installed' ? unattended.UNATTENDED_INSTALL_PHASE_INSTALLED : unattended.UNATTENDED_INSTALL_PHASE_INSTALLING,
        },
      },
    ];
  }),
  define('MachineConfigs.config.talos.dev', machineConfigApi.MachineConfigSpecSchema, ({ machine }) => {
    const view = (id: string, text: string | undefined) =>
      text === undefined ? [] : [{ id, yaml: text, proto: { yamlMarshalled: Buffer.from(text) } }];
    return [...view('persistent', machine.get('config/persistent')), ...view('v1alpha1', machine.get('config/active'))];
  }),
  define('MachineTypes.config.talos.dev', machineConfigApi.MachineTypeSpecSchema, ({ machine }) => {
    const role = machine.config()?.role;
    return role
      ? [
          {
            id: 'machine-type',
            yaml: role,
            proto: { machineType: machineConfigApi.MachineType[role === 'controlplane' ? 'CONTROL_PLANE' : 'WORKER'] },
          },
        ]
      : [];
  }),
  define('Members.cluster.talos.dev', cluster.MemberSpecSchema, ({ machine, machines }) => {
    const own = machine.config()?.clusterId;
    if (own === undefined) return [];
    return machines
      .filter((other) => other.isUp() && other.get('api') === 'configured' && other.config()?.clusterId === own)
      .map((other) => {
        const isControlPlane = other.config()?.role === 'controlplane';
        const hostname = other.hostname();
        const nodeId = nodeIdOf(other);
        const operatingSystem = `Talos (${other.version()})`;
        return {
          id: hostname,
          yaml: {
            nodeId,
            addresses: [other.spec.address],
            hostname,
            machineType: isControlPlane ? 'controlplane' : 'worker',
            operatingSystem,
            ...(isControlPlane ? { controlPlane: { port: 6443 } } : {}),
          },
          proto: {
            nodeId,
            addresses: [{ ip: ipBytes(other.spec.address) }],
            hostname,
            machineType: isControlPlane ? 2 : 3,
            operatingSystem,
            ...(isControlPlane ? { controlPlane: { apiServerPort: 6443n } } : {}),
          },
        };
      });
  }),
  define('Identities.cluster.talos.dev', cluster.IdentitySpecSchema, ({ machine }) => {
    const nodeId = nodeIdOf(machine);
    return [{ id: 'local', yaml: { nodeId }, proto: { nodeId } }];
  }),
  define('Infos.cluster.talos.dev', cluster.InfoSpecSchema, ({ machine }) => {
    const config = machine.config();
    if (!config) return [];
    const spec = { clusterId: config.clusterId, clusterName: config.clusterName };
    return [{ id: 'current', yaml: spec, proto: spec }];
  }),
  define('Disks.block.talos.dev', block.DiskSpecSchema, ({ machine }) =>
    machine.spec.disks.map((disk) => {
      const id = disk.path.replace('/dev/', '');
      const pretty = prettySize(disk.sizeBytes);
      const busPath = disk.busPath ?? `/pci0000:00/0000:00:1f.2/${id}`;
      const wwid =
        disk.wwid ?? (disk.transport === 'nvme' ? `eui.${Buffer.from(disk.serial).toString('hex').padEnd(16, '0').slice(0, 16)}` : '');
      return {
        id,
        yaml: {
          dev_path: disk.path,
          size: disk.sizeBytes,
          pretty_size: pretty,
          io_size: 512,
          sector_size: 512,
          readonly: false,
          cdrom: false,
          model: disk.model,
          serial: disk.serial,
          ...(wwid === '' ? {} : { wwid }),
          bus_path: busPath,
          sub_system: '/sys/class/block',
          transport: disk.transport,
          ...(disk.rotational ? { rotational: true } : {}),
          ...(disk.symlinks === undefined ? {} : { symlinks: disk.symlinks }),
        },
        proto: {
          devPath: disk.path,
          size: BigInt(disk.sizeBytes),
          prettySize: pretty,
          ioSize: 512n,
          sectorSize: 512n,
          model: disk.model,
          serial: disk.serial,
          wwid,
          busPath,
          subSystem: '/sys/class/block',
          transport: disk.transport,
          rotational: disk.rotational ?? false,
          ...(disk.symlinks === undefined ? {} : { symlinks: [...disk.symlinks] }),
        },
      };
    }),
  ),
  define('SystemDisks.block.talos.dev', block.SystemDiskSpecSchema, ({ machine }) => {
    const devPath = machine.get('installed')?.disk;
    if (devPath === undefined) return [];
    const diskId = devPath.replace('/dev/', '');
    return [{ id: 'system-disk', yaml: { diskID: diskId, devPath }, proto: { diskId, devPath } }];
  }),
  define('VolumeStatuses.block.talos.dev', block.VolumeStatusSpecSchema, ({ machine }) => volumeStatuses(machine)),
  define('LinkStatuses.net.talos.dev', network.LinkStatusSpecSchema, ({ machine }) =>
    machine.spec.links.map((link, index) => ({
      id: link.name,
      yaml: {
        index: index + 2,
        type: 'ether',
        linkIndex: 0,
        flags: 'UP,BROADCAST,RUNNING,MULTICAST,LOWER_UP',
        hardwareAddr: link.mac,
        permanentAddr: link.mac,
        broadcastAddr: 'ff:ff:ff:ff:ff:ff',
        mtu: 1500,
        queueDisc: 'mq',
        operationalState: 'up',
        kind: '',
        slaveKind: '',
        driver: link.driver ?? 'igc',
        linkState: true,
        speedMbit: 2500,
        port: 'TwistedPair',
        duplex: 'Full',
      },
      proto: {
        index: index + 2,
        type: 1,
        hardwareAddr: macBytes(link.mac),
        permanentAddr: macBytes(link.mac),
        broadcastAddr: macBytes('ff:ff:ff:ff:ff:ff'),
        mtu: 1500,
        queueDisc: 'mq',
        operationalState: 6,
        driver: link.driver ?? 'igc',
        linkState: true,
        speedMegabits: 2500n,
      },
    })),
  ),
  define('HostnameStatuses.net.talos.dev', network.HostnameStatusSpecSchema, ({ machine }) => {
    const spec = { hostname: machine.hostname(), domainname: '' };
    return [{ id: 'hostname', yaml: spec, proto: spec }];
  }),
  define('NodeAddresses.net.talos.dev', network.NodeAddressSpecSchema, ({ machine }) =>
    ['accumulative', 'current', 'default', 'routed'].map((id) => ({
      id,
      yaml: { addresses: [`${machine.spec.address}/24`], sortAlgorithm: 'v2' },
      proto: { addresses: [{ ip: ipBytes(machine.spec.address), prefixLength: 24 }], sortAlgorithm: 1 },
    })),
  ),
  define('NetworkStatuses.net.talos.dev', network.StatusSpecSchema, () => {
    const spec = { addressReady: true, connectivityReady: true, hostnameReady: true, etcFilesReady: true };
    return [{ id: 'status', yaml: spec, proto: spec }];
  }),
  define('Services.v1alpha1.talos.dev', v1alpha1.ServiceSpecSchema, (api) =>
    // A service that does not run has no resource: that is how upstream's client sees a restart.
    api.machine.serviceIds().flatMap((id) => {
      const { state, health } = serviceOf(api, id);
      const spec = { running: state === 'Running', healthy: health.healthy, unknown: health.unknown };
      return spec.running ? [{ id, yaml: spec, proto: spec }] : [];
    }),
  ),
  define('TimeStatuses.v1alpha1.talos.dev', time.StatusSpecSchema, ({ machine }) => {
    const synced = machine.get('time-synced') === true;
    return [{ id: 'node', yaml: { synced, epoch: synced ? 1 : 0, syncDisabled: false }, proto: { synced, epoch: synced ? 1n : 0n } }];
  }),
  define('SystemInformations.hardware.talos.dev', hardware.SystemInformationSpecSchema, ({ machine }) => {
    const { uuid } = machine.spec;
    const serialNumber = `SIM-${machine.name}`;
    return [
      {
        id: 'systeminformation',
        yaml: { manufacturer: 'Simulated', productName: 'Mini PC', version: '1.0', serialnumber: serialNumber, uuid },
        proto: { manufacturer: 'Simulated', productName: 'Mini PC', version: '1.0', serialNumber, uuid },
      },
    ];
  }),
  define('Nodenames.kubernetes.talos.dev', k8s.NodenameSpecSchema, ({ machine }) => {
    if (!machine.config()) return [];
    const spec = { nodename: machine.hostname(), hostnameVersion: '1', skipNodeRegistration: false };
    return [{ id: 'nodename', yaml: spec, proto: spec }];
  }),
  define('NodeStatuses.kubernetes.talos.dev', k8s.NodeStatusSpecSchema, ({ machine, kube }) => {
    const nodeReady = kube()?.nodeReady(machine.hostname());
    if (nodeReady === undefined) return [];
    const spec = { nodename: machine.hostname(), nodeReady, unschedulable: false };
    return [{ id: machine.hostname(), yaml: { ...spec, labels: {}, annotations: {}, podCIDRs: [] }, proto: spec }];
  }),
  define('KubeletConfigs.kubernetes.talos.dev', k8s.KubeletConfigSpecSchema, ({ machine }) => {
    const config = machine.config();
    return config
      ? [
          {
            id: 'kubelet',
            yaml: { image: config.kubeletImage, clusterDNS: ['10.96.0.10'], clusterDomain: 'cluster.local' },
            proto: { image: config.kubeletImage },
          },
        ]
      : [];
  }),
  define('KubeletSpecs.kubernetes.talos.dev', k8s.KubeletSpecSpecSchema, ({ machine }) => {
    const config = machine.config();
    return config && machine.service('kubelet')
      ? [
          {
            id: 'kubelet',
            yaml: { image: config.kubeletImage, args: config.kubeletArgs, expectedNodename: machine.hostname(), config: {} },
            proto: { image: config.kubeletImage, args: [...config.kubeletArgs], expectedNodename: machine.hostname(), config: {} },
          },
        ]
      : [];
  }),
  define('StaticPodStatuses.kubernetes.talos.dev', k8s.StaticPodStatusSpecSchema, ({ machine }) => {
    return staticPodFacts(machine).map(({ name, isReady }) => {
      const podStatus = { phase: 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] };
      return { id: `kube-system/${name}-${machine.hostname()}`, yaml: podStatus, proto: { podStatus } };
    });
  }),
  define('StaticPods.kubernetes.talos.dev', k8s.StaticPodSpecSchema, ({ machine }) =>
    staticPodNames.flatMap((name) => {
      const record = machine.staticPod(name);
      if (!record) return [];
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'kube-system', annotations: { 'talos.dev/config-version': String(record.version) } },
        spec: { containers: [{ name, image: record.image, command: [...commandOf(name, record.args)] }], hostNetwork: true },
      };
      return [{ id: name, yaml: pod, proto: { pod } }];
    }),
  ),
  define('BootstrapManifestsConfigs.kubernetes.talos.dev', k8s.BootstrapManifestsConfigSpecSchema, ({ machine }) => {
    const config = machine.config();
    if (config?.role !== 'controlplane') return [];
    const spec = {
      proxyImage: config.proxyImage === '' ? releaseImage(machine, talosDefaults.images.proxy) : config.proxyImage,
      proxyEnabled: config.kubeProxy,
      coreDnsEnabled: config.coreDns,
      flannelEnabled: config.cni === 'flannel',
      cniName: config.cni,
    };
    return [
      {
        id: 'manifests',
        yaml: {
          proxyEnabled: spec.proxyEnabled,
          proxyImage: spec.proxyImage,
          coreDNSEnabled: spec.coreDnsEnabled,
          flannelEnabled: spec.flannelEnabled,
          cniName: spec.cniName,
        },
        proto: spec,
      },
    ];
  }),
  define('Manifests.kubernetes.talos.dev', k8s.ManifestSpecSchema, ({ machine, kube }) => {
    if (machine.config()?.role !== 'controlplane') return [];
    return (kube()?.manifests?.() ?? []).map(({ id, objects }) => ({
      id,
      yaml: objects,
      proto: { items: objects.map((object) => ({ object: object as JsonObject })) },
    }));
  }),
  define('APIServerConfigs.kubernetes.talos.dev', k8s.APIServerConfigSpecSchema, ({ machine }) =>
    controlPlaneConfig(machine, 'kube-apiserver'),
  ),
  define('ControllerManagerConfigs.kubernetes.talos.dev', k8s.ControllerManagerConfigSpecSchema, ({ machine }) =>
    controlPlaneConfig(machine, 'kube-controller-manager'),
  ),
  define('SchedulerConfigs.kubernetes.talos.dev', k8s.SchedulerConfigSpecSchema, ({ machine }) =>
    controlPlaneConfig(machine, 'kube-scheduler'),
  ),
  define('EtcdMembers.etcd.talos.dev', etcd.MemberSpecSchema, (api) => {
    const member = api.etcd.memberOf(api.machine);
    if (!member || api.machine.service('etcd')?.state !== 'Running') return [];
    const memberId = BigInt(member.id).toString(16);
    return [{ id: 'local', yaml: { memberID: memberId }, proto: { memberId } }];
  }),
];

/** From 1.14 on the pods are made from a second one, whose version is the one that they carry. */
function controlPlaneConfig(machine: Machine, name: StaticPodName) {
  const record = machine.staticPod(name);
  if (!record) return [];
  const { image, version } = record;
  const ids = machine.minor() === '1.14' ? [name, `final-${name}`] : [name];
  return ids.map((id) => ({ id, version, yaml: { enabled: true, image }, proto: { image } }));
}

const nodeIdOf = (machine: Machine): string => Buffer.from(`${machine.spec.uuid}/node-id`).toString('base64url').slice(0, 44);
const ipBytes = (address: string): Uint8Array => Uint8Array.from(address.split('.').map(Number));
const macBytes = (mac: string): Uint8Array => Uint8Array.from(mac.split(':').map((part) => Number.parseInt(part, 16)));
