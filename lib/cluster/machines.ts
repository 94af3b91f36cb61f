import { type Clock, type Condition, type Failure, holds, minutes, never, notYet, seconds, type Secret, TkError } from '../base/index.ts';
import type { ClusterModel, NodeModel } from '../config/index.ts';
import type { MachineProbe, TalosReader } from '../talos/index.ts';
import type { ApplyResult, ConfigComparison, ConfigDifferences, Machines, NodeReport, NodeState } from './cluster.ts';
import type { Connections } from './connections.ts';
import { describeChoice, describeDisk, matchingDisks } from './disk-choice.ts';
import { clusterFailure } from './failures.ts';
import { findNode } from './nodes.ts';
import { isTransientTalos } from './transient.ts';

export interface MachineParts {
  readonly model: ClusterModel;
  readonly clock: Clock;
  readonly connections: Connections;
  /** The config that the repository has for a node. */
  readonly configOf: (node: NodeModel, signal: AbortSignal) => Promise<Secret<string>>;
  readonly compare: (running: Secret<string>, wanted: Secret<string>) => ConfigComparison;
  readonly differences: (running: Secret<string>, wanted: Secret<string>) => Promise<ConfigDifferences>;
  /** Whether something answers on this address and port. */
  readonly answers: (host: string, port: number, signal: AbortSignal) => Promise<boolean>;
}

/** More than this, and certificates that are made now are not valid there yet. */
const clockToleranceMs = 60_000;

/** What preflight saw of a machine in maintenance mode: who has to be there when the config goes out. */
interface Pin {
  readonly spkiSha256: string;
  readonly macs: readonly string[];
  readonly diskSerials: readonly string[];
}

export function createMachines({ model, clock, connections, configOf, compare, differences, answers }: MachineParts): Machines {
  const pins = new Map<string, Pin>();

  const state = async (node: NodeModel, signal: AbortSignal): Promise<NodeState> => stateOf(await connections.probe(node, signal));

  const preflight = async (node: NodeModel, signal: AbortSignal): Promise<NodeReport> => {
    const probe = await connections.probe(node, signal);
    const seen = stateOf(probe);
    const base = { node, state: seen, warnings: [] as Failure[] };
    switch (probe.state) {
      case 'unreachable':
        return {
          ...base,
          problems: [clusterFailure('preflight/unreachable', { node: node.name, address: node.address, reason: probe.reason })],
        };
      case 'foreign':
        return { ...base, problems: [clusterFailure('preflight/foreign', { node: node.name, address: node.address })] };
      case 'maintenance': {
        const reader = connections.maintenanceReader(node, probe.spkiSha256);
        try {
          const hardware = await readHardware(reader, signal);
          pins.set(node.name, { spkiSha256: probe.spkiSha256, ...hardware.pin });
          const { problems, disk } = checkHardware(node, hardware, true);
          return { ...base, ...(disk ? { disk } : {}), problems: [...versionProblems(node, probe.version?.tag), ...problems] };
        } finally {
          reader.close();
        }
      }
      case 'configured':
        return connections.read(node, async (reader) => {
          const hardware = await readHardware(reader, signal);
          const { problems, disk } = checkHardware(node, hardware, false);
          const drift = (await reader.time(signal).catch(() => clock.now())) - clock.now();
          const wrongTime =
            Math.abs(drift) > clockToleranceMs ? [clusterFailure('preflight/clock', { node: node.name, offsetMs: Math.round(drift) })] : [];
          return { ...base, ...(disk ? { disk } : {}), problems: [...problems, ...wrongTime] };
        });
    }
  };

  return {
    select: (selector) => (selector.ip || selector.node || selector.hostname ? [findNode(model.nodes, selector, model.vip)] : model.nodes),
    read: (node, use) => connections.read(node, use),
    state,
    preflight,
    async preflightCluster(reports, signal) {
      const isFresh = reports.every((report) => report.state.state === 'maintenance');
      if (!isFresh || model.vip === undefined) return [];
      // No machine of this cluster has the address yet, so nobody may answer on it.
      const taken = (await answers(model.vip, 6443, signal)) || (await answers(model.vip, 50_000, signal));
      return taken ? [clusterFailure('preflight/address-taken', { address: model.vip, role: 'vip' })] : [];
    },
    async compareConfig(node, signal) {
      const probe = await connections.probe(node, signal);
      if (probe.state === 'maintenance') return { state: 'differs', changed: ['no config yet'] };
      if (probe.state !== 'configured')
        return { state: 'unknown', because: probe.state === 'unreachable' ? probe.reason : 'it belongs to another cluster' };
      const running = await connections.read(node, (reader) => reader.machineConfig('persistent', signal));
      if (running === undefined) return { state: 'unknown', because: 'it has no config' };
      return compare(running, await configOf(node, signal));
    },
    async differences(node, wanted, signal) {
      const probe = await connections.probe(node, signal);
      if (probe.state === 'maintenance') return { state: 'missing', because: 'it is in maintenance mode and has no config' };
      if (probe.state !== 'configured')
        return { state: 'unknown', because: probe.state === 'unreachable' ? probe.reason : 'it belongs to another cluster' };
      const running = await connections.read(node, (reader) => reader.machineConfig('persistent', signal));
      return running === undefined ? { state: 'missing', because: 'it has no config' } : differences(running, wanted);
    },
    async dryRun(node, mode, signal) {
      if ((await connections.probe(node, signal)).state !== 'configured') return undefined;
      const config = { text: await configOf(node, signal) };
      return resultOf(await connections.read(node, (machine) => machine.dryRunApply(config, mode, signal)));
    },
    async apply(node, mode, signal, { tryForMs } = {}): Promise<ApplyResult> {
      const config = { text: await configOf(node, signal), ...(tryForMs === undefined ? {} : { tryForMs }) };
      const probe = await connections.probe(node, signal);
      if (probe.state === 'unreachable')
        throw new TkError(clusterFailure('preflight/unreachable', { node: node.name, address: node.address, reason: probe.reason }));
      if (probe.state === 'foreign') throw new TkError(clusterFailure('preflight/foreign', { node: node.name, address: node.address }));
      const send = (port: Parameters<Parameters<Connections['change']>[1]>[0]) => port.applyConfiguration(config, mode, signal);
      const result =
        probe.state === 'configured' ? await connections.change(node, send) : await sendInMaintenance(node, probe.spkiSha256, send);
      return resultOf(result);
    },
    installed: (node) => installedCondition(node, state, pins.get(node.name)),
  };

  /** A config holds the cluster's keys: it goes only to the machine whose certificate preflight saw in this run. */
  async function sendInMaintenance<T>(
    node: NodeModel,
    spkiSha256: string,
    send: (port: ReturnType<Connections['maintenanceMutator']>) => Promise<T>,
  ): Promise<T> {
    const pin = pins.get(node.name);
    if (pin === undefined) throw new TkError(clusterFailure('gate/unpinned', { node: node.name }));
    if (pin.spkiSha256 !== spkiSha256)
      throw new TkError(clusterFailure('gate/identity', { node: node.name, wanted: `certificate ${pin.spkiSha256}`, found: spkiSha256 }));
    const port = connections.maintenanceMutator(node, pin.spkiSha256, { macs: pin.macs, diskSerials: pin.diskSerials });
    try {
      return await send(port);
    } finally {
      port.close();
    }
  }
}

/** Without the machine's own words about the differences: they quote the config, keys included. */
const resultOf = ({ mode, warnings }: ApplyResult): ApplyResult => ({ mode, warnings });

function stateOf(probe: MachineProbe): NodeState {
  switch (probe.state) {
    case 'unreachable':
      return { state: 'unreachable', reason: probe.reason };
    case 'foreign':
      return { state: 'foreign' };
    case 'maintenance':
      return { state: 'maintenance', spkiSha256: probe.spkiSha256, ...(probe.version ? { talosVersion: probe.version.tag } : {}) };
    case 'configured':
      return {
        state: 'configured',
        talosVersion: probe.version.tag,
        stage: probe.status.stage,
        isReady: probe.status.isReady,
        unmet: probe.status.unmet,
      };
  }
}

interface Hardware {
  readonly disks: Awaited<ReturnType<TalosReader['disks']>>;
  readonly macs: readonly string[];
  readonly pin: Omit<Pin, 'spkiSha256'>;
}

async function readHardware(reader: TalosReader, signal: AbortSignal): Promise<Hardware> {
  const disks = await reader.disks(signal);
  const links = await reader.links(signal);
  const macs = [...new Set(links.filter((link) => link.isPhysical).flatMap((link) => [link.permanentMac, link.mac]))].filter(
    (mac) => mac !== '',
  );
  return { disks, macs, pin: { macs, diskSerials: disks.map((disk) => disk.serial).filter((serial) => serial !== '') } };
}

function checkHardware(
  node: NodeModel,
  { disks, macs }: Hardware,
  isBeforeInstall: boolean,
): { readonly problems: readonly Failure[]; readonly disk?: NonNullable<NodeReport['disk']> } {
  const problems: Failure[] = [];
  const wanted = node.macAddresses.filter((mac) => !macs.includes(mac));
  if (wanted.length > 0)
    problems.push(clusterFailure('preflight/wrong-machine', { node: node.name, address: node.address, wanted, found: macs }));
  const matching = matchingDisks(node.disk, disks);
  const [first, second] = matching;
  const name = describeChoice(node.disk);
  if (isBeforeInstall && node.disk.by !== 'nothing') {
    if (first === undefined)
      problems.push(clusterFailure('preflight/no-disk', { node: node.name, wanted: name, found: disks.map(describeDisk) }));
    else if (second !== undefined)
      problems.push(clusterFailure('preflight/two-disks', { node: node.name, wanted: name, found: matching.map(describeDisk) }));
  }
  return {
    problems,
    ...(first === undefined ? {} : { disk: { path: first.devPath, sizeBytes: first.sizeBytes, serial: first.serial, model: first.model } }),
  };
}

/** A machine takes a config of its own minor; an older one does not know the documents, a newer one may. */
function versionProblems(node: NodeModel, running: string | undefined): Failure[] {
  const minor = (version: string) => version.split('.').slice(0, 2).join('.');
  if (running === undefined || minor(running) === minor(node.talosVersion)) return [];
  return [clusterFailure('preflight/version', { node: node.name, running, wanted: node.talosVersion })];
}

/** What a machine still waits for when it has done all that it can without etcd. */
const waitsForEtcd = new Set(['services', 'nodeReady', 'staticPods']);

/**
 * `pin`: of the boot in which the machine took its config. A machine makes itself another certificate for each boot in maintenance
 * mode, and one whose install fails restarts: so it is known from one that has not begun yet.
 * Source: Talos internal/app/machined/main.go (handle), internal/app/maintenance/server.go
 */
function installedCondition(node: NodeModel, state: Machines['state'], pin: Pin | undefined): Condition<NodeState> {
  // It also makes one when its addresses change, which the config may do: a look later it has left by then.
  let wasNew = false;
  return {
    description: `${node.name} to install and come back`,
    deadlineMs: minutes(15),
    intervalMs: seconds(5),
    see: `npx tk talos:dmesg NODE=${node.name}`,
    transient: isTransientTalos,
    async check(signal) {
      const seen = await state(node, signal);
      if (seen.state !== 'maintenance') wasNew = false;
      switch (seen.state) {
        case 'unreachable':
          return notYet(`no answer (${seen.reason})`);
        case 'maintenance':
          if (pin === undefined || seen.spkiSha256 === pin.spkiSha256) return notYet('still in maintenance mode');
          if (!wasNew) {
            wasNew = true;
            return notYet('in maintenance mode with another certificate');
          }
          return never(
            clusterFailure('node/install-failed', { node: node.name, version: node.talosVersion, to: describeChoice(node.disk) }),
          );
        case 'foreign':
          return never(clusterFailure('preflight/foreign', { node: node.name, address: node.address }));
        case 'configured': {
          const unmet = seen.unmet.filter((condition) => !waitsForEtcd.has(condition.name));
          if (seen.stage === 'running' || (seen.stage === 'booting' && unmet.length === 0)) return holds(seen);
          const [first] = unmet;
          return notYet(first ? `${seen.stage}; ${first.name}: ${first.reason}` : seen.stage);
        }
      }
    },
  };
}
