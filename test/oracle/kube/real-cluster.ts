import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHostClock, createHostWorld } from '../../../lib/host/index.ts';
import { createKubeClient, type KubeObject, type KubeWriter, renderKubeconfig } from '../../../lib/kube/index.ts';
import { createCertificateAuthority, issue, relabelKey } from '../../../lib/pki/index.ts';

const day = { validityMs: 86_400_000, backdateMs: 60_000 };
const { signal } = new AbortController();

/**
 * etcd, kube-apiserver and kube-controller-manager as processes of their own, with the nodes `worker-1` and `worker-2`, and a loop
 * that does to pods what a scheduler and two kubelets would: bind, say Ready, end.
 *
 * `binaries`: the folder that holds the three. Linux only.
 */
export async function openRealCluster(binaries: string) {
  const clock = createHostClock();
  const world = createHostWorld({ clock });
  const directory = mkdtempSync(join(tmpdir(), 'kube-'));
  const put = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const ca = await createCertificateAuthority(world, { kind: 'p256', organization: 'kubernetes' });
  const pair = async (name: string, options: Parameters<typeof issue>[2]) => {
    const { certificate, key } = await issue(world, ca, options);
    return { certificate, key, files: [put(`${name}.crt`, certificate), put(`${name}.key`, key.map(relabelKey).reveal())] as const };
  };
  const server = await pair('server', {
    commonName: 'kube-apiserver',
    extendedKeyUsages: ['serverAuth'],
    ipAddresses: ['127.0.0.1', '10.96.0.1'],
    ...day,
  });
  const admin = await pair('admin', { commonName: 'admin', organizations: ['system:masters'], extendedKeyUsages: ['clientAuth'], ...day });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const accountKey = put('accounts.key', privateKey.export({ type: 'sec1', format: 'pem' }).toString());
  const accountPublic = put('accounts.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const caFile = put('ca.crt', ca.certificate);
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const url = `https://127.0.0.1:${port}`;
  const kubeconfig = put(
    'kubeconfig',
    renderKubeconfig({
      cluster: 'real',
      user: 'admin',
      server: url,
      caPem: ca.certificate,
      certificatePem: admin.certificate,
      key: admin.key.map(relabelKey),
    }).reveal(),
  );
  const started: ChildProcess[] = [];
  const start = (name: string, ...flags: readonly string[]) => {
    const log = openSync(join(directory, `${name}.log`), 'w');
    started.push(spawn(join(binaries, name), [...flags], { cwd: directory, stdio: ['ignore', log, log] }));
  };
  const etcd = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  start(
    'etcd',
    '--data-dir=etcd',
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  );
  start(
    'kube-apiserver',
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--tls-cert-file=${server.files[0]}`,
    `--tls-private-key-file=${server.files[1]}`,
    `--client-ca-file=${caFile}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/12',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${accountPublic}`,
    `--service-account-signing-key-file=${accountKey}`,
  );
  const kube = createKubeClient({
    dial: world.dial,
    clock,
    target: { protocol: 'https', host: '127.0.0.1', port, tls: { ca: ca.certificate, certificate: admin.certificate, key: admin.key } },
  });
  const ended = new AbortController();
  try {
    for (let tries = 0; !(await answers(kube)); tries += 1) {
      if (tries > 300) throw new Error(`the API server does not get ready: see ${directory}`);
      await sleep(200);
    }
    start(
      'kube-controller-manager',
      `--kubeconfig=${kubeconfig}`,
      `--root-ca-file=${caFile}`,
      `--service-account-private-key-file=${accountKey}`,
      '--use-service-account-credentials=false',
      // Nobody renews the leases of these nodes.
      '--controllers=*,-node-lifecycle-controller,-taint-eviction-controller',
      '--secure-port=0',
    );
    for (const name of ['worker-1', 'worker-2']) await joinNode(kube, name);
    const acting = actAsKubelets(kube, ended.signal);
    return {
      kube,
      clock,
      async close(): Promise<void> {
        ended.abort();
        await acting;
        for (const process of started) process.kill('SIGKILL');
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    for (const process of started) process.kill('SIGKILL');
    throw error;
  }
}

const answers = (kube: KubeWriter) =>
  kube.ready(signal).then(
    () => true,
    () => false,
  );

async function joinNode(kube: KubeWriter, name: string): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', name } as const;
  await kube.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } }, signal);
  const status = { conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }] };
  await kube.patch(node, { type: 'merge', value: { status }, subresource: 'status' }, signal);
  await kube.patch(node, { type: 'merge', value: { spec: { taints: null } } }, signal);
}

interface PodSpec {
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: unknown;
}

/** Until the signal: every pod gets a node that takes it, runs as soon as it has one, and is gone when it was told to end. */
async function actAsKubelets(kube: KubeWriter, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    const nodes = (await kube.list({ apiVersion: 'v1', kind: 'Node' }, {}, signal)).items;
    const { items } = await kube.list({ apiVersion: 'v1', kind: 'Pod' }, {}, signal);
    await Promise.all(items.map((pod) => move(kube, pod, nodes).catch(() => {})));
    await sleep(150);
  }
}

async function move(kube: KubeWriter, pod: KubeObject, nodes: readonly KubeObject[]): Promise<void> {
  const { namespace = 'default', name } = pod.metadata;
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, name };
  const spec = pod['spec'] as PodSpec;
  if (pod.metadata.deletionTimestamp !== undefined) {
    await kube.delete(ref, { gracePeriodSeconds: 0 }, signal);
    return;
  }
  if (spec.nodeName === undefined) {
    const wanted =
      spec.nodeSelector?.['kubernetes.io/hostname'] ?? /"metadata.name".*?\["([^"]+)"\]/.exec(JSON.stringify(spec.affinity ?? ''))?.[1];
    const isDaemon = /"kind":"DaemonSet"/.test(JSON.stringify(pod.metadata.ownerReferences ?? ''));
    const node = nodes.find(
      (one) =>
        (wanted === undefined || one.metadata.name === wanted) &&
        (isDaemon || (one['spec'] as { readonly unschedulable?: boolean } | undefined)?.unschedulable !== true),
    );
    if (node === undefined) return;
    const target = { apiVersion: 'v1', kind: 'Node', name: node.metadata.name };
    await bind(kube, namespace, name, target);
    return;
  }
  const conditions =
    (pod['status'] as { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } | undefined)?.conditions ??
    [];
  if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return;
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }] };
  await kube.patch(ref, { type: 'merge', value: { status }, subresource: 'status' }, signal);
}

/** A subresource of its own that only a scheduler writes. */
async function bind(kube: KubeWriter, namespace: string, name: string, target: object): Promise<void> {
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name }, target };
  await kube.create(binding as never, signal);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
