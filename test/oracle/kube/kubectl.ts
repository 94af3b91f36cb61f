// Runs stock kubectl against the simulated API on a real socket, and records what it asked, what it got and what it printed.
//
//   node --conditions talos-tk-source test/oracle/kube/kubectl.ts PATH-OF-KUBECTL 1.35|1.36|1.37
//
// Where a kubectl is not at hand, a program of three lines around NewDefaultKubectlCommand of the module k8s.io/kubectl is one; the
// version goes into k8s.io/component-base/version.gitVersion.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHostClock, createHostWorld } from '../../../lib/host/index.ts';
import { renderKubeconfig } from '../../../lib/kube/index.ts';
import { createCertificateAuthority, issue, relabelKey } from '../../../lib/pki/index.ts';
import { createKernel, createKubeModel } from '../../../lib/sim/index.ts';
import { commands, factsOf, type Generation, generations, manifest, settings } from '../../conformance/kube/kubectl-commands.ts';

const [path = '', wanted = ''] = process.argv.slice(2);
if (!(wanted in generations)) throw new Error(`one of ${Object.keys(generations).join(', ')}`);
const generation = wanted as Generation;
const clock = createHostClock();
const host = createHostWorld({ clock });
const kernel = createKernel({ seed: 'kubectl', epochMs: clock.now(), drive: { kind: 'follow', clock, speed: 20 } });
const day = { validityMs: 86_400_000, backdateMs: 60_000 };
const ca = await createCertificateAuthority(host, { kind: 'p256', organization: 'kubernetes' });
const server = await issue(host, ca, {
  commonName: 'kube-apiserver',
  extendedKeyUsages: ['serverAuth'],
  ipAddresses: ['127.0.0.1'],
  ...day,
});
const admin = await issue(host, ca, { commonName: 'admin', organizations: ['system:masters'], extendedKeyUsages: ['clientAuth'], ...day });
const kube = createKubeModel(kernel, {
  etcdHasQuorum: () => true,
  apiServerRuns: () => true,
  apiServers: () => ['cp-1'],
  kubernetesCa: () => ca.certificate,
  bootstrapManifests: () => ({ coreDns: true, kubeProxy: true, cni: 'flannel' }),
});

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly status: number;
}
let asked: Asked[] = [];
const handler = kube.apiServer('cp-1');
const listening = await host.listen.http({
  host: '127.0.0.1',
  port: 0,
  tls: { certificate: server.certificate, key: server.key.map(relabelKey), clientCa: ca.certificate, clientCertificates: 'request' },
  async handler(request) {
    const response = await handler(request);
    const { accept, 'content-type': contentType } = request.headers;
    const body = Buffer.from(request.body).toString();
    asked.push({
      method: request.method,
      path: request.path,
      ...(accept === undefined ? {} : { accept }),
      ...(contentType === undefined || body === '' ? {} : { contentType }),
      ...(body === '' ? {} : { body: JSON.parse(body) as unknown }),
      status: response.status,
    });
    return response;
  },
});

const home = mkdtempSync(join(tmpdir(), 'kubectl-'));
const config = join(home, 'config');
writeFileSync(
  config,
  renderKubeconfig({
    cluster: 'simulated',
    user: 'admin',
    server: `https://127.0.0.1:${listening.port}`,
    caPem: ca.certificate,
    certificatePem: admin.certificate,
    key: admin.key.map(relabelKey),
  }).reveal(),
);
writeFileSync(join(home, 'demo.yaml'), manifest);
writeFileSync(join(home, 'settings.yaml'), settings);
for (const one of factsOf(generation)) kube.kubeletUp(one);
void kernel.clock.sleep(1e9).catch(() => {});
await sleep(3000);

const transcripts: unknown[] = [];
for (const argv of commands) {
  asked = [];
  const printed = await new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      path,
      [...argv],
      { cwd: home, env: { HOME: home, KUBECONFIG: config, PATH: '/usr/bin:/bin' }, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
  transcripts.push({ command: `kubectl ${argv.join(' ')}`, ...printed, asked });
}
writeFileSync(`test/conformance/kube/kubectl-${generation}.json`, `${JSON.stringify(transcripts, null, 1)}\n`);
rmSync(home, { recursive: true });
process.stdout.write(`${transcripts.length} commands\n`);
process.exit(0);
