import { holds, minutes, notYet, Secret, seconds, type TalosTrust, waitFor, type World } from '../../../lib/base/index.ts';
import { issue } from '../../../lib/pki/index.ts';
import { relabelKey } from '../../../lib/pki/index.ts';
import {
  type ClusterHooks,
  createMemoryWorld,
  type KubeModel,
  type MachineSpec,
  type MemoryWorldOptions,
  type SandboxSpec,
  startCluster,
} from '../../../lib/sim/index.ts';
import { createTalosMutator, createTalosReader } from '../../../lib/talos/index.ts';
import {
  createSecretsBundle,
  generateBase,
  renderMachineConfig,
  applyPatch,
  loadPatch,
  type SecretsBundle,
} from '../../../lib/talos/machine-config.ts';

export type Minor = '1.12' | '1.13' | '1.14';

export const versions: Record<Minor, { readonly talos: string; readonly kubernetes: string }> = {
  '1.12': { talos: 'v1.12.6', kubernetes: '1.35.4' },
  '1.13': { talos: 'v1.13.9', kubernetes: '1.36.3' },
  '1.14': { talos: 'v1.14.1', kubernetes: '1.37.0' },
};

export const vip = '192.168.42.120';

export function specOf(minor: Minor, controlPlanes: number, workers: number, network = '192.168.42'): SandboxSpec {
  const machine = (name: string, role: MachineSpec['role'], last: number): MachineSpec => ({
    name,
    role,
    address: `${network}.${last}`,
    talosVersion: versions[minor].talos,
    uuid: `00000000-0000-4000-8000-0000000000${last}`,
    disks: [{ path: '/dev/nvme0n1', sizeBytes: 512_000_000_000, model: 'Test NVMe', serial: `SERIAL${last}`, transport: 'nvme' }],
    links: [{ name: 'enp1s0', mac: `02:00:00:00:00:${last}` }],
  });
  return {
    clusterName: 'test',
    vip: network === '192.168.42' ? vip : `${network}.10`,
    machines: [
      ...Array.from({ length: controlPlanes }, (_, index) => machine(`cp-${index + 1}`, 'controlplane', 11 + index)),
      ...Array.from({ length: workers }, (_, index) => machine(`worker-${index + 1}`, 'worker', 21 + index)),
    ],
  };
}

/** Nodes register and stay NotReady, as without a network plugin. */
export function silentKube(): KubeModel & { readonly registered: Set<string> } {
  const registered = new Set<string>();
  return {
    registered,
    apiServer: () => async () => ({ status: 200, body: 'ok' }),
    kubeletUp: ({ name }) => void registered.add(name),
    kubeletDown: (name) => void registered.delete(name),
    setCordoned: () => {},
    drain: () => 0,
    nodeReady: (name) => (registered.has(name) ? true : undefined),
  };
}

export async function configsOf(
  world: World,
  minor: Minor,
  spec: SandboxSpec,
  endpoint = `https://${spec.vip}:6443`,
): Promise<{ readonly bundle: SecretsBundle; readonly texts: ReadonlyMap<string, string> }> {
  const bundle = await createSecretsBundle(world, minor);
  const input = {
    clusterName: spec.clusterName,
    endpoint,
    contract: minor,
    kubernetesVersion: versions[minor].kubernetes,
    bundle,
    installDisk: '/dev/nvme0n1',
    installImage: `factory.talos.dev/metal-installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:${versions[minor].talos}`,
  };
  const texts = new Map<string, string>();
  for (const machine of spec.machines) {
    const patches = [`apiVersion: v1alpha1\nkind: HostnameConfig\nauto: off\nhostname: ${machine.name}\n`];
    if (machine.role === 'controlplane') patches.push(`apiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: ${spec.vip}\nlink: enp1s0\n`);
    let documents = generateBase(input, machine.role);
    for (const text of patches) documents = [...applyPatch(documents, loadPatch({ path: 'patch.yaml', text }, minor), minor).documents];
    texts.set(machine.name, renderMachineConfig(documents));
  }
  return { bundle, texts };
}

export async function adminTrust(world: World, bundle: SecretsBundle, roles = ['os:admin']): Promise<TalosTrust> {
  const pair = await issue(world, bundle.certs.os, {
    organizations: roles,
    extendedKeyUsages: ['clientAuth'],
    validityMs: 365 * 24 * 3_600_000,
    backdateMs: 3_600_000,
  });
  return { kind: 'mutual', ca: bundle.certs.os.certificate, certificate: pair.certificate, key: pair.key.map(relabelKey) };
}

export const signal: AbortSignal = new AbortController().signal;

/** A simulated cluster in memory, still in maintenance mode, with configurations to apply. */
export async function memoryCluster(
  minor: Minor,
  options: {
    readonly controlPlanes?: number;
    readonly workers?: number;
    readonly world?: MemoryWorldOptions;
    readonly hooks?: ClusterHooks;
    readonly endpoint?: string;
  } = {},
) {
  const memory = createMemoryWorld(options.world);
  const spec = specOf(minor, options.controlPlanes ?? 3, options.workers ?? 3);
  const kube = silentKube();
  const talos = startCluster(memory.kernel, memory.network, spec, { kube: () => kube, ...options.hooks });
  const { bundle, texts } = await configsOf(memory.world, minor, spec, options.endpoint);
  const trust = await adminTrust(memory.world, bundle);
  return { ...memory, spec, kube, talos, bundle, texts, trust, ...driverOf(memory.world, spec, texts, trust) };
}

/** The calls that take a cluster from maintenance mode to running, as a user of the client would make them. */
export function driverOf(world: World, spec: SandboxSpec, texts: ReadonlyMap<string, string>, trust: TalosTrust) {
  const addressOf = (node: string) => spec.machines.find(({ name }) => name === node)?.address ?? node;
  const identityOf = (node: string) => {
    const machine = spec.machines.find(({ name }) => name === node);
    return { uuid: machine?.uuid ?? '', macs: machine?.links.map(({ mac }) => mac) ?? [] };
  };
  const insecure = (node: string) =>
    createTalosMutator(world, { node, host: addressOf(node), trust: { kind: 'insecure' } }, identityOf(node));
  const mutator = (node: string) => createTalosMutator(world, { node, host: addressOf(node), trust }, identityOf(node));
  const reader = (node: string, by: TalosTrust = trust) => createTalosReader(world, { node, host: addressOf(node), trust: by });
  const until = <T>(description: string, look: () => Promise<T | undefined>) =>
    waitFor(
      {
        description,
        deadlineMs: minutes(30),
        intervalMs: seconds(5),
        check: async () => {
          const seen = await look().catch(() => undefined);
          return seen === undefined ? notYet('not yet') : holds(seen);
        },
      },
      world.clock,
      signal,
    );
  const configOf = (node: string) => new Secret(texts.get(node) ?? '');
  return {
    addressOf,
    configOf,
    insecure,
    mutator,
    reader,
    until,
    async applyAll() {
      for (const { name } of spec.machines) await insecure(name).applyConfiguration({ text: configOf(name) }, 'auto', signal);
    },
    stage: (node: string, stage: string) =>
      until(`${node} to be ${stage}`, async () => ((await reader(node).machineStatus(signal)).stage === stage ? true : undefined)),
  };
}
