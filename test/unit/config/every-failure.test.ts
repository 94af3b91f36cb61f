import { expect, test } from 'vitest';
import { type Failure, Secret, TkError } from '../../../lib/base/index.ts';
import {
  checkKubePrism,
  configFailure,
  type ConfigFailures,
  findRepository,
  loadClusterInputs,
  missingSecrets,
  sourceDisagreements,
} from '../../../lib/config/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';
import { renderFailure } from '../../../lib/ui/index.ts';

const root = '/home/user/home-ops';
const cluster = 'node_cidr: 192.168.42.0/24\ncluster_api_addr: 192.168.42.120\n';
const nodes = `nodes:
  - { name: cp-1, address: 192.168.42.10, disk: one, mac_addr: "02:00:00:00:00:10", controller: true }
  - { name: cp-2, address: 192.168.42.11, disk: two, mac_addr: "02:00:00:00:00:11", controller: true }
  - { name: cp-3, address: 192.168.42.12, disk: three, mac_addr: "02:00:00:00:00:12", controller: true }
`;

const filesOf = (texts: Record<string, string>) =>
  createMemoryFiles(() => 0, Object.fromEntries(Object.entries(texts).map(([path, text]) => [`${root}/${path}`, text])));
const loaded = (texts: Record<string, string>) =>
  loadClusterInputs(filesOf({ 'cluster.yaml': cluster, 'nodes.yaml': nodes, ...texts }), root);
const inCluster = async (more: string, from = cluster) => (await loaded({ 'cluster.yaml': from + more })).failures;
const inNodes = async (from: string, to: string) => (await loaded({ 'nodes.yaml': nodes.replace(from, to) })).failures;
const found = async (texts: Record<string, string>): Promise<readonly Failure[]> => {
  const thrown = await findRepository(filesOf(texts), root).catch((error: unknown) => error);
  return thrown instanceof TkError ? thrown.failures : [];
};

/** How each code comes about. A code without a case, or a case without its code, fails. */
const cases: { readonly [C in keyof ConfigFailures]: () => Promise<readonly Failure[]> | readonly Failure[] } = {
  'config/no-repository': () => found({ 'README.md': '' }),
  'config/other-inputs': () => found({ 'talos/topf.yaml': 'clusterName: home\n' }),
  'config/ambiguous-cluster': () => found({ 'talos/talconfig.yaml': '', 'talconfig.yaml': '' }),
  'config/sources-disagree': async () => {
    const { model } = await loaded({});
    const other = (await loaded({ 'nodes.yaml': nodes.replace('192.168.42.12', '192.168.42.13') })).model;
    return model && other ? sourceDisagreements(model, { ...other, source: 'talconfig.yaml' }) : [];
  },
  'config/missing-file': () => found({ 'cluster.yaml': cluster }),
  'config/empty-file': async () => (await loaded({ 'nodes.yaml': '---\n' })).failures,
  'config/several-documents': () => inCluster('---\na: 1\n'),
  'config/unsupported-version': () => inCluster('version: 2\n'),
  'config/unknown-key': () => inCluster('cluster_nmae: x\n'),
  'config/renamed-key': async () => (await loaded({ 'cluster.yaml': `${cluster}cloudflare_ingress_addr: 192.168.42.121\n` })).warnings,
  'config/removed-key': async () => (await loaded({ 'cluster.yaml': `${cluster}cloudflare_cluster_issuer: staging\n` })).warnings,
  'config/named-twice': () => inCluster('cloudflare_ingress_addr: 192.168.42.121\ncluster_gateway_addr: 192.168.42.122\n'),
  'config/missing-key': () => inNodes('disk: two, ', ''),
  'config/wrong-type': () => inNodes('controller: true }', 'controller: 1 }'),
  'config/not-one-of': () => inCluster('cilium_loadbalancer_mode: drs\n'),
  'config/out-of-range': () => inNodes('controller: true }', 'controller: true, mtu: 1400 }'),
  'config/malformed': () => inNodes('02:00:00:00:00:10', '02-00-00-00-00-10'),
  'config/too-many': () => inCluster(`node_dns_servers: [${Array(9).fill('1.1.1.1').join(', ')}]\n`),
  'config/reserved-node-name': () => inNodes('cp-2', 'global'),
  'config/reserved-data-name': () => inCluster('extra: { nodes: 1 }\n'),
  'config/duplicate-node-name': () => inNodes('cp-2', 'cp-1'),
  'config/duplicate-address': () => inNodes('192.168.42.11', '192.168.42.10'),
  'config/duplicate-mac-address': () => inNodes('00:00:11', '00:00:10'),
  'config/duplicate-disk': () => inNodes('disk: two', 'disk: one'),
  'config/address-outside-network': () => inNodes('192.168.42.12', '192.168.24.23'),
  'config/unusable-address': () => inNodes('192.168.42.12', '192.168.42.0'),
  'config/overlapping-networks': () => inCluster('cluster_pod_cidr: 192.168.0.0/16\n'),
  'config/non-canonical-network': () => inCluster('cluster_svc_cidr: 10.43.0.1/16\n'),
  'config/network-too-small': () => inCluster('cluster_pod_cidr: 10.42.0.0/24\n'),
  'config/network-too-large': () => inCluster('cluster_svc_cidr: 11.0.0.0/8\n'),
  'config/incomplete-group': () => inCluster('cilium_bgp_node_asn: 64514\n'),
  'config/exclude-each-other': () =>
    inNodes('controller: true }', `controller: true, schematic_id: ${'a'.repeat(64)}, extensions: [siderolabs/intel-ucode] }`),
  'config/no-control-plane': async () => (await loaded({ 'nodes.yaml': nodes.replaceAll('true', 'false') })).failures,
  'config/even-control-planes': async () =>
    (await loaded({ 'nodes.yaml': nodes.replace('controller: true', 'controller: false') })).warnings,
  'config/unsupported-talos': () => inCluster('talos_version: v1.20.0\n'),
  'config/incompatible-kubernetes': () => inCluster('talos_version: v1.13.9\nkubernetes_version: v1.37.0\n'),
  'config/missing-known-hosts': () => inCluster('repository_url: ssh://git@git.home.arpa:2222/owner/ops.git\n'),
  'config/missing-secret': async () => {
    const { templateData, secrets } = await loaded({
      'cluster.yaml': `${cluster}backup_s3_endpoint: https://s3.home.arpa\nbackup_s3_bucket: etcd\n`,
    });
    return templateData ? missingSecrets(templateData, { ...secrets, backup_s3_access_key: new Secret('hunter2') }) : [];
  },
  // The cluster layer finds it; its own test is test/golden/reference-cluster/configure.test.ts.
  'config/secrets-locked': () => [
    configFailure('config/secrets-locked', { path: 'bootstrap/deploy-key.sops.yaml', secretsPath: 'cluster.secrets.sops.yaml' }),
  ],
  'config/secret-in-committed-input': () => inCluster('cloudflare_token: hunter2hunter2\n'),
  'config/kube-prism-disagrees': () =>
    checkKubePrism([
      {
        path: 'kubernetes/apps/kube-system/cilium/app/helmrelease.yaml',
        text: 'kind: HelmRelease\nspec:\n  values:\n    k8sServiceHost: localhost\n    k8sServicePort: 6443\n',
      },
    ]),
};

test.each(Object.entries(cases))('%s is told in words, with its place and the next step', async (code, make) => {
  const failures = await make();
  expect([...new Set(failures.map((failure) => failure.code))]).toEqual([code]);
  const [failure] = failures;
  if (!failure) throw new Error('nothing failed');
  expect(renderFailure(failure)).toMatchSnapshot();
});
