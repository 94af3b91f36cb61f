import { Secret, TkError } from '../../../lib/base/index.ts';
import { machineApi } from '../../../lib/upstream/index.ts';
import { eventPayload, talosResourceTypes, type TalosMutator } from '../../../lib/talos/index.ts';

/** Everything that the client can say, and what it made of the answers, as plain JSON. */
export async function converse(talos: TalosMutator, signal: AbortSignal): Promise<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  const note = async (name: string, work: () => Promise<unknown>) => {
    try {
      result[name] = plain(await work());
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      const { node: _node, address: _address, ...facts } = error.failure.facts;
      result[name] = { code: error.failure.code, ...facts };
    }
  };
  const config = { text: new Secret('version: v1alpha1\n') };
  await note('version', () => talos.version(signal));
  await note('machineStatus', () => talos.machineStatus(signal));
  await note('machineType', () => talos.machineType(signal));
  await note('services', () => talos.services(signal));
  await note('disks', () => talos.disks(signal));
  await note('links', () => talos.links(signal));
  await note('members', () => talos.members(signal));
  await note('systemInformation', () => talos.systemInformation(signal));
  await note('hostname', () => talos.hostname(signal));
  await note('isTimeSynced', () => talos.isTimeSynced(signal));
  await note('time', () => talos.time(signal));
  await note('extensions', async () => [...(await talos.extensions(signal))]);
  await note('machineConfig', async () => (await talos.machineConfig('active', signal))?.reveal());
  await note('persistentConfig', async () => (await talos.machineConfig('persistent', signal)) ?? 'absent');
  await note('etcdMembers', () => talos.etcdMembers({ queryLocal: true }, signal));
  await note('etcdStatus', () => talos.etcdStatus(signal));
  await note('hasEtcdData', () => talos.hasEtcdData(signal));
  await note('etcdAlarms', () => talos.etcdAlarms(signal));
  await note('bootedAtMs', () => talos.bootedAtMs(signal));
  await note('secureBoot', () => talos.secureBoot(signal));
  await note('memory', () => talos.memory(signal));
  await note('cpu', () => talos.cpu(signal));
  await note('processes', () => talos.processes(signal));
  await note('mounts', () => talos.mounts(signal));
  await note('containers', () => talos.containers('system', signal));
  await note('kubernetesContainers', () => talos.containers('kubernetes', signal));
  await note('cgroups', () => talos.cgroups(signal));
  await note('resourceDefinitions', async () => {
    const found = await talos.resourceDefinitions(signal);
    return found.filter(({ type }) => /^(?:Disks|MachineConfigs)\./.test(type));
  });
  await note('bootId', () => talos.bootId(signal));
  await note('missingFile', () => talos.readFile('/none', signal));
  await note('kubeconfig', async () => (await talos.kubeconfig(signal)).reveal());
  await note('get', async () => described(await talos.get(talosResourceTypes.nodename, 'nodename', signal)));
  await note('getMissing', () => talos.get(talosResourceTypes.nodename, 'none', signal));
  await note('getUnknownType', () => talos.get({ type: 'Nothings.example.dev', namespace: 'runtime' }, 'x', signal));
  await note('listEmpty', () => talos.list(talosResourceTypes.diagnostics, signal));
  await note('watchAll', () => taken(talos.watch(talosResourceTypes.members, undefined, signal), 3));
  await note('watchOne', () => taken(talos.watch(talosResourceTypes.hostname, 'hostname', signal), 1));
  await note('watchMissing', () => taken(talos.watch(talosResourceTypes.nodename, 'none', signal), 1));
  await note('events', async () => {
    const seen: unknown[] = [];
    for await (const event of talos.events({ tail: -1 }, signal)) {
      const payload =
        eventPayload(event, 'TaskEvent')?.task ??
        eventPayload(event, 'SequenceEvent')?.sequence ??
        eventPayload(event, 'MachineStatusEvent')?.stage;
      seen.push([event.id, event.actorId, event.kind, payload]);
    }
    return seen;
  });
  await note('logs', async () => (await all(talos.logs({ service: 'etcd', tailLines: 5 }, signal))).join(''));
  await note('health', () => all(talos.health({ waitMs: 60_000 }, signal)));
  await note('dryRunApply', () => talos.dryRunApply(config, 'auto', signal));
  await note('applyConfiguration', () => talos.applyConfiguration(config, 'staged', signal));
  await note('bootstrap', () => talos.bootstrap({}, signal));
  await note('reboot', () => talos.reboot('powercycle', signal));
  await note('reset', () =>
    talos.reset({ isGraceful: true, reboots: true, wipe: 'system-disk', systemLabels: ['STATE', 'EPHEMERAL'], userDisks: [] }, signal),
  );
  await note('upgradeLegacy', () =>
    talos.upgradeLegacy({ image: 'factory/installer:v1.14.1', isStaged: true, rebootMode: 'powercycle' }, signal),
  );
  await note('pullImage', () => talos.pullImage('factory/installer:v1.14.1', signal));
  await note('upgrade', () => talos.upgrade('factory/installer:v1.14.1', () => {}, signal));
  await note('install', async () => {
    const lines: string[] = [];
    await talos.install({ image: 'factory/installer:v1.14.1', disk: '/dev/sda' }, (line) => lines.push(line), signal);
    return lines;
  });
  await note('pullImageLegacy', () => talos.pullImageLegacy('factory/installer:v1.12.6', signal));
  await note('rollback', () => talos.rollback(signal));
  await note('shutdown', () => talos.shutdown({ isForced: true }, signal));
  await note('startService', () => talos.startService('kubelet', signal));
  await note('stopService', () => talos.stopService('kubelet', signal));
  await note('restartService', () => talos.restartService('kubelet', signal));
  await note('forfeitEtcdLeadership', () => talos.forfeitEtcdLeadership(signal));
  await note('removeEtcdMember', () => talos.removeEtcdMember(18446744073709551615n, signal));
  await note('leaveEtcd', () => talos.leaveEtcd(signal));
  await note('defragmentEtcd', () => talos.defragmentEtcd(signal));
  await note('disarmEtcdAlarms', () => talos.disarmEtcdAlarms(signal));
  await note('etcdSnapshot', async () => Buffer.concat(await all(talos.etcdSnapshot(signal))).toString());
  await note('recoverEtcd', () => talos.recoverEtcd(chunks(), signal));
  await note('wipeDisks', () => talos.wipeDisks(['sda', 'sdb'], signal));
  await note('writeMeta', () => talos.writeMeta(10, new TextEncoder().encode('value'), signal));
  await note('dmesg', async () => (await all(talos.dmesg({}, signal))).join(''));
  await note('peer', async () => (await talos.peer(signal)).spkiSha256.length);
  await note(
    'ask',
    async () => (await all(talos.ask(machineApi.MachineService.method.memory, {}, signal)))[0]?.messages[0]?.meminfo?.memtotal,
  );
  return result;
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let left = 3; left > 0; left -= 1) yield new Uint8Array(32_768);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

type Watched = ReturnType<TalosMutator['watch']>;

async function taken(events: Watched, count: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const event of events) {
    seen.push(event.kind === 'bootstrapped' ? event.kind : [event.kind, described(event.resource)]);
    if (seen.length === count) break;
  }
  return seen;
}

function described({
  namespace,
  type,
  id,
  version,
  phase,
  yaml,
}: {
  namespace: string;
  type: string;
  id: string;
  version: string;
  phase: string;
  yaml: string;
}) {
  return `${namespace} ${type} ${id} v${version} ${phase} ${yaml.trimEnd().replaceAll('\n', ' | ')}`;
}

/** BigInts as text, secrets opened: these are made up. */
function plain(value: unknown): unknown {
  if (value instanceof Secret) return plain(value.reveal());
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  return value;
}
