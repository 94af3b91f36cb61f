import { type Recording, type RecordedTalosCall } from '../../lib/cli/record/recording.ts';
import { type Dial, GrpcError, type TalosTrust } from '../../lib/base/index.ts';
import { changesNothing } from '../../lib/talos/client/calls.ts';
import { createMemoryWorld, createKubeModel, type MachineSpec, type SandboxSpec, startCluster } from '../../lib/sim/index.ts';
import { fieldsOf } from '../oracle/talosctl/transcript.ts';
import { adminTrust, configsOf, driverOf, type Minor, versions } from '../unit/sim/cluster-rig.ts';

/** Where the simulator answers otherwise than the machine that was recorded. */
export interface Disagreement {
  readonly sequence: number;
  readonly call: string;
  readonly recorded: string;
  readonly simulated: string;
}

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const redacted = /\[redacted/;

/** A resource that only control planes have. */
const apiServerConfig = 'APIServerConfigs.kubernetes.talos.dev';

/** The machines that a recording speaks of: who answered for etcd, or for an API server, is a control plane. */
export function machinesIn({ exchanges }: Recording): { readonly minor: Minor; readonly spec: SandboxSpec } {
  const calls = exchanges.filter((one): one is RecordedTalosCall => one.kind === 'talos');
  const hosts = [...new Set(calls.map(({ host }) => host))].sort();
  const leads = new Set(
    calls
      .filter(({ path, requests, replies, status }) => {
        const isAsked =
          path.endsWith('/EtcdStatus') || requests.some(({ bytes }) => Buffer.from(bytes, 'base64').includes(apiServerConfig));
        return isAsked && status?.code === 0 && replies.length > 0;
      })
      .map(({ host }) => host),
  );
  const tag = /"tag":"v(1\.\d+)/.exec(JSON.stringify(calls.find(({ path }) => path.endsWith('/Version'))?.replies ?? []))?.[1];
  const minor = tag === '1.12' || tag === '1.13' ? tag : '1.14';
  const counts = { controlplane: 0, worker: 0 };
  const machines = hosts.map((address): MachineSpec => {
    const role = leads.has(address) ? 'controlplane' : 'worker';
    counts[role] += 1;
    const last = address.split('.').at(-1) ?? '1';
    return {
      name: `${role === 'controlplane' ? 'cp' : 'worker'}-${counts[role]}`,
      role,
      address,
      talosVersion: versions[minor].talos,
      uuid: `00000000-0000-4000-8000-${last.padStart(12, '0')}`,
      disks: [{ path: '/dev/nvme0n1', sizeBytes: 512_000_000_000, model: 'Test NVMe', serial: `SERIAL${last}`, transport: 'nvme' }],
      links: [{ name: 'enp1s0', mac: `02:00:00:00:00:${Number(last).toString(16).padStart(2, '0').slice(-2)}` }],
    };
  });
  return { minor, spec: { clusterName: 'recorded', vip: '192.0.2.1', machines: leads.size > 0 ? machines : [unseen(minor), ...machines] } };
}

/** Workers alone are no cluster: whoever led it was not asked anything while it was recorded. */
const unseen = (minor: Minor): MachineSpec => ({
  name: 'cp-1',
  role: 'controlplane',
  address: '192.0.2.2',
  talosVersion: versions[minor].talos,
  uuid: '00000000-0000-4000-8000-000000000000',
  disks: [{ path: '/dev/nvme0n1', sizeBytes: 512_000_000_000, model: 'Test NVMe', serial: 'SERIAL0', transport: 'nvme' }],
  links: [{ name: 'enp1s0', mac: '02:00:00:00:01:00' }],
});

/**
 * Says the reading calls of a recorded run once more, to simulated machines of the same number, roles and version, and compares the
 * kind of each answer: its status, and which fields it sets. What changes a machine, and what was redacted, is left out; so is that a
 * machine was away for a while after it was told to change.
 */
export async function replay(recording: Recording): Promise<readonly Disagreement[]> {
  const { minor, spec } = machinesIn(recording);
  const memory = createMemoryWorld();
  startCluster(memory.kernel, memory.network, spec, { kube: (kernel, host) => createKubeModel(kernel, host) });
  try {
    const { bundle, texts } = await configsOf(memory.world, minor, spec);
    const trust = await adminTrust(memory.world, bundle);
    const driver = driverOf(memory.world, spec, texts, trust);
    await driver.applyAll();
    const first = spec.machines.find(({ role }) => role === 'controlplane')?.name ?? '';
    await driver.until('the bootstrap to be accepted', async () => {
      await driver.mutator(first).bootstrap({}, new AbortController().signal);
      return true;
    });
    for (const { name } of spec.machines) await driver.stage(name, 'running');
    // A machine runs before its Kubernetes does.
    await memory.world.clock.sleep(120_000);
    const found: Disagreement[] = [];
    const wasTold = new Set<string>();
    for (const call of recording.exchanges) {
      if (call.kind !== 'talos' || call.isInsecure || call.status === undefined) continue;
      const isReading = changesNothing(call.path, {} as never);
      if (!isReading) wasTold.add(call.host);
      if (!isReading || redacted.test(JSON.stringify(call.requests))) continue;
      if (call.status.code === unavailable && wasTold.has(call.host)) continue;
      const recorded = kindOf(
        call.path,
        call.status.code,
        call.replies.map(({ bytes }) => bytesOf(bytes)),
      );
      const simulated = await sayAgain(memory.world.dial, call, trust);
      const isHidden = redacted.test(JSON.stringify(call.replies));
      if (isHidden ? statusOf(recorded) !== statusOf(simulated) : recorded !== simulated)
        found.push({ sequence: call.sequence, call: call.path, recorded, simulated });
    }
    return found;
  } finally {
    await memory.kernel.close();
  }
}

/** gRPC's own number. */
const unavailable = 14;

const statusOf = (kind: string): string | undefined => kind.split(' ')[0];

/** `0 messages.version.tag …`: the status, and every field that some reply sets. */
function kindOf(path: string, code: number, replies: readonly Uint8Array[]): string {
  const fields = new Set(replies.flatMap((reply) => fieldsOf(path, reply)));
  return [code, ...[...fields].sort()].join(' ');
}

async function sayAgain(dial: Dial, call: RecordedTalosCall, trust: TalosTrust): Promise<string> {
  const signal = new AbortController().signal;
  const connection = await dial.talos({ host: call.host, port: 50_000, trust }, signal);
  const requests = async function* () {
    for (const { bytes } of call.requests) yield bytesOf(bytes);
  };
  const replies: Uint8Array[] = [];
  try {
    const metadata = call.node === undefined ? {} : { node: call.node };
    for await (const reply of connection.call({ path: call.path, metadata, requests: requests(), signal })) replies.push(reply);
    return kindOf(call.path, 0, replies);
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    return kindOf(call.path, error.status.code, replies);
  } finally {
    connection.close();
  }
}
