import { expect, test } from 'vitest';
import { Secret } from '../../../lib/base/index.ts';
import { compareConfigs } from '../../../lib/cluster/compare-configs.ts';
import { configDifferences } from '../../../lib/cluster/config-differences.ts';

const differences = (before: string, after: string, secrets: readonly string[] = []) => {
  const result = configDifferences(new Secret(before), new Secret(after), secrets);
  expect(compareConfigs(new Secret(before), new Secret(after)).state).toBe(
    result.state === 'unknown' ? 'unknown' : result.state === 'compared' && result.differences.length === 0 ? 'equal' : 'differs',
  );
  return result.state === 'compared' ? result.differences : result;
};

test('documents and keys in another order, and empty fields, are no difference', () => {
  expect(
    differences(
      'machine: { type: worker, sysctls: { a.b: "1", c.d: "2" } }\n---\nkind: HostnameConfig\nhostname: w-1\n',
      'kind: HostnameConfig\nhostname: w-1\nauto: ""\n---\nmachine: { sysctls: { c.d: "2", a.b: "1" }, files: [], type: worker }\n',
    ),
  ).toEqual([]);
});

test('each difference has its document, its path, and both values', () => {
  expect(
    differences(
      [
        'machine: { type: worker, sysctls: { vm.max_map_count: "1" }, kubelet: { image: k:1 } }',
        'kind: LinkConfig\nname: eth0\nmtu: 1500',
        'kind: UserVolumeConfig\nname: old',
      ].join('\n---\n'),
      [
        'machine: { type: worker, sysctls: { vm.max_map_count: "2" }, nodeLabels: { rack: a } }',
        'kind: LinkConfig\nname: eth0\nmtu: 9000',
        'kind: UserVolumeConfig\nname: new',
      ].join('\n---\n'),
    ),
  ).toEqual([
    { document: 'v1alpha1', path: 'machine.kubelet', change: 'removed', before: { image: 'k:1' } },
    { document: 'v1alpha1', path: 'machine.nodeLabels', change: 'added', after: { rack: 'a' } },
    { document: 'v1alpha1', path: 'machine.sysctls["vm.max_map_count"]', change: 'changed', before: '1', after: '2' },
    { document: 'LinkConfig eth0', path: 'mtu', change: 'changed', before: 1500, after: 9000 },
    { document: 'UserVolumeConfig new', path: '', change: 'added' },
    { document: 'UserVolumeConfig old', path: '', change: 'removed' },
  ]);
});

test('in lists only what came, went or changed is told; another order of the same members is told as a whole', () => {
  expect(
    differences(
      'machine: { certSANs: [a, b], network: { interfaces: [{ interface: eth0, mtu: 1 }, { interface: eth1, mtu: 1 }] } }',
      'machine: { certSANs: [c, a, b], network: { interfaces: [{ interface: eth1, mtu: 2 }, { interface: eth0, mtu: 1 }] } }',
    ),
  ).toEqual([
    { document: 'v1alpha1', path: 'machine.certSANs[0]', change: 'added', after: 'c' },
    { document: 'v1alpha1', path: 'machine.network.interfaces[0].mtu', change: 'changed', before: 1, after: 2 },
  ]);
  expect(differences('kind: ResolverConfig\nnameservers: [x, y]', 'kind: ResolverConfig\nnameservers: [y, x]')).toEqual([
    { document: 'ResolverConfig', path: 'nameservers', change: 'changed', before: ['x', 'y'], after: ['y', 'x'] },
  ]);
});

test('keys are never among the values', () => {
  const config = (n: number) => `
machine:
  token: token-${n}
  ca: { crt: certificate, key: key-${n} }
  env: { VPN_KEY: mine-${n} }
  files: [{ path: /etc/a, content: "one\\npassphrase=hidden-${n}\\n" }]
  network: { interfaces: [{ interface: wg0, wireguard: { privateKey: private-${n} } }] }
  kubelet: { extraArgs: { note: bundle-value-${n} } }
---
kind: ExtensionServiceConfig
name: vpn
environment: [AUTH=mine-${n}]
---
kind: SideroLinkConfig
apiUrl: https://omni.example/?jointoken=join-${n}&x=${n}
---
kind: KubeServiceAccountConfig
issuer: { privateKey: "-----BEGIN RSA PRIVATE KEY-----\\nMII${n}\\n" }
`;
  expect(differences(config(1), config(2), ['bundle-value-1', 'bundle-value-2'])).toEqual([
    ...[
      ['machine.ca.key', '[redacted]'],
      ['machine.env.VPN_KEY', '[redacted]'],
      ['machine.files[0].content', '[2 lines]'],
      ['machine.kubelet.extraArgs.note', '[redacted]'],
      ['machine.network.interfaces[0].wireguard.privateKey', '[redacted]'],
      ['machine.token', '[redacted]'],
    ].map(([path, text]) => ({ document: 'v1alpha1', path, change: 'changed', before: text, after: text })),
    { document: 'ExtensionServiceConfig vpn', path: 'environment[0]', change: 'removed', before: '[redacted]' },
    { document: 'ExtensionServiceConfig vpn', path: 'environment[0]', change: 'added', after: '[redacted]' },
    {
      document: 'SideroLinkConfig',
      path: 'apiUrl',
      change: 'changed',
      before: 'https://omni.example/?jointoken=[redacted]&x=1',
      after: 'https://omni.example/?jointoken=[redacted]&x=2',
    },
    { document: 'KubeServiceAccountConfig', path: 'issuer.privateKey', change: 'changed', before: '[redacted]', after: '[redacted]' },
  ]);
});

test('what is not YAML is not compared', () => {
  expect(differences('machine: [', 'machine: {}')).toEqual({ state: 'unknown', because: 'its config cannot be read' });
});
