import { type Clock, type Failure, type Files, type Secret, seconds, suggestionFor, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { type CpuFacts, type Disk, type Link, talosResourceTypes } from '../../talos/index.ts';
import { definitions, fromBinary } from '../../upstream/index.ts';
import type { ConfigDifferences } from '../cluster.ts';
import type { Connections } from '../connections.ts';
import type { KubeAccess } from '../kube-access.ts';
import type { Doctor } from './doctor/finding.ts';
import { createEtcdOperations, type EtcdOperations, type EtcdOperationsView } from './etcd.ts';
import { deleteKubeNode, kubeNodeName, uncordonForeign } from './kube-nodes.ts';
import { createFluxOperations, type FluxOperations, type FluxOperationsView } from './flux.ts';
import { operationFailure } from './failures.ts';
import { followLines, linesOf } from './lines.ts';
import { createPatching, type Patching, type PatchingView } from './patch-config.ts';
import { createRecovery, type Recovery, type RecoveryView } from './recover.ts';
import { checkWipe } from './check-wipe.ts';
import { type Partitions, partitionsOf } from './wipe-evidence.ts';
import { createResources, type Resources } from './resources.ts';
import { namedNodes, type NodesSelector, selectControlPlanes, selectNodes } from './select-nodes.ts';

/** Which log, and how much of it. */
export interface LogRequest {
  /** A service; absent: the kernel's log. */
  readonly service?: string;
  /** Lines from the end; absent: everything that the machine still has. */
  readonly tailLines?: number;
  /** Goes on until the signal, over reboots and broken connections. */
  readonly follows?: boolean;
  /** Told when a followed log broke off. */
  readonly lost?: (failure: Failure) => void;
}

export interface CpuUse extends CpuFacts {
  /** 0 to 1, of all processors together, over the time between two looks. */
  readonly busy: number;
}

export interface KnownDisk extends Disk {
  /** Talos is installed on it. */
  readonly isSystemDisk: boolean;
}

/** What one may ask of the machines besides what a bootstrap needs. Nothing in it changes anything. */
export interface OperationsView {
  /** By `IP`, `NODE`, `HOSTNAME`, `NODES`, `ROLE`; all of them when none is given. Failure: `cluster/unknown-node`, … */
  nodes(selector: NodesSelector): readonly NodeModel[];
  /** The same, and `ALL`; one has to be given. Failure: `cluster/node-not-named`, … */
  named(selector: NodesSelector & { readonly all?: boolean }): readonly NodeModel[];
  /** As `nodes`, of those that have etcd. Failure: also `node/no-control-plane`, when a worker is named. */
  controlPlanes(selector: NodesSelector): readonly NodeModel[];
  /**
   * Whether the machine has what a reset is to wipe, before anything is drained for it: it would say so itself only afterwards.
   * Failure: `disk/unknown`, `disk/is-system`, `disk/unknown-volume`, all of them.
   */
  checkWipe(
    node: NodeModel,
    wipe: { readonly labels: readonly string[]; readonly userDisks: readonly string[] },
    signal: AbortSignal,
  ): Promise<void>;
  /** Those of these volumes of the system disk that have partitions of their own, by the ids of these. */
  partitions(node: NodeModel, labels: readonly string[], signal: AbortSignal): Promise<Partitions>;
  /** Failure: `service/unknown`. */
  checkService(asked: string, known: readonly { readonly id: string }[]): void;
  readonly recovery: RecoveryView;
  readonly patching: PatchingView;
  readonly doctor: Doctor;
  readonly flux: FluxOperationsView;
  /** Wall time, milliseconds. */
  now(): number;
  readonly resources: Resources;
  readonly etcd: EtcdOperationsView;
  /** Whole lines, safe to print. */
  log(node: NodeModel, request: LogRequest, signal: AbortSignal): AsyncIterable<string>;
  /** What Kubernetes calls the node; undefined when it knows none such. */
  kubeNodeName(node: NodeModel, signal: AbortSignal): Promise<string | undefined>;
  /** Also of a machine in maintenance mode. */
  disks(node: NodeModel, signal: AbortSignal): Promise<readonly KnownDisk[]>;
  links(node: NodeModel, signal: AbortSignal): Promise<readonly Link[]>;
  /** Looks twice, `overMs` apart (default one second). */
  cpu(node: NodeModel, options: { readonly overMs?: number }, signal: AbortSignal): Promise<CpuUse>;
}

/** The same, with what changes a machine without taking it away. */
export interface Operations extends OperationsView {
  readonly etcd: EtcdOperations;
  readonly flux: FluxOperations;
  readonly recovery: Recovery;
  readonly patching: Patching;
  /** Failure: `talos/*`: Talos itself says which services one may start, stop and restart. */
  /** A cordon that tk has not set. Failure: `node/not-in-kubernetes`. */
  uncordonForeign(node: NodeModel, signal: AbortSignal): Promise<void>;
  /** False when Kubernetes knew no such node. */
  deleteKubeNode(node: NodeModel, signal: AbortSignal): Promise<boolean>;
  service(node: NodeModel, service: string, action: 'start' | 'stop' | 'restart', signal: AbortSignal): Promise<void>;
}

export interface OperationParts {
  readonly nodes: readonly NodeModel[];
  readonly connections: Connections;
  readonly access: KubeAccess;
  readonly clock: Clock;
  readonly files: Files;
  /** Of the repository. */
  readonly root: string;
  readonly doctor: Doctor;
  readonly compare: (running: Secret<string>, wanted: Secret<string>) => Promise<ConfigDifferences>;
  readonly secretValues: () => Promise<readonly string[]>;
  /** PEM; undefined when no bundle of secrets is at hand. */
  readonly kubernetesCa: () => Promise<string | undefined>;
}

export function createOperations({
  nodes,
  connections,
  access,
  clock,
  files,
  root,
  doctor,
  compare,
  secretValues,
  kubernetesCa,
}: OperationParts): Operations {
  return {
    nodes: (selector) => selectNodes(nodes, selector),
    named: ({ ip, node, hostname, nodes: names, role, all }) =>
      namedNodes(nodes, { ip, node, hostname, nodes: names, role, ...(all === undefined ? {} : { all }) }),
    controlPlanes: (selector) => selectControlPlanes(nodes, selector),
    checkService,
    checkWipe: (node, wipe, signal) => checkWipe(connections, node, wipe, signal),
    partitions: (node, labels, signal) => partitionsOf(connections, node, labels, signal),
    doctor,
    patching: createPatching({ root, files, connections, compare }),
    recovery: createRecovery({ root, nodes, kubernetesCa, files, clock, connections }),
    flux: createFluxOperations(access, () => clock.now()),
    now: () => clock.now(),
    etcd: createEtcdOperations(connections),
    resources: createResources({ connections, clock, secretValues }),
    async *log(node, { service, tailLines = -1, follows = false, lost = () => {} }, signal) {
      const pieces = async function* (tail: number, stop: AbortSignal) {
        const machine = await connections.anyReader(node, stop);
        try {
          yield* service === undefined
            ? machine.dmesg({ follow: follows }, stop)
            : machine.logs({ service, follow: follows, tailLines: tail }, stop);
        } finally {
          machine.close();
        }
      };
      // The kernel's log has no tail of its own.
      const isCut = service === undefined && tailLines >= 0 && !follows;
      if (follows) yield* followLines({ clock, open: (again, stop) => pieces(again ? -1 : tailLines, stop), lost }, signal);
      else if (isCut) yield* lastOf(tailLines, linesOf(pieces(-1, signal)));
      else yield* linesOf(pieces(tailLines, signal));
    },
    disks: (node, signal) =>
      connections.readAny(node, signal, async (machine) => {
        const [system] = await machine.list(talosResourceTypes.systemDisk, signal);
        const systemDisk = system && fromBinary(definitions.block.SystemDiskSpecSchema, system.proto).devPath;
        return (await machine.disks(signal)).map((disk) => ({ ...disk, isSystemDisk: disk.devPath === systemDisk }));
      }),
    links: (node, signal) => connections.readAny(node, signal, (machine) => machine.links(signal)),
    kubeNodeName: (node, signal) => kubeNodeName(access, node, signal),
    uncordonForeign: (node, signal) => uncordonForeign(access, node, signal),
    deleteKubeNode: (node, signal) => deleteKubeNode(access, node, signal),
    service: (node, service, action, signal) => connections.change(node, (machine) => machine[`${action}Service`](service, signal)),
    async cpu(node, { overMs = seconds(1) }, signal) {
      return connections.read(node, async (machine) => {
        const before = await machine.cpu(signal);
        await clock.sleep(overMs, signal);
        const now = await machine.cpu(signal);
        const busy = now.busySeconds - before.busySeconds;
        const all = busy + now.idleSeconds - before.idleSeconds;
        return { ...now, busy: all > 0 ? Math.min(1, Math.max(0, busy / all)) : 0 };
      });
    },
  };
}

function checkService(asked: string, known: readonly { readonly id: string }[]): void {
  const ids = [...new Set(known.map(({ id }) => id))];
  if (ids.includes(asked)) return;
  const suggestion = suggestionFor(asked, ids);
  throw new TkError(operationFailure('service/unknown', { asked, ...(suggestion ? { suggestion } : {}) }));
}

async function* lastOf(count: number, lines: AsyncIterable<string>): AsyncGenerator<string> {
  const kept: string[] = [];
  for await (const line of lines) {
    kept.push(line);
    if (kept.length > count) kept.shift();
  }
  yield* kept;
}

/** The same without what changes something. */
export function operationsViewOf(operations: Operations): OperationsView {
  return {
    nodes: (selector) => operations.nodes(selector),
    named: (selector) => operations.named(selector),
    controlPlanes: (selector) => operations.controlPlanes(selector),
    checkWipe: (node, wipe, signal) => operations.checkWipe(node, wipe, signal),
    partitions: (node, labels, signal) => operations.partitions(node, labels, signal),
    checkService: (asked, known) => operations.checkService(asked, known),
    doctor: operations.doctor,
    patching: {
      load: (words) => operations.patching.load(words),
      preview: (node, patches, mode, signal) => operations.patching.preview(node, patches, mode, signal),
    },
    recovery: {
      file: (path, options) => operations.recovery.file(path, options),
      strangers: (file) => operations.recovery.strangers(file),
      remains: (nodes, signal) => operations.recovery.remains(nodes, signal),
      mayRecover: (picture) => operations.recovery.mayRecover(picture),
      undecided: (nodes, signal) => operations.recovery.undecided(nodes, signal),
      volumes: (node, signal) => operations.recovery.volumes(node, signal),
      waiting: (node) => operations.recovery.waiting(node),
    },
    flux: {
      objects: (asked, signal) => operations.flux.objects(asked, signal),
      handled: (object, requestedAt) => operations.flux.handled(object, requestedAt),
    },
    now: () => operations.now(),
    resources: operations.resources,
    etcd: {
      mustAnswer: (picture) => operations.etcd.mustAnswer(picture),
      member: (picture, word) => operations.etcd.member(picture, word),
      mayPause: (picture, node, options) => operations.etcd.mayPause(picture, node, options),
      mayRemove: (picture, member, options) => operations.etcd.mayRemove(picture, member, options),
      tolerance: (picture, change) => operations.etcd.tolerance(picture, change),
    },
    log: (node, request, signal) => operations.log(node, request, signal),
    kubeNodeName: (node, signal) => operations.kubeNodeName(node, signal),
    disks: (node, signal) => operations.disks(node, signal),
    links: (node, signal) => operations.links(node, signal),
    cpu: (node, options, signal) => operations.cpu(node, options, signal),
  };
}
