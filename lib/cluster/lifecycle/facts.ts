import { type Clock, type Failure, failureOf, hasCode, seconds, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { Proven, TalosReader } from '../../talos/index.ts';
import { documentsOf } from '../compare-configs.ts';
import type { Connections } from '../connections.ts';
import type { KubeAccess } from '../kube-access.ts';
import { isTransientTalos } from '../transient.ts';
import type { EtcdPicture, EtcdView, Glance, KubeNodeFacts, NodeFacts, SurveyedNode } from './lifecycle.ts';
import { fields, findKubeNode, kubeNodeFacts, listKubeNodes, text } from './node-mark.ts';
import { within } from './within.ts';

export interface FactParts {
  readonly clock: Clock;
  readonly connections: Connections;
  readonly access: KubeAccess;
  readonly controlPlanes: readonly NodeModel[];
}

/** A member that has not answered by then counts as silent: a gate must not decide on older answers of the others. */
const memberDeadlineMs = 4500;

/** A machine that restarts its apid, or a packet that got lost, is no silent machine. */
const surveyAttempts = 3;
const surveyPauseMs = seconds(3);
const mayPass = (failure: Failure): boolean => isTransientTalos(failure) || failure.code === 'talos/unexpected-reply';

export function createFacts({ clock, connections, access, controlPlanes }: FactParts) {
  const kubeNodes = async (signal: AbortSignal): Promise<readonly KubeObject[] | undefined> => {
    try {
      return await within(clock, seconds(20), signal, async (limited) => listKubeNodes(await access.reader(), limited));
    } catch (error) {
      if (signal.aborted || !(error instanceof TkError)) throw error;
      return undefined;
    }
  };

  const factsWith = async (node: NodeModel, nodes: Promise<readonly KubeObject[] | undefined>, signal: AbortSignal): Promise<NodeFacts> => {
    const observedAtMs = clock.monotonicMs();
    // Whoever asks the machine first may fail first: then nobody waits for this one any more.
    nodes.catch(() => {});
    const machine = await connections.readProven(node, signal, (reader, proven) => machineFacts(node, reader, proven, signal));
    const kube = findKubeNode((await nodes) ?? [], node);
    return { node, observedAtMs, ...machine, ...(kube === undefined ? {} : { kube: kubeNodeFacts(kube) }) };
  };

  const survey = async (nodes: readonly NodeModel[], signal: AbortSignal): Promise<readonly SurveyedNode[]> => {
    const known = kubeNodes(signal);
    known.catch(() => {});
    return Promise.all(
      nodes.map(async (node): Promise<SurveyedNode> => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return { state: 'answered', node, facts: await factsWith(node, known, signal) };
          } catch (error) {
            if (signal.aborted) throw error;
            const failure = failureOf(error);
            if (attempt >= surveyAttempts || !mayPass(failure)) return { state: 'silent', node, failure };
            await clock.sleep(surveyPauseMs, signal);
          }
        }
      }),
    );
  };

  const etcd = async (signal: AbortSignal): Promise<EtcdPicture> => {
    const observedAtMs = clock.monotonicMs();
    const cordoned = kubeNodes(signal);
    cordoned.catch(() => {});
    const views = await Promise.all(
      controlPlanes.map(async (node): Promise<EtcdView> => {
        try {
          const view = await within(clock, memberDeadlineMs, signal, (limited) =>
            connections.read(node, (machine) => etcdViewOf(node, machine, clock, limited)),
          );
          return view;
        } catch (error) {
          if (signal.aborted) throw error;
          const failure = failureOf(error);
          return { state: 'silent', node, because: String(failure.facts['message'] ?? failure.facts['reason'] ?? failure.code) };
        }
      }),
    );
    const nodes = (await cordoned) ?? [];
    return {
      observedAtMs,
      views: views.map((view) => {
        if (view.state === 'silent') return view;
        const kube = findKubeNode(nodes, view.node);
        return { ...view, isCordoned: kube !== undefined && kubeNodeFacts(kube).cordon.state !== 'none' };
      }),
    };
  };

  return {
    kubeNodes,
    survey,
    etcd,
    facts: (node: NodeModel, signal: AbortSignal): Promise<NodeFacts> => factsWith(node, kubeNodes(signal), signal),
    /** For polls: of whoever answers at its address, and only what changes while a machine comes back. */
    glance: (node: NodeModel, signal: AbortSignal): Promise<Glance> =>
      connections.read(node, async (machine) => ({ observedAtMs: clock.monotonicMs(), ...(await machineGlance(node, machine, signal)) })),
    kubeNode: async (node: NodeModel, signal: AbortSignal): Promise<KubeNodeFacts | undefined> => {
      const found = findKubeNode((await kubeNodes(signal)) ?? [], node);
      return found && kubeNodeFacts(found);
    },
  };
}

async function machineGlance(node: NodeModel, machine: TalosReader, signal: AbortSignal): Promise<Omit<Glance, 'observedAtMs'>> {
  // One by one: the first tells whether there is a machine, and the others then go over the same connection.
  const { tag } = await machine.version(signal);
  const [bootId, { stage, isReady, unmet }, extensions] = await Promise.all([
    machine.bootId(signal),
    machine.machineStatus(signal),
    machine.extensions(signal),
  ]);
  const schematicId = extensions.get('schematic');
  const etcd = node.role === 'controlplane' ? await ownEtcd(machine, signal) : undefined;
  return {
    talosVersion: tag,
    bootId,
    stage,
    isReady,
    unmet,
    ...(schematicId === undefined ? {} : { schematicId }),
    ...(etcd === undefined ? {} : { etcd }),
  };
}

async function machineFacts(
  node: NodeModel,
  machine: TalosReader,
  proven: Proven,
  signal: AbortSignal,
): Promise<Omit<NodeFacts, 'node' | 'observedAtMs' | 'kube'>> {
  const version = proven.version ?? (await machine.version(signal));
  const [bootId, status, extensions, secureBoot, config] = await Promise.all([
    machine.bootId(signal),
    machine.machineStatus(signal),
    machine.extensions(signal),
    machine.secureBoot(signal),
    machine.machineConfig('active', signal),
  ]);
  const configuredImage = config && installerImageOfConfig(config.reveal());
  const schematicId = extensions.get('schematic');
  const etcd = node.role === 'controlplane' ? await ownEtcd(machine, signal) : undefined;
  return {
    talosVersion: version.tag,
    arch: version.arch,
    ...(version.platform === undefined ? {} : { platform: version.platform }),
    ...(schematicId === undefined ? {} : { schematicId }),
    extensions: [...extensions.keys()].filter((name) => !virtualExtensions.has(name)).sort(),
    secureBoot,
    bootId,
    stage: status.stage,
    isReady: status.isReady,
    unmet: status.unmet,
    ...(configuredImage === undefined ? {} : { configuredImage }),
    ...(etcd === undefined ? {} : { etcd }),
  };
}

/** Made by the factory and by the image itself, not system extensions. Source: Talos pkg/machinery/extensions/extensions.go */
const virtualExtensions = new Set(['schematic', 'modules.dep']);

/** Undefined when etcd does not answer here, which says nothing yet: it may be starting, or joining. */
async function ownEtcd(machine: TalosReader, signal: AbortSignal): Promise<NodeFacts['etcd']> {
  try {
    const status = await machine.etcdStatus(signal);
    const service = (await machine.services(signal)).find(({ id }) => id === 'etcd');
    return {
      memberId: status.memberId,
      isLeader: status.leader !== 0n && status.leader === status.memberId,
      isLearner: status.isLearner,
      isHealthy: service?.state === 'Running' && service.health === 'healthy' && status.leader !== 0n,
    };
  } catch (error) {
    if (hasCode(error, 'talos/unreachable', 'run/aborted')) throw error;
    if (error instanceof TkError) return undefined;
    throw error;
  }
}

async function etcdViewOf(node: NodeModel, machine: TalosReader, clock: Clock, signal: AbortSignal): Promise<EtcdView> {
  const { stage } = await machine.machineStatus(signal);
  const [status, members, alarms, services, bootedAtMs, now] = await Promise.all([
    machine.etcdStatus(signal),
    machine.etcdMembers({ queryLocal: true }, signal),
    machine.etcdAlarms(signal),
    machine.services(signal),
    machine.bootedAtMs(signal),
    // By the machine's own clock: this computer's may be wrong.
    machine.time(signal).catch(() => clock.now()),
  ]);
  const service = services.find(({ id }) => id === 'etcd');
  return {
    state: 'answered',
    node,
    stage,
    isCordoned: false,
    isHealthy: service?.state === 'Running' && service.health === 'healthy',
    bootedForMs: Math.max(0, now - bootedAtMs),
    memberId: status.memberId,
    leader: status.leader,
    raftTerm: status.raftTerm,
    raftIndex: status.raftIndex,
    raftAppliedIndex: status.raftAppliedIndex,
    errors: status.errors,
    members: members.map(({ id, hostname, isLearner }) => ({ id, hostname, isLearner })),
    alarms,
  };
}

/** `machine.install.image`, or the image of an UnattendedInstallConfig (from 1.14). */
export function installerImageOfConfig(config: string): string | undefined {
  const documents = documentsOf(config);
  const unattended = text(fields(fields(documents?.get('UnattendedInstallConfig')).installer).image);
  const legacy = text(fields(fields(fields(documents?.get('v1alpha1')).machine).install).image);
  return unattended || legacy || undefined;
}
