// Installs releases with tk's own code on a real kube-apiserver with etcd, lets Helm's SDK upgrade them with the options that Flux's
// helm-controller sets, and records what that changed:
//
//   node --conditions talos-tk-source test/oracle/helm/takeover.ts FOLDER-OF-ETCD-AND-KUBE-APISERVER TAKEOVER
//
// TAKEOVER is the program of ./takeover, built with Go. There is no kubelet: what workloads would report is written to their status.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHostClock, createHostWorld } from '../../../lib/host/index.ts';
import {
  createKubeClient,
  installRelease,
  type KubeObject,
  type KubeWriter,
  noCredentials,
  parseKubeconfig,
  pullChart,
  type ReleasePlan,
  type ReleasePorts,
  renderKubeconfig,
  targetOf,
} from '../../../lib/kube/index.ts';
import { Secret } from '../../../lib/base/index.ts';
import { createCertificateAuthority, issue, relabelKey } from '../../../lib/pki/index.ts';
import { createRegistry, simulatedCharts } from '../../../lib/sim/index.ts';
import { dialTo } from '../../unit/kube/charts/rig.ts';
import { engine } from '../../unit/wasm/engine.ts';
import { takeoverCases } from './takeover-cases.ts';

const [binaries, takeover] = process.argv.slice(2);
if (binaries === undefined || takeover === undefined) throw new Error('usage: takeover.ts FOLDER TAKEOVER');

const signal = new AbortController().signal;
const clock = createHostClock();
const host = createHostWorld({ clock });
const folder = mkdtempSync(join(tmpdir(), 'takeover-'));
const at = (name: string, text: string) => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const children: ChildProcess[] = [];
const start = (name: string, args: readonly string[]) => {
  const child = spawn(join(binaries, name), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (part) => {
    said = (said + String(part)).slice(-4000);
  });
  child.on('exit', (code) => code !== null && code !== 0 && process.stderr.write(`${name} ended with ${code}: ${said}\n`));
  children.push(child);
};
const port = 21_000 + (randomBytes(2).readUInt16BE() % 20_000);

async function startCluster(): Promise<{ readonly kube: KubeWriter; readonly kubeconfig: string }> {
  const day = { validityMs: 86_400_000, backdateMs: 60_000 };
  const ca = await createCertificateAuthority(host, { kind: 'p256', organization: 'kubernetes' });
  const server = await issue(host, ca, {
    commonName: 'kube-apiserver',
    extendedKeyUsages: ['serverAuth'],
    ipAddresses: ['127.0.0.1'],
    ...day,
  });
  const admin = await issue(host, ca, {
    commonName: 'admin',
    organizations: ['system:masters'],
    extendedKeyUsages: ['clientAuth'],
    ...day,
  });
  const etcd = `http://127.0.0.1:${port + 1}`;
  start('etcd', [
    '--data-dir',
    join(folder, 'etcd'),
    '--listen-client-urls',
    etcd,
    '--advertise-client-urls',
    etcd,
    '--listen-peer-urls',
    `http://127.0.0.1:${port + 2}`,
    '--initial-advertise-peer-urls',
    `http://127.0.0.1:${port + 2}`,
    '--initial-cluster',
    `default=http://127.0.0.1:${port + 2}`,
  ]);
  const key = at('server.key', server.key.map(relabelKey).reveal());
  start('kube-apiserver', [
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--tls-cert-file=${at('server.crt', server.certificate)}`,
    `--tls-private-key-file=${key}`,
    `--client-ca-file=${at('ca.crt', ca.certificate)}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
  ]);
  const text = renderKubeconfig({
    cluster: 'real',
    user: 'admin',
    server: `https://127.0.0.1:${port}`,
    caPem: ca.certificate,
    certificatePem: admin.certificate,
    key: admin.key.map(relabelKey),
  });
  const kubeconfig = at('kubeconfig', text.reveal());
  const kube = createKubeClient({
    dial: host.dial,
    clock,
    target: targetOf(parseKubeconfig(new Secret(text.reveal()), { path: kubeconfig })),
  });
  for (let attempt = 0; ; attempt += 1) {
    try {
      await kube.list({ apiVersion: 'v1', kind: 'Namespace' }, {}, signal);
      if ((await kube.get({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }, signal)) !== undefined) return { kube, kubeconfig };
    } catch (error) {
      if (attempt > 120) throw error;
    }
    await sleep(500);
  }
}

/** What controllers and kubelets would report. */
async function reportReady(kube: KubeWriter): Promise<void> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const patch = (object: KubeObject, status: object) =>
    kube.patch(
      { apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name, namespace: object.metadata.namespace ?? '' },
      { type: 'merge', value: { status } as never, subresource: 'status', fieldManager: 'kubelet' },
      signal,
    );
  const kinds = [
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'DaemonSet'],
    ['apps/v1', 'StatefulSet'],
    ['batch/v1', 'Job'],
  ] as const;
  for (const [apiVersion, kind] of kinds) {
    for (const listed of (await kube.list({ apiVersion, kind }, {}, signal)).items) {
      const object: KubeObject = { ...listed, apiVersion, kind };
      const { generation = 1 } = object.metadata as { generation?: number };
      const { replicas = 1 } = (object.spec ?? {}) as { replicas?: number };
      const { observedGeneration, succeeded } = (object.status ?? {}) as { observedGeneration?: number; succeeded?: number };
      if (kind === 'Job') {
        if (succeeded === 1) continue;
        const condition = (type: string) => ({
          type,
          status: 'True',
          reason: 'CompletionsReached',
          message: '',
          lastTransitionTime: now,
          lastProbeTime: now,
        });
        await patch(object, { startTime: now, conditions: [condition('SuccessCriteriaMet')], succeeded: 1 });
        await patch(object, { completionTime: now, conditions: [condition('SuccessCriteriaMet'), condition('Complete')] });
      } else if (observedGeneration !== generation) {
        const all = {
          observedGeneration: generation,
          replicas,
          updatedReplicas: replicas,
          readyReplicas: replicas,
          availableReplicas: replicas,
          currentReplicas: replicas,
        };
        const daemon = {
          observedGeneration: generation,
          desiredNumberScheduled: 1,
          currentNumberScheduled: 1,
          updatedNumberScheduled: 1,
          numberReady: 1,
          numberAvailable: 1,
          numberMisscheduled: 0,
        };
        const { currentReplicas: _current, ...deployment } = all;
        const condition = (type: string, reason: string) => ({
          type,
          status: 'True',
          reason,
          message: '',
          lastTransitionTime: now,
          lastUpdateTime: now,
        });
        const conditions = [condition('Available', 'MinimumReplicasAvailable'), condition('Progressing', 'NewReplicaSetAvailable')];
        await patch(object, kind === 'DaemonSet' ? daemon : kind === 'Deployment' ? { ...deployment, conditions } : all);
      }
    }
  }
}

interface Seen {
  readonly object: string;
  readonly uid: string;
  readonly generation: number;
  readonly managers: readonly string[];
}

async function look(kube: KubeWriter, applied: readonly KubeObject[]): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  for (const { apiVersion, kind, metadata } of applied) {
    const { namespace } = metadata;
    const live = await kube.get({ apiVersion, kind, name: metadata.name, ...(namespace === undefined ? {} : { namespace }) }, signal);
    if (live === undefined) throw new Error(`${kind} ${metadata.name} is not there`);
    const {
      uid = '',
      generation = 0,
      managedFields = [],
    } = live.metadata as {
      uid?: string;
      generation?: number;
      managedFields?: { manager?: string; operation?: string; subresource?: string }[];
    };
    const managers = managedFields
      .filter(({ subresource }) => subresource === undefined)
      .map(({ manager, operation }) => `${manager} ${operation}`);
    seen.push({ object: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${metadata.name}`, uid, generation, managers });
  }
  return seen;
}

/** Remembers everything that is applied under Flux's name, hooks apart. */
const remembering = (kube: KubeWriter, applied: KubeObject[]): KubeWriter => ({
  ...kube,
  async apply(...args) {
    const made = await kube.apply(...args);
    const [object] = args;
    const isRecord = object.kind === 'Secret' && object.metadata.name.startsWith('sh.helm.release.');
    if (args[1].fieldManager === 'helm-controller' && !isRecord && object.metadata.labels?.['app.kubernetes.io/managed-by'] === 'Helm')
      applied.push({ ...made, apiVersion: object.apiVersion, kind: object.kind });
    return made;
  },
});

try {
  const { kube, kubeconfig } = await startCluster();
  const version = (await kube.capabilities(signal)).kubeVersion.gitVersion;
  const registry = createRegistry({ clock });
  const ports: ReleasePorts = {
    engine: engine(),
    clock,
    pull: { dial: dialTo(registry.handler), clock, credentials: noCredentials, files: host.files },
    readReference: () => Promise.resolve(undefined),
  };
  let isOver = false;
  const controllers = (async () => {
    while (!isOver) {
      await reportReady(kube).catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
      await sleep(300);
    }
  })();
  const releases: object[] = [];
  for (const { chart, namespace, values } of takeoverCases) {
    const folderOf = simulatedCharts.get(chart);
    if (folderOf === undefined) throw new Error(chart);
    const plan: ReleasePlan = {
      name: chart,
      namespace,
      storageNamespace: namespace,
      source: { kind: 'oci', repository: `ghcr.io/home/charts/${chart}`, tag: folderOf.version },
      chart,
      version: folderOf.version,
      needs: [],
      role: 'release',
      isBootstrap: true,
      values: [{ kind: 'inline', origin: 'case', values: values as never }],
      crds: 'create',
      origin: { name: chart, namespace },
      areHooksDisabled: false,
      timeoutMs: 120_000,
      place: { kind: 'file', path: 'case', line: 1, column: 1 },
      hooks: [],
    };
    const applied: KubeObject[] = [];
    const installed = await installRelease(plan, remembering(kube, applied), ports, {}, signal);
    const objects = applied.filter(
      (object, index) => applied.findIndex((other) => other.kind === object.kind && other.metadata.uid === object.metadata.uid) === index,
    );
    const before = await look(kube, objects);
    const { archive } = await pullChart(plan.source, ports.pull, signal);
    writeFileSync(join(folder, 'chart.tgz'), archive.bytes);
    writeFileSync(join(folder, 'values.json'), JSON.stringify(values));
    const result = await new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = spawn(takeover, [
        kubeconfig,
        join(folder, 'chart.tgz'),
        join(folder, 'values.json'),
        chart,
        namespace,
        `${namespace}/${chart}`,
      ]);
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (part) => (stdout += String(part)));
      child.stderr.on('data', (part) => (stderr += String(part)));
      child.on('exit', (status) => resolve({ status, stdout, stderr }));
    });
    if (result.status !== 0) throw new Error(`${chart}: ${result.stderr}`);
    const after = await look(kube, objects);
    const records = (
      await kube.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace, labelSelector: `owner=helm,name=${chart}` }, signal)
    ).items;
    releases.push({
      chart,
      installed,
      helm: JSON.parse(result.stdout) as unknown,
      records: records.map(({ metadata }) => `${metadata.name} ${metadata.labels?.status}`),
      objects: before.map(({ object, uid, generation, managers }, index) => ({
        object,
        managers,
        isSameUid: after[index]?.uid === uid,
        generation: [generation, after[index]?.generation],
        managersAfter: after[index]?.managers,
      })),
    });
    const changed = before.filter(({ uid, generation }, index) => after[index]?.uid !== uid || after[index]?.generation !== generation);
    process.stdout.write(`${chart}: ${before.length} objects, ${changed.length} changed by the take-over\n`);
  }
  isOver = true;
  await controllers;
  const { helm } = JSON.parse(readFileSync(new URL('../../../lib/wasm/helm.wasm.json', import.meta.url), 'utf8')) as { helm: string };
  const etcd = spawnSync(join(binaries, 'etcd'), ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0];
  writeFileSync(
    new URL('../../conformance/helm/takeover.json', import.meta.url),
    `${JSON.stringify({ kubernetes: version, etcd, helm, releases }, null, 1)}\n`,
  );
} finally {
  for (const child of children.toReversed()) child.kill('SIGTERM');
  await sleep(1500);
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
