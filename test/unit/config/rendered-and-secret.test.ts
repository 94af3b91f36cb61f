import { expect, test } from 'vitest';
import {
  checkKubePrism,
  inputSchemas,
  placeholderSecrets,
  readSecrets,
  secretKeys,
  sourceDisagreements,
  loadClusterInputs,
} from '../../../lib/config/index.ts';
import { parseYaml } from '../../../lib/format/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const release = (host: string, port: string) => ({
  path: 'kubernetes/apps/kube-system/cilium/app/helmrelease.yaml',
  text: `kind: HelmRelease\nspec:\n  values:\n    k8sServiceHost: ${host}\n    k8sServicePort: ${port}\n`,
});
const oldForm = {
  path: 'talos/patches/global/x.yaml',
  text: 'machine:\n  features:\n    kubePrism:\n      enabled: true\n      port: 7446\n',
};
const newForm = { path: 'talos/patches/global/x.yaml', text: 'apiVersion: v1alpha1\nkind: KubePrismConfig\nport: 7446\n' };
const off = { path: 'talos/patches/global/x.yaml', text: 'machine:\n  features:\n    kubePrism:\n      enabled: false\n' };

test('Cilium and KubePrism have to agree, in both forms of the machine configuration', () => {
  const told = (...files: { path: string; text: string }[]) =>
    checkKubePrism(files).map(({ facts, where }) => [facts, where?.kind === 'file' && `${where.path}:${where.line}:${where.column}`]);
  expect(told(release('localhost', '7445'))).toEqual([]);
  expect(told(release('127.0.0.1', '"7446"'), oldForm)).toEqual([]);
  expect(told(release('localhost', '7446'), newForm)).toEqual([]);
  const place = 'kubernetes/apps/kube-system/cilium/app/helmrelease.yaml:5:21';
  expect(told(release('localhost', '7445'), oldForm)).toEqual([[{ port: 7446, clientPort: 7445, clientHost: 'localhost' }, place]]);
  expect(told(release('localhost', '6443'))).toEqual([[{ port: 7445, clientPort: 6443, clientHost: 'localhost' }, place]]);
  expect(told(release('192.168.42.120', '7445'))).toEqual([[{ port: 7445, clientPort: 7445, clientHost: '192.168.42.120' }, place]]);
  expect(told(release('localhost', '7445'), off)).toEqual([[{ port: 0, clientPort: 7445, clientHost: 'localhost' }, place]]);
});

test('a decrypted secrets file gives secrets, and no failure of it shows any of its text', () => {
  const [document] = parseYaml({
    path: 'cluster.secrets.sops.yaml',
    text: 'cloudflare_token: hunter2hunter2\ncloudflare_tokn: hunter3\nbackup_s3_secret_key: [hunter4]\nsops: { mac: x }\n',
  }).documents;
  if (!document) throw new Error('no document');
  const { secrets, failures } = readSecrets(document);
  expect(secrets.cloudflare_token?.reveal()).toBe('hunter2hunter2');
  expect(failures.map(({ code, facts }) => [code, facts['key']])).toEqual([
    ['config/unknown-key', 'cloudflare_tokn'],
    ['config/wrong-type', 'backup_s3_secret_key'],
  ]);
  expect(JSON.stringify(failures)).not.toContain('hunter');
});

test('a sandbox has a placeholder for every secret', () => {
  expect(Object.keys(placeholderSecrets())).toEqual(Object.keys(secretKeys));
});

test('editors get schemas of all three files', () => {
  const schemas = inputSchemas();
  expect(Object.keys(schemas)).toEqual(['cluster.schema.json', 'nodes.schema.json', 'cluster.secrets.schema.json']);
  expect(schemas).toMatchSnapshot();
});

test('two descriptions of one cluster are compared node by node', async () => {
  const model = async (nodes: string) => {
    const files = createMemoryFiles(() => 0, {
      '/r/cluster.yaml': 'node_cidr: 10.0.0.0/24\ncluster_api_addr: 10.0.0.100\n',
      '/r/nodes.yaml': `nodes:\n${nodes}`,
    });
    const loaded = await loadClusterInputs(files, '/r');
    if (!loaded.model) throw new Error(JSON.stringify(loaded.failures));
    return loaded.model;
  };
  const node = (name: string, last: number, controller: boolean) =>
    `  - { name: ${name}, address: 10.0.0.${last}, disk: d${last}, mac_addr: "02:00:00:00:00:${last}", controller: ${controller} }\n`;
  const first = await model(node('a', 11, true) + node('b', 12, false) + node('c', 13, false) + node('d', 14, false));
  const second = {
    ...(await model(node('a', 11, true) + node('b', 22, false) + node('c', 13, true) + node('e', 15, false))),
    source: 'talconfig.yaml' as const,
  };
  expect(sourceDisagreements(first, second).map(({ facts }) => facts)).toEqual([
    { node: 'b', fact: 'address', first: 'cluster.yaml', second: 'talconfig.yaml' },
    { node: 'c', fact: 'role', first: 'cluster.yaml', second: 'talconfig.yaml' },
    { node: 'd', fact: 'presence', first: 'cluster.yaml', second: 'talconfig.yaml' },
    { node: 'e', fact: 'presence', first: 'talconfig.yaml', second: 'cluster.yaml' },
  ]);
  expect(sourceDisagreements(first, first)).toEqual([]);
});
