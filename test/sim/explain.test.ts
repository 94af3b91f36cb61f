import { expect, test } from 'vitest';
import { simulate } from 'talos-tk/testing';

const talconfig = `clusterName: home
talosVersion: v1.13.9
kubernetesVersion: v1.36.0
endpoint: https://192.168.42.120:6443
nodes:
  - hostname: cp-1
    ipAddress: 192.168.42.10
    controlPlane: true
    installDisk: /dev/sda
    nodeLabels: { rack: a }
    patches:
      - |-
        machine:
          sysctls:
            vm.max_map_count: "3"
  - hostname: worker-1
    ipAddress: 192.168.42.20
    controlPlane: false
    installDisk: /dev/sda
    networkInterfaces:
      - { interface: eth0, mtu: 9000 }
    patches:
      - "machine: { sysctls: { vm.max_map_count: '1' } }"
controlPlane:
  patches:
    - "@./patches/cp.yaml"
patches:
  - "@./patches/all.yaml"
`;
const files = {
  'talos/talconfig.yaml': talconfig,
  'talos/patches/cp.yaml': 'machine:\n  sysctls:\n    vm.max_map_count: "2"\n  env:\n    VPN_KEY: mine-alone\n',
  'talos/patches/all.yaml': '# for every machine\nmachine:\n  sysctls:\n    vm.max_map_count: "4"\n',
};

test('explain names the value of a field and every layer that set it, with its place', async () => {
  await using rig = await simulate({ from: 'maintenance', files });
  const explained = async (path: string, node?: string) => {
    const run = await rig.tk('explain', { path, node });
    return run.printed + run.text;
  };
  expect(await explained('machine.sysctls.vm.max_map_count')).toMatchInlineSnapshot(`
    "cp-1
      machine.sysctls["vm.max_map_count"] = "4"
        1  group patch    talos/patches/cp.yaml:3   "2"  shadowed by 2
        2  node patch     talos/talconfig.yaml:15   "3"  shadowed by 3
        3  cluster patch  talos/patches/all.yaml:4  "4"  wins

    worker-1
      machine.sysctls["vm.max_map_count"] = "4"
        1  node patch     talos/talconfig.yaml:23   "1"  shadowed by 2
        2  cluster patch  talos/patches/all.yaml:4  "4"  wins
    "
  `);
  expect(await explained('machine.nodeLabels.rack', 'cp-1')).toMatchInlineSnapshot(`
    "cp-1
      machine.nodeLabels.rack = "a"
        1  node cp-1  talos/talconfig.yaml:10  "a"  wins
    "
  `);
  expect(await explained('machine.env')).toMatchInlineSnapshot(`
    "cp-1
      machine.env = {"VPN_KEY":"[redacted]"}
        1  group patch  talos/patches/cp.yaml:4  {"VPN_KEY":"[redacted]"}  wins

    worker-1
      machine.env is not set by anything
    "
  `);
  expect(await explained('cluster.secret', 'worker-1')).toMatchInlineSnapshot(`
    "worker-1
      cluster.secret = "[redacted]"
        1  generated    "[redacted]"  wins
    "
  `);
  expect(await explained('machine.network.hostname', 'worker-1')).toMatchInlineSnapshot(`
    "worker-1
      machine.network.hostname is not set by anything; in this version it belongs to HostnameConfig
    "
  `);
  expect(await explained('HostnameConfig')).toMatchInlineSnapshot(`
    "cp-1
      HostnameConfig = {"apiVersion":"v1alpha1","kind":"HostnameConfig","auto":"off","hostname":"cp-1"}
        1  generated                          {"apiVersion":"v1alpha1","kind":"HostnameConfig","auto":"stable"}  shadowed by 2
        2  node cp-1  talos/talconfig.yaml:6  {"apiVersion":"v1alpha1","kind":"HostnameConfig","auto":"off","hostname":"cp-1"}  wins

    worker-1
      HostnameConfig = {"apiVersion":"v1alpha1","kind":"HostnameConfig","auto":"off","hostname":"worker-1"}
        1  generated                               {"apiVersion":"v1alpha1","kind":"HostnameConfig","auto":"stable"}  shadowed by 2
        2  node worker-1  talos/talconfig.yaml:16  {"apiVersion":"v1alpha1","kind":"HostnameConfig","auto":"off","hostname":"worker-1"}  wins
    "
  `);
  expect(await explained('LinkConfig', 'worker-1')).toMatchInlineSnapshot(`
    "worker-1
      LinkConfig eth0 = {"apiVersion":"v1alpha1","kind":"LinkConfig","name":"eth0","mtu":9000}
        1  node worker-1  talos/talconfig.yaml:20  {"apiVersion":"v1alpha1","kind":"LinkConfig","name":"eth0","mtu":9000}  wins
    "
  `);
  const unknown = await rig.tk('explain', { path: 'machine.network.hostnam' });
  expect(unknown.exitCode).toBe(2);
  expect(unknown.text).toMatchInlineSnapshot(`
    "error[talos-config/no-such-field]: Talos 1.13 has no field \`machine.network.hostnam\`
    because: \`hostnam\` is not a key of \`machine.network\`
    step: explain path=machine.network.hostnam
    help: did you mean \`machine.network.hostname\`?"
  `);
  expect(await explained('HostNameConfig.hostname')).toMatchInlineSnapshot(`
    "error[talos-config/no-such-document]: this configuration has no document \`HostNameConfig\`
    step: explain path=HostNameConfig.hostname
    help: did you mean \`HostnameConfig\`?"
  `);
});

test.each(['v1.13.9', 'v1.14.1'])('nothing that explain or talos:diff prints of %s holds a key of the cluster', async (talos) => {
  await using rig = await simulate({ from: 'maintenance', controlPlanes: 1, workers: 1, talos });
  expect((await rig.tk('talos:generate-config')).text).toBe('');
  const read = async (path: string) => (await rig.files.readText(`${rig.root}/talos/${path}`)) ?? '';
  // Every value of the bundle but the certificates and the cluster's name for itself.
  const bundle = await read('talsecret.yaml');
  const keys = [...bundle.matchAll(/^\s*(?!crt:|id:)\w+: (\S{16,})$/gm)].flatMap(([, value = '']) => [
    value,
    ...Buffer.from(value, 'base64')
      .toString()
      .split('\n')
      .filter((line) => /^[\w+/=]{24,}$/.test(line)),
  ]);
  expect(keys.length).toBeGreaterThan(10);
  const config = await read('clusterconfig/simulated-cp-1.yaml');
  expect(keys.filter((key) => config.includes(key)).length).toBeGreaterThanOrEqual(9);
  const kinds = [...config.matchAll(/^kind: (\w+)$/gm)].map(([, kind = '']) => kind);

  let printed = '';
  for (const path of ['machine', 'cluster', ...new Set(kinds)]) {
    const run = await rig.tk('explain', { path, node: 'cp-1' });
    expect(run.text).toBe('');
    printed += run.printed + JSON.stringify([run.value, run.events]);
  }
  // As if the last generation had been made with other keys.
  const upper = (text: string) => keys.reduce((result, key) => result.replaceAll(key, key.toUpperCase()), text);
  await rig.files.write(`${rig.root}/talos/clusterconfig/simulated-cp-1.yaml`, upper(config));
  const diff = await rig.tk('talos:diff');
  expect(diff.exitCode).toBe(6);
  printed += diff.printed + JSON.stringify([diff.value, diff.events]);
  expect(keys.filter((key) => printed.includes(key) || printed.includes(key.toUpperCase()))).toEqual([]);
  expect(printed).not.toContain('PRIVATE KEY');
  expect(diff.printed).toContain('machine.token: "[redacted]" → "[redacted]"');
});
