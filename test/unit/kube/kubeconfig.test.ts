import { expect, test } from 'vitest';
import { Secret } from '../../../lib/base/index.ts';
import { kubeconfigTrusts, mergeKubeconfig, parseKubeconfig, renderKubeconfig, targetOf } from '../../../lib/kube/index.ts';
import { createCertificateAuthority, issue } from '../../../lib/pki/index.ts';
import { createMemoryWorld } from '../../../lib/sim/index.ts';

const { world } = createMemoryWorld({ seed: 'kubeconfig' });
const ours = await createCertificateAuthority(world, { kind: 'p256', organization: 'kubernetes' });
const foreign = await createCertificateAuthority(world, { kind: 'p256', organization: 'kubernetes' });
const clientOf = (ca: typeof ours) =>
  issue(world, ca, { commonName: 'admin', organizations: ['system:masters'], extendedKeyUsages: ['clientAuth'], validityMs: 86_400_000 });
const admin = await clientOf(ours);

const rendered = (cluster = 'home', ca = ours, pair = admin) =>
  renderKubeconfig({
    cluster,
    user: 'admin',
    server: 'https://192.168.42.120:6443',
    caPem: ca.certificate,
    certificatePem: pair.certificate,
    key: pair.key,
  });

test('what was rendered is read back, and its target carries the CA, the certificate and the key', () => {
  const kubeconfig = parseKubeconfig(rendered());
  expect(kubeconfig).toMatchObject({
    context: 'admin@home',
    cluster: 'home',
    user: 'admin@home',
    server: 'https://192.168.42.120:6443',
    caPem: ours.certificate,
    certificatePem: admin.certificate,
  });
  expect(kubeconfig.key?.reveal()).toBe(admin.key.reveal());
  expect(JSON.stringify({ ...targetOf(kubeconfig), tls: undefined })).toBe('{"protocol":"https","host":"192.168.42.120","port":6443}');
  expect(targetOf(kubeconfig, 'https://[fd00::11]')).toMatchObject({
    host: 'fd00::11',
    port: 443,
    tls: { ca: ours.certificate, certificate: admin.certificate },
  });
});

test('a kubeconfig is of this cluster only with this very CA and a certificate that it signed', async () => {
  const trusts = (text: Secret<string>) => kubeconfigTrusts(parseKubeconfig(text), ours.certificate);
  expect(trusts(rendered())).toBe(true);
  expect(trusts(rendered('home', foreign, await clientOf(foreign)))).toBe(false);
  expect(trusts(rendered('home', ours, await clientOf(foreign)))).toBe(false);
  expect(trusts(rendered().map((text) => text.replace(/certificate-authority-data: \S+/, 'insecure-skip-tls-verify: true')))).toBe(false);
  const both = { ...ours, certificate: `${ours.certificate}${foreign.certificate}` };
  expect(trusts(rendered('home', both))).toBe(false);
});

const existing = new Secret(`apiVersion: v1
kind: Config
preferences: {}
current-context: work
clusters:
  - name: work
    cluster: { server: 'https://work.example.org', certificate-authority: /etc/ca.pem }
users:
  - name: me
    user:
      exec: { apiVersion: client.authentication.k8s.io/v1, command: aws, args: ['eks', 'get-token'] }
contexts:
  - name: work
    context: { cluster: work, user: me, namespace: dev }
`);

test('merging leaves the other contexts and the current one as they are', () => {
  const merged = mergeKubeconfig(existing, rendered());
  expect(merged.reveal().replace(/-data: \S+/g, '-data: …')).toBe(`apiVersion: v1
kind: Config
preferences: {}
current-context: work
clusters:
  - name: work
    cluster:
      server: https://work.example.org
      certificate-authority: /etc/ca.pem
  - name: home
    cluster:
      server: https://192.168.42.120:6443
      certificate-authority-data: …
users:
  - name: me
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: aws
        args:
          - eks
          - get-token
  - name: admin@home
    user:
      client-certificate-data: …
      client-key-data: …
contexts:
  - name: work
    context:
      cluster: work
      user: me
      namespace: dev
  - name: admin@home
    context:
      cluster: home
      namespace: default
      user: admin@home
`);
  expect(mergeKubeconfig(merged, rendered()).reveal()).toBe(merged.reveal());
  expect(parseKubeconfig(mergeKubeconfig(existing, rendered(), { activate: true })).context).toBe('admin@home');
  expect(parseKubeconfig(mergeKubeconfig(undefined, rendered())).context).toBe('admin@home');
});

test('a cluster of the same name and another CA keeps its entries, ours get a number', async () => {
  const other = mergeKubeconfig(existing, rendered('home', foreign, await clientOf(foreign)));
  const merged = mergeKubeconfig(other, rendered());
  const context = (name: string) => parseKubeconfig(merged, { context: name });
  expect(context('admin@home').caPem).toBe(foreign.certificate);
  expect(context('admin@home-1').caPem).toBe(ours.certificate);
  expect(mergeKubeconfig(merged, rendered()).reveal()).toBe(merged.reveal());
});

test.each([
  ['{', { code: 'kube/kubeconfig-malformed', facts: { reason: 'not-yaml', path: './kubeconfig' } }],
  ['hello', { code: 'kube/kubeconfig-malformed', facts: { reason: 'not-a-kubeconfig', path: './kubeconfig' } }],
  ['contexts: []\ncurrent-context: a\n', { code: 'kube/kubeconfig-no-context', facts: { context: 'a', contexts: [] } }],
  [
    'contexts: [{ name: a, context: { cluster: b, user: c } }]\ncurrent-context: a\n',
    { code: 'kube/kubeconfig-malformed', facts: { reason: 'no-cluster', path: './kubeconfig' } },
  ],
  [existing.reveal(), { code: 'kube/kubeconfig-unsupported', facts: { what: 'exec', user: 'me' } }],
])('a kubeconfig that cannot be used says why: %#', (text, failure) => {
  expect(() => parseKubeconfig(new Secret(text), { path: './kubeconfig' })).toThrow(expect.objectContaining({ failures: [failure] }));
});
