import { machineApi } from '../../../upstream/index.ts';
import { type EtcdCluster, type EtcdMember, usualLiveBytes, usualSizeBytes } from '../etcd.ts';
import { etcdSnapshot, kindOfSnapshot, type SnapshotSource } from '../etcd-snapshot.ts';
import type { Machine } from '../machine.ts';
import { type ApiCall, type BoundMethod, refuse, streaming, unary, uploading } from './call.ts';

const { method } = machineApi.MachineService;

/** Source: v1alpha1_server.go (Bootstrap, Etcd*), pkg/machinery texts of etcd's own errors */
export const etcdMethods: readonly BoundMethod[] = [
  unary(method.bootstrap, (api, request) => {
    const { machine, kernel } = api;
    const facts = {
      node: machine.name,
      isRecovery: request.recoverEtcd,
      hadQuorum: api.etcd.clusters().some((cluster) => api.etcd.hasQuorum(cluster)),
    };
    kernel.emit({ kind: 'talos/bootstrap-requested', facts });
    const installing = machine.get('unattended-install') !== undefined && machine.get('unattended-install') !== 'installed';
    if (machine.get('busy') === 'reboot' || installing || !api.services.is(machine, 'cri', 'Running')) {
      throw refuse('failedPrecondition', 'bootstrap is not available yet');
    }
    controlPlaneOnly(machine, 'bootstrap');
    if (machine.config()?.etcdCa === undefined) throw refuse('invalidArgument', 'etcd is not configured, bootstrap is not possible');
    if (machine.get('time-synced') !== true) throw refuse('failedPrecondition', 'time is not in sync yet');
    if (machine.get('etcd') !== undefined) throw refuse('alreadyExists', 'etcd data directory is not empty');
    if (request.recoverEtcd && machine.get('etcd-snapshot') === undefined) {
      throw refuse('failedPrecondition', 'etcd snapshot is not uploaded yet');
    }
    const snapshot = machine.get('etcd-snapshot');
    machine.clear('etcd-snapshot');
    const isTaken = !request.recoverEtcd || snapshot === 'whole' || (snapshot === 'bare' && request.recoverSkipHashCheck);
    if (!isTaken) {
      // Source: Talos internal/app/machined/pkg/system/services/etcd.go recoverFromSnapshot; etcdutl snapshot/v3_snapshot.go
      const because = snapshot === 'bare' ? 'snapshot missing hash but --skip-hash-check=false' : 'invalid database';
      api.services.move(machine, 'etcd', 'Failed', `Failed to run pre stage: error recovering from the snapshot: ${because}`);
      return { messages: [{}] };
    }
    api.lifecycle.bootstrapEtcd(machine);
    kernel.emit({ kind: 'talos/bootstrap-accepted', facts: { ...facts, clusterId: machine.config()?.clusterId ?? '' } });
    return { messages: [{}] };
  }),
  unary(method.etcdMemberList, (api, request) => {
    const { machine, etcd } = api;
    controlPlaneOnly(machine, 'member list');
    const cluster = running(api);
    // A local read needs no quorum; it shows what this member knows.
    if (!request.queryLocal && !etcd.hasQuorum(machine.get('etcd')?.cluster ?? '')) throw refuse('unavailable', 'etcdserver: no leader');
    // A member that did not hear of the last change tells the list of before.
    const isStale = request.queryLocal && api.kernel.fault('etcd/member-view', { node: machine.name });
    const members = isStale && cluster.before ? cluster.before : cluster.members;
    return {
      messages: [
        {
          legacyMembers: members.map((member) => hostnameOf(api, member)),
          members: members.map((member) => ({
            id: BigInt(member.id),
            hostname: member.started ? hostnameOf(api, member) : '',
            peerUrls: [`https://${addressOf(api, member)}:2380`],
            clientUrls: member.started ? [`https://${addressOf(api, member)}:2379`] : [],
            isLearner: member.learner,
          })),
        },
      ],
    };
  }),
  unary(method.etcdStatus, (api) => {
    const { machine, etcd } = api;
    controlPlaneOnly(machine, 'etcd status');
    const cluster = running(api);
    const member = etcd.memberOf(machine);
    const id = machine.get('etcd')?.cluster ?? '';
    if (api.kernel.fault('etcd/leader', { node: machine.name })) etcd.forfeit(id);
    const leader = etcd.leader(id);
    const lag = api.kernel.fault('etcd/lag', { node: machine.name }) ? 5000 : 0;
    return {
      messages: [
        {
          memberStatus: {
            storageVersion: '3.6.0',
            protocolVersion: '3.6.11',
            dbSize: BigInt(cluster.sizeBytes ?? usualSizeBytes),
            dbSizeInUse: BigInt(cluster.liveBytes ?? usualLiveBytes),
            leader: BigInt(leader?.id ?? 0),
            raftIndex: BigInt(cluster.raftIndex),
            raftTerm: BigInt(cluster.term),
            raftAppliedIndex: BigInt(Math.max(0, cluster.raftIndex - lag)),
            errors: [
              ...(leader ? [] : ['etcdserver: no leader']),
              ...etcd.alarms(machine).map(({ memberId, alarm }) => `memberID:${memberId} alarm:${alarm} `),
            ],
            isLearner: member?.learner ?? false,
            memberId: BigInt(member?.id ?? 0),
          },
        },
      ],
    };
  }),
  unary(method.etcdAlarmList, (api) => {
    controlPlaneOnly(api.machine, 'etcd alarm list');
    running(api);
    return { messages: [{ memberAlarms: api.etcd.alarms(api.machine).map(wireAlarm) }] };
  }),
  unary(method.etcdAlarmDisarm, (api) => {
    controlPlaneOnly(api.machine, 'etcd alarm disarm');
    running(api);
    const before = api.etcd.alarms(api.machine);
    api.etcd.disarm(api.machine);
    return { messages: [{ memberAlarms: before.map(wireAlarm) }] };
  }),
  unary(method.etcdDefragment, (api) => {
    controlPlaneOnly(api.machine, 'etcd defragment');
    running(api);
    api.etcd.defragment(api.machine);
    return { messages: [{}] };
  }),
  unary(method.etcdLeaveCluster, (api) => {
    const { machine, etcd } = api;
    running(api);
    controlPlaneOnly(machine, 'etcd leave');
    const data = machine.get('etcd');
    const refused = data ? etcd.remove(data.cluster, data.memberId) : 'etcdserver: member not found';
    if (refused) throw refuse('unknown', `failed to leave cluster: failed to remove member ${data?.memberId ?? 0}: ${refused}`);
    api.lifecycle.stopService(machine, 'etcd');
    machine.clear('etcd', 'static-pods');
    api.lifecycle.configChanged(machine);
    return { messages: [{}] };
  }),
  streaming(method.etcdSnapshot, async function* (api) {
    const { machine, etcd, kernel } = api;
    controlPlaneOnly(machine, 'etcd snapshot');
    running(api);
    if (!etcd.hasQuorum(machine.get('etcd')?.cluster ?? '')) throw refuse('unavailable', 'etcdserver: no leader');
    const fault = kernel.fault('talos/snapshot', { node: machine.name });
    if (fault?.kind === 'empty') return;
    const cut = fault?.kind === 'cut';
    const kept = etcdSnapshot(contentsOf(api));
    const snapshot = fault?.kind === 'damaged' ? damaged(kept) : kept;
    for (let offset = 0; offset < snapshot.length; offset += snapshotChunkBytes) {
      if (cut && offset > 0) throw refuse('unavailable', 'error reading from server: EOF');
      yield { bytes: snapshot.subarray(offset, offset + snapshotChunkBytes) };
    }
  }),
  uploading(method.etcdRecover, async ({ machine }, chunks) => {
    controlPlaneOnly(machine, 'etcd recover');
    if (machine.get('etcd')) throw refuse('failedPrecondition', 'etcd data directory is not empty');
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk.bytes);
    // Whatever it is: nobody looks into it before etcd starts.
    machine.set('etcd-snapshot', kindOfSnapshot(Buffer.concat(parts)));
    return { messages: [{}] };
  }),
  unary(method.etcdForfeitLeadership, (api) => {
    const { machine, etcd } = api;
    const { members } = running(api);
    if (members.length === 1) throw refuse('unknown', 'failed to forfeit leadership: cannot forfeit leadership, only one member');
    const cluster = machine.get('etcd')?.cluster ?? '';
    if (etcd.leader(cluster)?.node !== machine.name) return { messages: [{}] };
    const next = etcd.forfeit(cluster);
    return { messages: [{ member: next ? hostnameOf(api, next) : '' }] };
  }),
  unary(method.etcdRemoveMemberByID, (api, request) => {
    const { machine, etcd } = api;
    const cluster = running(api);
    if (!cluster.members.some((member) => member.id === String(request.memberId))) throw refuse('notFound', 'etcdserver: member not found');
    const refused = etcd.remove(machine.get('etcd')?.cluster ?? '', String(request.memberId));
    if (refused) throw refuse('unknown', `failed to remove member: failed to remove member ${request.memberId}: ${refused}`);
    return { messages: [{}] };
  }),
];

const snapshotChunkBytes = 8 * 1024;

function contentsOf(api: ApiCall): SnapshotSource {
  // Its bytes differ from process to process, and the snapshot's hash is told.
  const kubernetesCa = api.isInMemory ? undefined : api.machine.config()?.kubernetesCa?.certificate;
  return {
    members: running(api).members.map((member) => ({
      id: member.id,
      name: member.started ? hostnameOf(api, member) : '',
      address: addressOf(api, member),
    })),
    nodes: api.machines
      .filter((machine) => machine.get('registered') === true)
      .map((machine) => machine.hostname())
      .sort(),
    ...(kubernetesCa === undefined ? {} : { kubernetesCa }),
  };
}

/** One bit fell over on the way. */
function damaged(snapshot: Buffer): Buffer {
  const copy = Buffer.from(snapshot);
  copy[4096] = (copy[4096] ?? 0) ^ 1;
  return copy;
}

const wireAlarm = ({ memberId, alarm }: NonNullable<EtcdCluster['alarms']>[number]) => ({
  memberId: BigInt(memberId),
  alarm: machineApi.EtcdMemberAlarm_AlarmType[alarm],
});

export function controlPlaneOnly(machine: Machine, what: string): void {
  const role = machine.config()?.role;
  if (role === undefined) throw refuse('unimplemented', `machine type is not set, cannot use ${what} API`);
  if (role !== 'controlplane') throw refuse('unimplemented', `${what} is only available on control plane nodes`);
}

function running(api: ApiCall) {
  const cluster = api.etcd.clusterOf(api.machine);
  if (!cluster || !api.services.is(api.machine, 'etcd', 'Running')) {
    throw refuse(
      'unavailable',
      'failed to create etcd client: error getting etcd endpoints: dial tcp 127.0.0.1:2379: connect: connection refused',
    );
  }
  return cluster;
}

const machineOf = (api: ApiCall, member: EtcdMember) => api.machines.find(({ name }) => name === member.node);
const hostnameOf = (api: ApiCall, member: EtcdMember) => machineOf(api, member)?.hostname() ?? member.node;
const addressOf = (api: ApiCall, member: EtcdMember) => machineOf(api, member)?.spec.address ?? '';
