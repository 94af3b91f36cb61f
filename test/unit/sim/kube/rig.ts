import { type HttpTarget, Secret } from '../../../../lib/base/index.ts';
import { createKubeClient, type KubeObject, type KubeWriter } from '../../../../lib/kube/index.ts';
import { createCertificateAuthority, issue } from '../../../../lib/pki/index.ts';
import { createKubeModel, createMemoryWorld, type KubeletFacts, type MemoryWorld, type SimulatedKube } from '../../../../lib/sim/index.ts';

export const never: AbortSignal = new AbortController().signal;

export interface KubeRig extends MemoryWorld {
  readonly kube: SimulatedKube;
  readonly client: KubeWriter;
  /** A client of the API server of one control plane. */
  clientOf(address: string): KubeWriter;
  target(address: string): HttpTarget;
  readonly host: { quorum: boolean; servers: string[]; cni: 'flannel' | 'none' };
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
  up(...nodes: readonly Partial<KubeletFacts>[]): void;
}

export const addresses: Readonly<Record<string, string>> = {
  'cp-1': '10.5.0.11',
  'cp-2': '10.5.0.12',
  'cp-3': '10.5.0.13',
  'worker-1': '10.5.0.21',
  'worker-2': '10.5.0.22',
};

/** A cluster of API servers without machines: etcd and kubelets are what the test says. */
export async function kubeRig(
  options: Parameters<typeof createMemoryWorld>[0] & {
    readonly servers?: string[];
    readonly cni?: 'flannel' | 'none';
    readonly organizations?: string[];
  } = {},
): Promise<KubeRig> {
  const memory = createMemoryWorld(options);
  const { world, kernel } = memory;
  const day = 86_400_000;
  const ca = await createCertificateAuthority(world, { kind: 'p256', organization: 'kubernetes' });
  const server = await issue(world, ca, {
    commonName: 'kube-apiserver',
    extendedKeyUsages: ['serverAuth'],
    ipAddresses: Object.values(addresses),
    validityMs: day,
  });
  const admin = await issue(world, ca, {
    commonName: 'admin',
    organizations: options.organizations ?? ['system:masters'],
    extendedKeyUsages: ['clientAuth'],
    validityMs: day,
  });
  const host = { quorum: true, servers: options.servers ?? ['cp-1'], cni: options.cni ?? ('none' as const) };
  const kube = createKubeModel(kernel, {
    etcdHasQuorum: () => host.quorum,
    apiServerRuns: (node) => host.servers.includes(node),
    apiServers: () => host.servers,
    kubernetesCa: () => ca.certificate,
    bootstrapManifests: () => ({ coreDns: true, kubeProxy: true, cni: host.cni }),
  });
  for (const node of ['cp-1', 'cp-2', 'cp-3']) {
    await world.listen.http({
      host: addresses[node] as string,
      port: 6443,
      tls: { certificate: server.certificate, key: server.key, clientCa: ca.certificate, clientCertificates: 'request' },
      handler: kube.apiServer(node),
    });
  }
  const target = (address: string): HttpTarget => ({
    protocol: 'https',
    host: address,
    port: 6443,
    tls: { ca: ca.certificate, certificate: admin.certificate, key: admin.key },
  });
  const clientOf = (address: string) => createKubeClient({ dial: world.dial, clock: world.clock, target: target(address) });
  return {
    ...memory,
    kube,
    host,
    target,
    clientOf,
    client: clientOf(addresses['cp-1'] as string),
    pass: (ms) => world.clock.sleep(ms),
    up(...nodes) {
      for (const node of nodes) {
        const name = node.name ?? 'cp-1';
        const role = node.role ?? (name.startsWith('cp') ? 'controlplane' : 'worker');
        kube.kubeletUp({
          name,
          addresses: [addresses[name] as string],
          role,
          kubernetesVersion: 'v1.37.0',
          talosVersion: 'v1.14.1',
          labels: {},
          taints: role === 'controlplane' ? [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] : [],
          ...node,
        });
      }
    },
  };
}

export const configMap = (name: string, data: Readonly<Record<string, string>>, namespace = 'default'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

export const secretOf = (text: string): Secret<string> => new Secret(text);
