import { expect, test } from 'vitest';
import { findRepository, loadTalconfig, talconfigPaths } from '../../../lib/config/index.ts';
import { createMemoryFiles } from '../../../lib/sim/index.ts';

// clustertool runs talhelper, keeps clusters/NAME/clusterenv.yaml beside clusters/NAME/talos, and sets variables of its own.
const root = '/home/user/cluster';
const talconfig = `clusterName: \${CLUSTERNAME}
talosVersion: v1.10.2
kubernetesVersion: v1.32.5
endpoint: https://\${VIP}:6443
clusterPodNets: ["\${PODNET}"]
nodes:
  - hostname: k8s-control-1
    ipAddress: \${MASTER1IP_IP}
    controlPlane: true
    installDisk: /dev/sda
    networkInterfaces:
      - interface: eth0
        addresses: ["\${MASTER1IP_CIDR}", "\${SIX_CIDR}"]
        routes: [{ network: 0.0.0.0/0, gateway: "\${GATEWAY_IP}" }]
        mtu: \${GATEWAY_NETMASK}
`;
const clusterenv = `# Main settings
VIP: 192.168.42.120
MASTER1IP: "192.168.42.10"
GATEWAY: 192.168.42.1/22
SIX: fd00::1
PODNET: 172.16.0.0/16
METALLB_RANGE: 192.168.42.200-192.168.42.250
`;
const at = (paths: Readonly<Record<string, string>>) =>
  createMemoryFiles(() => 0, Object.fromEntries(Object.entries(paths).map(([path, text]) => [`${root}/${path}`, text])));

async function load(place: string, files: Readonly<Record<string, string>>) {
  const path = `${root}/${place}/talos/talconfig.yaml`;
  return loadTalconfig(at({ [`${place}/talos/talconfig.yaml`]: talconfig, ...files }), { root, path, decrypt: async ({ text }) => text });
}

const links = (nodes: Awaited<ReturnType<typeof load>>['nodes']) => ({ links: nodes[0]?.configs['networkInterfaces'] });

test('the variables of a clustertool cluster are those of its file, their parts and its name', async () => {
  const { clusterName, endpoint, clusterPodNets, nodes } = await load('clusters/main', { 'clusters/main/clusterenv.yaml': clusterenv });
  expect({ clusterName, endpoint, clusterPodNets, addresses: nodes[0]?.ipAddresses, ...links(nodes) }).toMatchInlineSnapshot(`
    {
      "addresses": [
        "192.168.42.10",
      ],
      "clusterName": "main",
      "clusterPodNets": [
        "172.16.0.0/16",
      ],
      "endpoint": "https://192.168.42.120:6443",
      "links": [
        {
          "addresses": [
            "192.168.42.10/24",
            "fd00::1/24",
          ],
          "interface": "eth0",
          "mtu": 22,
          "routes": [
            {
              "gateway": "192.168.42.1",
              "network": "0.0.0.0/0",
            },
          ],
        },
      ],
    }
  `);
  // What the file says itself wins over what is made of its values, and a talenv file over it.
  const own = `${clusterenv}CLUSTERNAME: mine\nMASTER1IP_CIDR: 192.168.42.10/16\n`;
  const other = await load('clusters/edge', {
    'clusters/edge/clusterenv.yaml': own,
    'clusters/edge/talos/talenv.yaml': 'VIP: 192.168.42.121\n',
  });
  expect([other.clusterName, other.endpoint, links(other.nodes)]).toMatchObject([
    'mine',
    'https://192.168.42.121:6443',
    { links: [{ addresses: ['192.168.42.10/16', 'fd00::1/24'] }] },
  ]);
});

test('elsewhere a file of that name says nothing', async () => {
  await expect(load('somewhere', { 'somewhere/clusterenv.yaml': clusterenv })).rejects.toMatchObject({
    failures: expect.arrayContaining([expect.objectContaining({ code: 'talconfig/variable-not-set' })]) as unknown,
  });
});

test('it is found from the root and from within, with its secrets and its output', async () => {
  const place = 'clusters/main/talos';
  const files = at({
    [`${place}/talconfig.yaml`]: talconfig,
    [`${place}/generated/talsecret.yaml`]: 'trustdinfo: {}\n',
    'clusters/main/clusterenv.yaml': clusterenv,
  });
  for (const from of [root, `${root}/clusters/main`, `${root}/${place}`])
    expect((await findRepository(files, from)).source).toEqual({ kind: 'talconfig.yaml', path: `${place}/talconfig.yaml`, besides: false });
  expect(await talconfigPaths(files, root, `${root}/${place}/talconfig.yaml`)).toEqual({
    root,
    talconfig: `${root}/${place}/talconfig.yaml`,
    secrets: `${root}/${place}/generated/talsecret.yaml`,
    clusterConfig: `${root}/${place}/generated`,
    talosconfig: `${root}/${place}/generated/talosconfig`,
    kubeconfig: `${root}/kubeconfig`,
  });
});
