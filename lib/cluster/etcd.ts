import { type Condition, count, type Failure, failureOf, holds, minutes, never, notYet, seconds } from '../base/index.ts';
import type { ClusterModel, NodeModel } from '../config/index.ts';
import { done, type Evidence, notDone, undecidable } from '../core/index.ts';
import { bootstrapRefusalsThatPass, type TalosReader } from '../talos/index.ts';
import type { Etcd } from './cluster.ts';
import type { Connections } from './connections.ts';
import { isTransientTalos } from './transient.ts';

export interface EtcdParts {
  readonly model: ClusterModel;
  readonly connections: Connections;
}

/** What one control plane tells of etcd. `silent`: it could not be asked, and may hold data. */
type View =
  | { readonly node: NodeModel; readonly state: 'members'; readonly members: number }
  | { readonly node: NodeModel; readonly state: 'data' }
  /** `machine`: the same for two addresses at which one machine answers. */
  | { readonly node: NodeModel; readonly state: 'empty'; readonly machine: string }
  | { readonly node: NodeModel; readonly state: 'silent'; readonly because: string };

export function createEtcd({ model, connections }: EtcdParts): Etcd {
  const controlPlanes = model.nodes.filter((node) => node.role === 'controlplane');
  const target = (): NodeModel => {
    const [first] = [...controlPlanes].sort((a, b) => (a.address < b.address ? -1 : 1));
    if (first === undefined) throw new Error('a cluster without a control plane passed the validation');
    return first;
  };
  return {
    target,
    async evidence(signal, among = controlPlanes): Promise<Evidence> {
      const views = await Promise.all(among.map((node) => viewOf(node, connections, signal)));
      return judge(views);
    },
    async bootstrap(node, { signal, wait }) {
      const outcome = await wait(acceptedCondition(node, connections, signal));
      if (outcome !== 'sent') await wait(dataCondition(node, connections, outcome.lost));
    },
    started: (node) => startedCondition(node, connections),
    joined: (among = controlPlanes) => joinedCondition(among, connections),
  };
}

async function viewOf(node: NodeModel, connections: Connections, signal: AbortSignal): Promise<View> {
  try {
    const probe = await connections.probe(node, signal);
    // A machine without a config has no etcd data that a cluster could be made of.
    if (probe.state === 'maintenance') return { node, state: 'empty', machine: probe.spkiSha256 };
    if (probe.state !== 'configured')
      return { node, state: 'silent', because: probe.state === 'unreachable' ? probe.reason : 'it belongs to another cluster' };
    return await connections.read(node, async (machine): Promise<View> => {
      const members = await membersOf(machine, signal);
      if (members > 0) return { node, state: 'members', members };
      if (await machine.hasEtcdData(signal)) return { node, state: 'data' };
      // Not its certificate: behind another control plane that passes the calls on it is that one's.
      return { node, state: 'empty', machine: await machine.bootId(signal) };
    });
  } catch (error) {
    return { node, state: 'silent', because: failureOf(error).code };
  }
}

/** 0 when etcd does not answer here: it is not running, or it waits to join. */
async function membersOf(machine: TalosReader, signal: AbortSignal): Promise<number> {
  try {
    return (await machine.etcdMembers({ queryLocal: true }, signal)).length;
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === 'run/aborted' || failure.code === 'talos/unreachable' || failure.code === 'talos/deadline') throw error;
    return 0;
  }
}

/**
 * One member list anywhere settles it. Data without a member is a bootstrap under way or a broken cluster: nobody bootstraps on top
 * of it. Only when every control plane was asked, each a machine of its own, and none holds anything is it not done.
 */
function judge(views: readonly View[]): Evidence {
  const withMembers = views.find((view) => view.state === 'members');
  if (withMembers?.state === 'members') return done(`${withMembers.node.name} sees ${count(withMembers.members, 'etcd member')}`);
  const withData = views.find((view) => view.state === 'data');
  if (withData) return done(`etcd has data on ${withData.node.name}`);
  const silent = views.flatMap((view) => (view.state === 'silent' ? [view] : []));
  const [first] = silent;
  if (first) {
    return undecidable(
      `${silent.map((view) => view.node.name).join(' and ')} could not be asked (${first.because}), and may hold the data of a cluster`,
      `npx tk talos:preflight`,
    );
  }
  // An address that has moved to a machine that holds nothing tells nothing of the machine that had it.
  const empty = views.flatMap((view) => (view.state === 'empty' ? [view] : []));
  for (const [index, { node, machine }] of empty.entries()) {
    const other = empty.slice(index + 1).find((view) => view.machine === machine);
    if (other !== undefined)
      return undecidable(
        `one machine answers at the addresses of ${node.name} and ${other.node.name}; the other may hold the data of a cluster`,
        'npx tk talos:preflight',
      );
  }
  return notDone(`no control plane has etcd data (${views.map((view) => view.node.name).join(', ')} asked)`);
}

/**
 * Asks again while the machine says that it is too early. "Already exists" means that somebody's call got through, ours or an
 * earlier one: whether a cluster came of it is what the wait for a member tells. A lost reply is never answered with a second call.
 */
function acceptedCondition(node: NodeModel, connections: Connections, signal: AbortSignal): Condition<'sent' | { readonly lost: Failure }> {
  return {
    description: `${node.name} to accept the bootstrap`,
    deadlineMs: minutes(10),
    intervalMs: seconds(5),
    see: `npx tk talos:services NODE=${node.name}`,
    async check() {
      try {
        // Under the step's signal: a call that is under way is let end when the waiting is stopped.
        await connections.change(node, (machine) => machine.bootstrap({}, signal));
        return holds('sent');
      } catch (error) {
        const failure = failureOf(error);
        if (failure.code === 'talos/already-exists') return holds('sent');
        if (failure.code === 'talos/outcome-unknown') return holds({ lost: failure });
        if (Object.hasOwn(bootstrapRefusalsThatPass, failure.code))
          return notYet(String(failure.facts['message'] ?? bootstrapRefusalsThatPass[failure.code]));
        throw error;
      }
    },
  };
}

/** After a lost reply: only data on the machine's disk says that the call arrived. */
function dataCondition(node: NodeModel, connections: Connections, lost: Failure): Condition<void> {
  const lookFor = 12;
  let looks = 0;
  return {
    description: `a trace of the bootstrap on ${node.name}, whose reply was lost`,
    deadlineMs: minutes(5),
    intervalMs: seconds(5),
    transient: isTransientTalos,
    async check(signal) {
      if (await connections.read(node, (machine) => machine.hasEtcdData(signal))) return holds(undefined);
      looks += 1;
      return looks < lookFor ? notYet('etcd has no data there') : never(lost);
    },
  };
}

function startedCondition(node: NodeModel, connections: Connections): Condition<number> {
  return {
    description: `etcd on ${node.name}`,
    deadlineMs: minutes(10),
    intervalMs: seconds(2),
    see: `npx tk talos:logs NODE=${node.name} SERVICE=etcd`,
    transient: isTransientTalos,
    check: (signal) =>
      connections.read(node, async (machine) => {
        const etcd = (await machine.services(signal)).find((service) => service.id === 'etcd');
        if (etcd === undefined) return notYet('the service does not exist yet');
        const last = etcd.events.at(-1)?.message;
        if (etcd.state !== 'Running') return notYet([etcd.state, last].filter(Boolean).join(': '));
        if (etcd.health !== 'healthy') return notYet(`Running, ${etcd.health}`);
        const members = await machine.etcdMembers({ queryLocal: true }, signal);
        return members.some((member) => member.hostname === node.name) ? holds(members.length) : notYet(`${node.name} is no member yet`);
      }),
  };
}

function joinedCondition(controlPlanes: readonly NodeModel[], connections: Connections): Condition<number> {
  const wanted = controlPlanes.length;
  return {
    description: `${count(wanted, 'etcd member')}`,
    deadlineMs: minutes(15),
    intervalMs: seconds(5),
    see: 'npx tk talos:etcd-members',
    transient: isTransientTalos,
    async check(signal) {
      // Each machine's own view: members agree when every one of them lists every other as a voter.
      for (const node of controlPlanes) {
        const members = await connections.read(node, (machine) => machine.etcdMembers({ queryLocal: true }, signal));
        const voters = members.filter((member) => !member.isLearner);
        const missing = controlPlanes.filter((candidate) => !members.some((member) => member.hostname === candidate.name));
        if (missing.length > 0)
          return notYet(
            `${node.name} sees ${members.length} of ${wanted}; ${missing.map((candidate) => candidate.name).join(' and ')} not joined`,
          );
        if (voters.length < wanted) return notYet(`${node.name} sees ${count(members.length - voters.length, 'learner')}`);
      }
      return holds(wanted);
    },
  };
}
