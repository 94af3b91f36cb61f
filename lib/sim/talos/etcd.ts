import type { Json } from '../../base/index.ts';
import type { SimKernel } from '../kernel.ts';
import type { Machine } from './machine.ts';

export type EtcdMember = {
  /** Decimal text of a 64-bit number. */
  readonly id: string;
  /** Machine that it runs on. */
  readonly node: string;
  readonly learner: boolean;
  readonly started: boolean;
};

export type AlarmKind = 'NOSPACE' | 'CORRUPT';

export type EtcdCluster = {
  readonly id: string;
  readonly members: readonly EtcdMember[];
  readonly leader: string;
  readonly term: number;
  readonly raftIndex: number;
  readonly alarms?: readonly { readonly memberId: string; readonly alarm: AlarmKind }[];
  /** What a member still believes that has not heard of the last change. */
  readonly before?: readonly EtcdMember[];
  /** Of the database file, and of what is alive in it. */
  readonly sizeBytes?: number;
  readonly liveBytes?: number;
};

/** Source: etcd's default quota, which Talos keeps (--quota-backend-bytes unset) */
export const quotaBytes = 2_147_483_648;

/**
 * The ground truth of etcd: every cluster that was ever bootstrapped (there must be one), and which member lies on which disk.
 *
 *     absent ──▶ learner, not started ──▶ learner, started ──▶ voter        (bootstrap makes the first voter at once)
 *
 * Source: Talos internal/app/machined/pkg/system/services/etcd.go, etcd's membership rules
 */
export interface Etcd {
  /** Makes a new cluster with one member, whatever else exists. */
  bootstrap(machine: Machine): void;
  /** The cluster that this machine's data directory belongs to. */
  clusterOf(machine: Machine): EtcdCluster | undefined;
  memberOf(machine: Machine): EtcdMember | undefined;
  /** A cluster with quorum that one of the other control planes runs. */
  joinable(machine: Machine): string | undefined;
  /** Adds this machine as a learner; false when the cluster has no quorum or a learner already. */
  join(machine: Machine, cluster: string): boolean;
  started(machine: Machine): void;
  promote(machine: Machine): boolean;
  /** Why etcd does not take it out; undefined when it did. */
  remove(cluster: string, memberId: string): string | undefined;
  alarms(machine: Machine): NonNullable<EtcdCluster['alarms']>;
  /** A database that is full, or a member whose data does not agree with the others'. */
  raise(machine: Machine, alarm: AlarmKind): void;
  /** Alarms whose cause is still there come back at once. */
  disarm(machine: Machine): void;
  /** Gives back what is not alive. */
  defragment(machine: Machine): void;
  hasQuorum(cluster: string): boolean;
  /** Whether the member on this machine is started and its cluster has quorum. */
  isHealthy(machine: Machine): boolean;
  /** Whether the others keep quorum without this machine; a lone member has no others to ask. */
  canSpare(machine: Machine): boolean;
  leader(cluster: string): EtcdMember | undefined;
  /** Moves leadership to another started voter, or does nothing. */
  forfeit(cluster: string): EtcdMember | undefined;
  clusters(): readonly string[];
}

export const usualSizeBytes = 20_971_520;
export const usualLiveBytes = 8_388_608;

export function createEtcd(kernel: SimKernel, machines: () => readonly Machine[]): Etcd {
  const { store } = kernel;
  const read = (cluster: string) => store.get(`etcd/${cluster}`) as unknown as EtcdCluster | undefined;
  const write = (cluster: string, change: Partial<EtcdCluster>) => {
    const before = read(cluster);
    if (before) store.set(`etcd/${cluster}`, { ...before, raftIndex: before.raftIndex + 7, ...change } as unknown as Json);
  };
  const runs = (node: string) => {
    const machine = machines().find(({ name }) => name === node);
    return machine?.isUp() === true && machine.service('etcd')?.state === 'Running';
  };
  const newId = () => Buffer.from(kernel.random('etcd/ids').bytes(8)).readBigUInt64BE().toString();
  const voters = (cluster: EtcdCluster) => cluster.members.filter((member) => !member.learner);
  const live = (cluster: EtcdCluster) => voters(cluster).filter((member) => member.started && runs(member.node));
  const hasQuorum = (cluster: string) => {
    const state = read(cluster);
    return state !== undefined && live(state).length >= Math.floor(voters(state).length / 2) + 1;
  };
  const update = (machine: Machine, change: (member: EtcdMember) => EtcdMember) => {
    const data = machine.get('etcd');
    const state = data && read(data.cluster);
    if (data && state)
      write(data.cluster, { members: state.members.map((member) => (member.id === data.memberId ? change(member) : member)) });
  };
  const etcd: Etcd = {
    bootstrap(machine) {
      const cluster = `c${store.keys('etcd/c').length + 1}`;
      const id = newId();
      const member: EtcdMember = { id, node: machine.name, learner: false, started: false };
      store.set(`etcd/${cluster}`, { id: newId(), members: [member], leader: id, term: 2, raftIndex: 12 } as unknown as Json);
      machine.set('etcd', { cluster, memberId: id });
      kernel.emit({ kind: 'etcd/bootstrapped', facts: { node: machine.name, cluster } });
    },
    clusterOf(machine) {
      const data = machine.get('etcd');
      return data && read(data.cluster);
    },
    memberOf(machine) {
      const data = machine.get('etcd');
      return data && read(data.cluster)?.members.find((member) => member.id === data.memberId);
    },
    joinable(machine) {
      for (const other of machines()) {
        const data = other.get('etcd');
        if (other !== machine && data && runs(other.name) && hasQuorum(data.cluster)) return data.cluster;
      }
      return undefined;
    },
    join(machine, cluster) {
      // A member of its name is what its lost data was. Source: Talos internal/app/machined/pkg/system/services/etcd.go (addMember)
      const before = read(cluster)?.members.find((member) => member.node === machine.name && member.started);
      if (before && etcd.remove(cluster, before.id) !== undefined) return false;
      const state = read(cluster);
      // etcd takes one learner at a time (max-learners 1).
      if (!state || !hasQuorum(cluster) || state.members.some((member) => member.learner)) return false;
      const id = newId();
      write(cluster, { before: state.members, members: [...state.members, { id, node: machine.name, learner: true, started: false }] });
      machine.set('etcd', { cluster, memberId: id });
      kernel.emit({ kind: 'etcd/member-added', facts: { node: machine.name, cluster } });
      return true;
    },
    started: (machine) => update(machine, (member) => ({ ...member, started: true })),
    promote(machine) {
      const data = machine.get('etcd');
      if (!data || !hasQuorum(data.cluster) || !runs(machine.name)) return false;
      update(machine, (member) => ({ ...member, learner: false }));
      kernel.emit({ kind: 'etcd/promoted', facts: { node: machine.name, cluster: data.cluster } });
      return true;
    },
    // Source: etcd v3.6 server/etcdserver/server.go (RemoveMember, mayRemoveMember), membership/cluster.go (IsReadyToRemoveVotingMember)
    remove(cluster, memberId) {
      const state = read(cluster);
      if (!state || !hasQuorum(cluster)) return 'etcdserver: no leader';
      const leaving = state.members.find((member) => member.id === memberId);
      if (!leaving) return 'etcdserver: member not found';
      if (!leaving.learner) {
        const others = voters(state).filter((member) => member !== leaving);
        const quorum = Math.floor(others.length / 2) + 1;
        if (others.filter((member) => member.started).length < quorum)
          return 'etcdserver: re-configuration failed due to not enough started members';
        if (runs(leaving.node) && others.filter((member) => runs(member.node)).length < quorum) return 'etcdserver: unhealthy cluster';
      }
      write(cluster, {
        before: state.members,
        members: state.members.filter((member) => member !== leaving),
        alarms: (state.alarms ?? []).filter((one) => one.memberId !== memberId),
      });
      const votersLeft = voters(state).filter((member) => member !== leaving).length;
      kernel.emit({ kind: 'etcd/member-removed', facts: { node: leaving.node, cluster, votersLeft } });
      return undefined;
    },
    alarms: (machine) => etcd.clusterOf(machine)?.alarms ?? [],
    raise(machine, alarm) {
      const data = machine.get('etcd');
      const state = data && read(data.cluster);
      if (!data || !state || (state.alarms ?? []).some((one) => one.memberId === data.memberId && one.alarm === alarm)) return;
      const full =
        alarm === 'NOSPACE' ? { sizeBytes: quotaBytes + 4096, liveBytes: Math.min(state.liveBytes ?? usualLiveBytes, quotaBytes / 4) } : {};
      write(data.cluster, { ...full, alarms: [...(state.alarms ?? []), { memberId: data.memberId, alarm }] });
      kernel.emit({ kind: 'etcd/alarm', facts: { node: machine.name, alarm } });
    },
    disarm(machine) {
      const data = machine.get('etcd');
      const state = data && read(data.cluster);
      if (!data || !state) return;
      const isFull = (state.sizeBytes ?? 0) > quotaBytes;
      write(data.cluster, { alarms: (state.alarms ?? []).filter(({ alarm }) => alarm === 'NOSPACE' && isFull) });
    },
    defragment(machine) {
      const data = machine.get('etcd');
      const state = data && read(data.cluster);
      if (data && state) write(data.cluster, { sizeBytes: state.liveBytes ?? usualLiveBytes });
    },
    hasQuorum,
    isHealthy(machine) {
      const data = machine.get('etcd');
      return data !== undefined && etcd.memberOf(machine)?.started === true && runs(machine.name) && hasQuorum(data.cluster);
    },
    canSpare(machine) {
      const state = etcd.clusterOf(machine);
      if (!state || voters(state).length === 1) return true;
      return live(state).filter((member) => member.node !== machine.name).length >= Math.floor(voters(state).length / 2) + 1;
    },
    leader(cluster) {
      const state = read(cluster);
      if (!state || !hasQuorum(cluster)) return undefined;
      const present = live(state);
      const current = present.find((member) => member.id === state.leader);
      if (current) return current;
      const [next] = present;
      if (next) write(cluster, { leader: next.id, term: state.term + 1 });
      return next;
    },
    forfeit(cluster) {
      const state = read(cluster);
      const next = state && live(state).find((member) => member.id !== state.leader);
      if (state && next) write(cluster, { leader: next.id, term: state.term + 1 });
      return next;
    },
    clusters: () => store.keys('etcd/c').map((key) => key.slice('etcd/'.length)),
  };
  return etcd;
}
