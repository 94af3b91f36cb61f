import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Failure } from '../../../lib/base/index.ts';
import { loadClusterInputs } from '../../../lib/config/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

const root = '/home/user/home-ops';
const read = (path: string) => readFileSync(path, 'utf8');

function load(cluster: string | undefined, nodes: string | undefined, more: Record<string, string> = {}) {
  const files = Object.entries({ 'cluster.yaml': cluster, 'nodes.yaml': nodes, ...more }).flatMap(([name, text]) =>
    text === undefined ? [] : [[`${root}/${name}`, text] as const],
  );
  return loadClusterInputs(
    createMemoryFiles(() => 0, Object.fromEntries(files)),
    root,
  );
}

/** `path:line:column code facts`, one a line, with the related places below. */
function printed(failures: readonly Failure[]): string[] {
  return failures.map(({ code, facts, where }) => {
    const place = where?.kind === 'file' ? `${where.path}:${where.line}:${where.column}` : '-';
    const related =
      where?.kind === 'file' ? (where.related ?? []).map((one) => ` <- ${one.path}:${one.line}:${one.column} ${one.note}`).join('') : '';
    const { known: _, ...told } = facts;
    return `${place} ${code} ${JSON.stringify(told)}${related}`;
  });
}

const cluster = 'node_cidr: 192.168.42.0/24\ncluster_api_addr: 192.168.42.120\n';
const node = (name: string, last: number, more = 'controller: true') =>
  `  - { name: ${name}, address: 192.168.42.${last}, disk: serial-${last}, mac_addr: "02:00:00:00:00:${last}", ${more} }\n`;
const one = `nodes:\n${node('cp-1', 10)}`;
const three = `nodes:\n${node('cp-1', 10)}${node('cp-2', 11)}${node('cp-3', 12)}`;

test('the reference inputs become a model and the data of its templates', async () => {
  const { model, templateData, failures, warnings } = await load(read('cluster.yaml'), read('nodes.yaml'), { 'kubernetes/apps/x': '' });
  expect([failures, warnings]).toEqual([[], []]);
  expect({
    ...model,
    nodes: model?.nodes.map(({ declaredAt, ...rest }) => ({
      ...rest,
      declaredAt: declaredAt.file.text.slice(declaredAt.start, declaredAt.end),
    })),
  }).toMatchSnapshot();
  expect(templateData).toMatchSnapshot();
});

test('an input that is full of mistakes reports every one of them, in the order of the files', async () => {
  const { model, templateData, failures, warnings } = await load(
    read('test/golden/inputs/everything-wrong/cluster.yaml'),
    read('test/golden/inputs/everything-wrong/nodes.yaml'),
  );
  expect([model, templateData]).toEqual([undefined, undefined]);
  expect(printed(failures)).toMatchSnapshot();
  expect(printed(warnings)).toMatchSnapshot();
});

test('CRLF and a byte-order mark move nothing', async () => {
  const windows = (text: string) => `\uFEFF${text.replaceAll('\n', '\r\n')}`;
  const clusterText = read('test/golden/inputs/everything-wrong/cluster.yaml');
  const nodesText = read('test/golden/inputs/everything-wrong/nodes.yaml');
  const unix = await load(clusterText, nodesText);
  const dos = await load(windows(clusterText), windows(nodesText));
  expect(dos.failures).toEqual(unix.failures);
  expect((await load(windows(cluster), windows(three))).model?.nodes.map(({ name }) => name)).toEqual(['cp-1', 'cp-2', 'cp-3']);
});

/** What one mistake in otherwise good inputs gives. */
const mistakes: readonly (readonly [string, { cluster?: string; nodes?: string; gitignore?: string }, readonly string[]])[] = [
  ['nodes.yaml is missing', { nodes: undefined as unknown as string }, ['- config/missing-file {"path":"nodes.yaml"}']],
  ['cluster.yaml is empty', { cluster: '# nothing\n' }, ['cluster.yaml:1:1 config/empty-file {"path":"cluster.yaml"}']],
  ['cluster.yaml is a list', { cluster: '- a\n' }, ['cluster.yaml:1:1 config/wrong-type {"key":"","expected":"mapping","found":"list"}']],
  [
    'nodes is a mapping',
    { nodes: 'nodes: { a: 1 }\n' },
    ['nodes.yaml:1:8 config/wrong-type {"key":"nodes","expected":"list","found":"mapping"}'],
  ],
  ['there are no nodes', { nodes: 'nodes: []\n' }, ['nodes.yaml:1:1 config/no-control-plane {"nodes":0}']],
  [
    'no node is a control plane',
    { nodes: `nodes:\n${node('w', 10, 'controller: false')}` },
    ['nodes.yaml:1:1 config/no-control-plane {"nodes":1}'],
  ],
  [
    'a key is misspelt',
    { cluster: `${cluster}cluster_nmae: x\n` },
    ['cluster.yaml:3:1 config/unknown-key {"key":"cluster_nmae","suggestion":"cluster_name"}'],
  ],
  [
    'a key of the node is misspelt',
    { nodes: `nodes:\n${node('cp-1', 10, 'contoller: true')}` },
    ['nodes.yaml:2:91 config/unknown-key {"key":"contoller","suggestion":"controller"}'],
  ],
  [
    'a required key is empty text',
    { cluster: 'node_cidr: ""\ncluster_api_addr: 192.168.42.120\n' },
    ['cluster.yaml:1:12 config/missing-key {"key":"node_cidr","example":"192.168.42.0/24"}'],
  ],
  [
    'the networks overlap',
    { cluster: `${cluster}cluster_pod_cidr: 10.0.0.0/8\ncluster_svc_cidr: 10.43.0.0/16\n` },
    [
      'cluster.yaml:4:19 config/overlapping-networks {"first":"cluster_pod_cidr","firstNetwork":"10.0.0.0/8","second":"cluster_svc_cidr","secondNetwork":"10.43.0.0/16"} <- cluster.yaml:3:19 overlaps with `cluster_pod_cidr` here',
    ],
  ],
  [
    'the node network overlaps with a default',
    { cluster: 'node_cidr: 10.42.7.0/24\ncluster_api_addr: 10.42.7.120\n', nodes: one.replaceAll('192.168.42', '10.42.7') },
    [
      'cluster.yaml:1:12 config/overlapping-networks {"first":"node_cidr","firstNetwork":"10.42.7.0/24","second":"cluster_pod_cidr","secondNetwork":"10.42.0.0/16"} <- cluster.yaml:1:12 overlaps with `node_cidr` here',
    ],
  ],
  [
    'a network has host bits',
    { cluster: `${cluster}cluster_svc_cidr: 10.43.0.1/16\n` },
    ['cluster.yaml:3:19 config/non-canonical-network {"key":"cluster_svc_cidr","network":"10.43.0.1/16","canonical":"10.43.0.0/16"}'],
  ],
  [
    'the service network is tiny',
    { cluster: `${cluster}cluster_svc_cidr: 10.43.0.0/29\n` },
    [
      'cluster.yaml:3:19 config/network-too-small {"key":"cluster_svc_cidr","network":"10.43.0.0/29","needed":16,"holds":8,"of":"service addresses"}',
    ],
  ],
  [
    'the service network is huge',
    { cluster: `${cluster}cluster_svc_cidr: 11.0.0.0/8\n` },
    ['cluster.yaml:3:19 config/network-too-large {"key":"cluster_svc_cidr","network":"11.0.0.0/8","smallestPrefix":12}'],
  ],
  [
    'the pod network has no room for the nodes',
    { cluster: `${cluster}cluster_pod_cidr: 10.42.0.0/23\n`, nodes: three },
    [
      'cluster.yaml:3:19 config/network-too-small {"key":"cluster_pod_cidr","network":"10.42.0.0/23","needed":3,"holds":2,"of":"node networks"}',
    ],
  ],
  [
    'the VIP lies outside',
    { cluster: cluster.replace('42.120', '43.120') },
    [
      'cluster.yaml:2:19 config/address-outside-network {"owner":"cluster_api_addr","ownerIsNode":false,"address":"192.168.43.120","network":"192.168.42.0/24","suggestion":"192.168.42.120"} <- cluster.yaml:1:12 network of the nodes',
    ],
  ],
  [
    'the VIP is the address of a node',
    { nodes: three.replace('42.11,', '42.120,') },
    [
      'nodes.yaml:3:28 config/duplicate-address {"address":"192.168.42.120","first":"cluster_api_addr","second":"cp-2","secondIsNode":true,"network":"192.168.42.0/24","suggestion":"192.168.42.121"} <- cluster.yaml:2:19 first used here by `cluster_api_addr`',
    ],
  ],
  [
    'a node has the broadcast address',
    { nodes: one.replace('42.10,', '42.255,') },
    [
      'nodes.yaml:2:28 config/unusable-address {"owner":"cp-1","address":"192.168.42.255","network":"192.168.42.0/24","suggestion":"192.168.42.10"} <- cluster.yaml:1:12 network of the nodes',
    ],
  ],
  [
    'two nodes have one serial number',
    { nodes: three.replace('serial-11', 'serial-10') },
    [
      'nodes.yaml:3:49 config/duplicate-disk {"serial":"serial-10","first":"cp-1","second":"cp-2"} <- nodes.yaml:2:49 first used here by `cp-1`',
    ],
  ],
  [
    'two nodes have one card',
    { nodes: three.replace('00:11"', '00:10"') },
    [
      'nodes.yaml:3:70 config/duplicate-mac-address {"mac":"02:00:00:00:00:10","first":"cp-1","second":"cp-2"} <- nodes.yaml:2:70 first used here by `cp-1`',
    ],
  ],
  [
    'a name has two nodes',
    { nodes: three.replace('cp-2', 'cp-1') },
    ['nodes.yaml:3:13 config/duplicate-node-name {"node":"cp-1"} <- nodes.yaml:2:13 first used here'],
  ],
  ['a name is reserved', { nodes: one.replace('cp-1', 'worker') }, ['nodes.yaml:2:13 config/reserved-node-name {"node":"worker"}']],
  [
    'a name has capitals',
    { nodes: one.replace('cp-1', 'CP_1') },
    ['nodes.yaml:2:13 config/malformed {"key":"name","of":"CP_1","value":"CP_1","expected":"node-name","suggestion":"cp-1"}'],
  ],
  [
    'a MAC address has dashes',
    { nodes: one.replace('02:00:00:00:00:10', '02-00-00-AA-00-10') },
    [
      'nodes.yaml:2:70 config/malformed {"key":"mac_addr","of":"cp-1","value":"02-00-00-AA-00-10","expected":"mac-address","suggestion":"02:00:00:aa:00:10"}',
    ],
  ],
  [
    'an MTU is too large',
    { nodes: one.replace('true }', 'true, mtu: 9001 }') },
    ['nodes.yaml:2:114 config/out-of-range {"key":"mtu","of":"cp-1","value":9001,"max":9000}'],
  ],
  [
    'a schematic and extensions exclude each other',
    { nodes: one.replace('true }', `true, schematic_id: ${'a'.repeat(64)}, extensions: [siderolabs/intel-ucode] }`) },
    [
      'nodes.yaml:2:189 config/exclude-each-other {"node":"cp-1","first":"schematic_id","second":"extensions"} <- nodes.yaml:2:109 the schematic is given here',
    ],
  ],
  [
    'an extension has no owner',
    { nodes: one.replace('true }', 'true, extensions: [intel-ucode] }') },
    [
      'nodes.yaml:2:122 config/malformed {"key":"extensions[0]","of":"cp-1","value":"intel-ucode","expected":"extension","suggestion":"siderolabs/intel-ucode"}',
    ],
  ],
  [
    'BGP is half configured',
    { cluster: `${cluster}cilium_bgp_router_addr: 192.168.42.1\n` },
    [
      'cluster.yaml:3:1 config/incomplete-group {"group":"BGP","missing":["cilium_bgp_router_asn","cilium_bgp_node_asn"],"present":["cilium_bgp_router_addr"]}',
    ],
  ],
  [
    'the backup is half configured',
    { cluster: `${cluster}backup_s3_bucket: etcd\n` },
    ['cluster.yaml:3:1 config/incomplete-group {"group":"backup","missing":["backup_s3_endpoint"],"present":["backup_s3_bucket"]}'],
  ],
  [
    'the mode of the load balancer is misspelt',
    { cluster: `${cluster}cilium_loadbalancer_mode: drs\n` },
    ['cluster.yaml:3:27 config/not-one-of {"key":"cilium_loadbalancer_mode","value":"drs","allowed":["dsr","snat"],"suggestion":"dsr"}'],
  ],
  [
    'a VLAN tag is out of range',
    { cluster: `${cluster}node_vlan_tag: 4095\n` },
    ['cluster.yaml:3:16 config/malformed {"key":"node_vlan_tag","value":"4095","expected":"vlan-tag"}'],
  ],
  [
    'a list is text',
    { cluster: `${cluster}node_dns_servers: 1.1.1.1\n` },
    ['cluster.yaml:3:19 config/wrong-type {"key":"node_dns_servers","expected":"list","found":"text"}'],
  ],
  [
    'an element of a list is wrong',
    { cluster: `${cluster}node_dns_servers: [1.1.1.1, 1.0.0.256]\n` },
    ['cluster.yaml:3:29 config/malformed {"key":"node_dns_servers[1]","value":"1.0.0.256","expected":"address"}'],
  ],
  [
    'an address has a prefix',
    { cluster: `${cluster}cluster_gateway_addr: 192.168.42.121/24\n` },
    [
      'cluster.yaml:3:23 config/malformed {"key":"cluster_gateway_addr","value":"192.168.42.121/24","expected":"address","suggestion":"192.168.42.121"}',
    ],
  ],
  [
    'Talos is unknown',
    { cluster: `${cluster}talos_version: v2.0.0\n` },
    ['cluster.yaml:3:1 config/unsupported-talos {"version":"v2.0.0"}'],
  ],
  [
    'Kubernetes is too new for Talos',
    { cluster: `${cluster}talos_version: v1.13.9\nkubernetes_version: v1.37.0\n` },
    [
      'cluster.yaml:4:1 config/incompatible-kubernetes {"talos":"v1.13.9","kubernetes":"v1.37.0","lowest":"1.31","highest":"1.36"} <- cluster.yaml:3:1 Talos v1.13.9 is asked for here',
    ],
  ],
  [
    'a version has two parts',
    { cluster: `${cluster}talos_version: v1.14\n` },
    ['cluster.yaml:3:16 config/malformed {"key":"talos_version","value":"v1.14","expected":"version","suggestion":"v1.14.0"}'],
  ],
  [
    'a secret would be committed',
    { cluster: `${cluster}cloudflare_token: hunter2hunter2\n` },
    [
      'cluster.yaml:3:1 config/secret-in-committed-input {"key":"cloudflare_token","path":"cluster.yaml","secretsPath":"cluster.secrets.sops.yaml"}',
    ],
  ],
  [
    'the file is of a newer tk',
    { cluster: `version: 7\n${cluster}` },
    ['cluster.yaml:1:10 config/unsupported-version {"found":7,"newest":1}'],
  ],
  [
    'own data shadows a key',
    { cluster: `${cluster}extra: { nodes: 1 }\n` },
    ['cluster.yaml:3:10 config/reserved-data-name {"key":"nodes"}'],
  ],
  [
    'own data shadows what follows from the keys',
    { cluster: `${cluster}extra: { talos_minor: 1 }\n` },
    ['cluster.yaml:3:10 config/reserved-data-name {"key":"talos_minor"}'],
  ],
  [
    'there are two documents',
    { cluster: `${cluster}---\nnode_cidr: 10.0.0.0/24\n` },
    ['cluster.yaml:4:1 config/several-documents {"path":"cluster.yaml"}'],
  ],
  [
    'a key is set twice',
    { cluster: `${cluster}node_cidr: 10.0.0.0/24\n` },
    ['cluster.yaml:3:1 format/duplicate-key {"key":"node_cidr"} <- cluster.yaml:1:1 first written here'],
  ],
];

test.each(mistakes)('%s', async (_title, inputs, expected) => {
  const { failures, model } = await load('cluster' in inputs ? inputs.cluster : cluster, 'nodes' in inputs ? inputs.nodes : one);
  expect(printed(failures)).toEqual(expected);
  expect(model).toBeUndefined();
});

test('no failure carries the value of a secret', async () => {
  const { failures, secrets } = await load(`${cluster}cloudflare_token: hunter2hunter2\n`, one);
  expect(JSON.stringify(failures)).not.toContain('hunter2');
  expect(secrets).toEqual({});
});

test('a cluster.yaml that git ignores may hold its secrets, as the first templates had it', async () => {
  const { failures, secrets, templateData } = await load(`${cluster}cloudflare_token: hunter2hunter2\n`, one, {
    '.gitignore': 'node_modules/\n/cluster.yaml\n',
  });
  expect(failures).toEqual([]);
  expect(secrets.cloudflare_token?.reveal()).toBe('hunter2hunter2');
  expect(JSON.stringify(templateData)).not.toContain('hunter2');
});

test('an even number of control planes and an old key name are warnings', async () => {
  const { failures, warnings, templateData } = await load(
    `${cluster}cloudflare_ingress_addr: 192.168.42.121\n`,
    `nodes:\n${node('cp-1', 10)}${node('cp-2', 11)}`,
  );
  expect(failures).toEqual([]);
  expect(printed(warnings)).toEqual([
    'cluster.yaml:3:1 config/renamed-key {"key":"cloudflare_ingress_addr","replacement":"cluster_gateway_addr"}',
    'nodes.yaml:3:103 config/even-control-planes {"count":2,"tolerated":0}',
  ]);
  expect(templateData?.['cluster_gateway_addr']).toBe('192.168.42.121');
});

test('one control plane may have the address of the API, and then there is no floating one', async () => {
  const { model, templateData } = await load(cluster.replace('42.120', '42.10'), one);
  expect([model?.endpoint, model?.vip, templateData?.['cluster_has_vip'], templateData?.['allow_scheduling_on_control_planes']]).toEqual([
    'https://192.168.42.10:6443',
    undefined,
    false,
    true,
  ]);
});

test('unquoted yes and no are booleans, ASNs may be numbers, and own data reaches the templates', async () => {
  const { failures, templateData } = await load(
    `${cluster}cilium_bgp_router_addr: 192.168.42.1\ncilium_bgp_router_asn: 64513\ncilium_bgp_node_asn: "64514"\ncluster_gateway_addr: 172.16.0.1\nextra: { domain: home.arpa }\n`,
    `nodes:\n${node('cp-1', 10, 'controller: yes, secureboot: off')}`,
  );
  // The gateways of the router's own address: BGP lets them lie elsewhere.
  expect(failures).toEqual([]);
  expect([
    templateData?.nodes[0]?.controller,
    templateData?.nodes[0]?.secureboot,
    templateData?.['cilium_bgp_router_asn'],
    templateData?.['cilium_bgp_enabled'],
    templateData?.['domain'],
  ]).toEqual([true, false, '64513', true, 'home.arpa']);
});

test('dual-stack networks come as a list or as the old pair', async () => {
  const pair = await load(
    `${cluster}cluster_pod_cidr: 10.42.0.0/16,fd00:42::/56\ncluster_svc_cidr: [10.43.0.0/16, "fd00:43::/112"]\n`,
    one,
  );
  expect(pair.failures).toEqual([]);
  expect([pair.model?.podSubnets, pair.model?.serviceSubnets, pair.templateData?.['cluster_dns_addr']]).toEqual([
    ['10.42.0.0/16', 'fd00:42::/56'],
    ['10.43.0.0/16', 'fd00:43::/112'],
    '10.43.0.10',
  ]);
});

test('versions may come without their `v`, and wild names stay text in what is rendered', async () => {
  const { model, templateData, failures } = await load(
    `${cluster}talos_version: 1.13.9\nkubernetes_version: 1.36.0\ncluster_api_tls_sans: ["*.home.arpa"]\n`,
    one,
  );
  expect(failures).toEqual([]);
  expect([model?.talosVersion, model?.kubernetesVersion, templateData?.['talos_version'], templateData?.['kubernetes_version']]).toEqual([
    'v1.13.9',
    'v1.36.0',
    'v1.13.9',
    'v1.36.0',
  ]);
});
