import { expect, test } from 'vitest';
import { simulate } from 'talos-tk/testing';

const talconfig = `# My cluster.
clusterName: simulated
talosVersion: v1.14.1 # renovate: this
kubernetesVersion: v1.37.0
endpoint: https://192.168.42.10:6443
nodes:
  # The old box in the cellar.
  - hostname: cp-1
    controlPlane: true
    ipAddress: 192.168.42.10
    installDisk: /dev/nvme0n1
  - hostname: worker-1
    controlPlane: false
    ipAddress: 192.168.42.20
    installDisk: /dev/nvme0n1

# Patches follow.
patches: []
`;

const given = {
  from: 'maintenance',
  files: { 'talconfig.yaml': talconfig },
  // A machine that the inventory does not know waits under another address.
  hardware: (machine) =>
    machine.name === 'worker-1'
      ? {
          ...machine,
          address: '192.168.42.77',
          disks: [
            { path: '/dev/sda', serial: 'S6PB1', sizeBytes: 512e9, model: 'Samsung', transport: 'sata' },
            { path: '/dev/nvme0n1', serial: 'S6PB2', sizeBytes: 1e12, model: 'Samsung', transport: 'nvme' },
          ],
        }
      : machine,
} satisfies Parameters<typeof simulate>[0];

test('node:add looks at the machine, offers what it has, and writes an entry that leaves every other byte as it was', async () => {
  await using rig = await simulate({ ...given, answers: { controller: false, name: 'worker-2', disk: 'S6PB2' } });
  const run = await rig.tk('node:add', { address: '192.168.42.77' });
  expect({ exitCode: run.exitCode, text: run.text, value: run.value }).toEqual({
    exitCode: 0,
    text: '',
    value: {
      name: 'worker-2',
      address: '192.168.42.77',
      controller: false,
      disk: 'S6PB2',
      macAddress: expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
    },
  });
  const { macAddress } = run.value as { readonly macAddress: string };
  expect(await rig.files.readText(`${rig.root}/talconfig.yaml`)).toBe(
    talconfig.replace(
      '\n\n# Patches follow.',
      `
  - hostname: worker-2
    ipAddress: 192.168.42.77
    controlPlane: false
    installDiskSelector:
      serial: S6PB2
    networkInterfaces:
      - deviceSelector:
          hardwareAddr: ${macAddress}
        dhcp: true

# Patches follow.`,
    ),
  );
});

test('node:add refuses a name twice, an address twice and an open question; nothing is written', async () => {
  await using rig = await simulate({ ...given, answers: { controller: false, name: 'worker-2' } });
  const codes = async (params: object) => (await rig.tk('node:add', params)).failures.map(({ code }) => code);
  expect(await codes({ address: '192.168.42.20', name: 'x', controller: false, disk: '/dev/sda', macAddr: '00:11:22:33:44:55' })).toEqual([
    'task/failed',
  ]);
  expect(
    await codes({ address: '192.168.42.99', name: 'cp-1', controller: false, disk: '/dev/sda', macAddr: '00:11:22:33:44:55' }),
  ).toEqual(['task/failed']);
  // The address is open, and nobody can be asked for it.
  expect(await codes({})).toEqual(['prompt/no-terminal']);
  expect(await rig.files.readText(`${rig.root}/talconfig.yaml`)).toBe(talconfig);
});
