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
        1  node patch     talos/talconfig.yaml:21   "1"  shadowed by 2
        2  cluster patch  talos/patches/all.yaml:4  "4"  wins
    "
  `);
  expect(await explained('machine.nodeLabels.rack', 'cp-1')).toMatchInlineSnapshot(`
    "cp-1
      machine.nodeLabels.rack = "a"
        1  node cp-1  talos/talconfig.yaml:6  "a"  wins
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
  expect(await explained('HostNameConfig.hostname')).toMatchInlineSnapshot(`
    "error[talos-config/no-such-document]: this configuration has no document \`HostNameConfig\`
    step: explain path=HostNameConfig.hostname
    help: did you mean \`HostnameConfig\`?"
  `);
});
