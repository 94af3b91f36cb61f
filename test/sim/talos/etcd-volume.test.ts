import { expect, test } from 'vitest';
import type { SimulatedRun } from 'talos-tk/testing';
import { simulate } from '../../rig/watched.ts';

// From Talos 1.14 on the data of etcd may lie on a volume of its own, which a wipe of EPHEMERAL leaves as it is.
const node = (hostname: string, last: number) => `
  - hostname: ${hostname}
    controlPlane: true
    ipAddress: 192.168.42.${last}
    installDisk: /dev/nvme0n1
    networkInterfaces:
      - deviceSelector: { hardwareAddr: 02:00:00:00:42:${last} }
        dhcp: true
        vip: { ip: 192.168.42.120 }`;
const talconfig = `clusterName: simulated
talosVersion: v1.14.1
kubernetesVersion: v1.37.0
endpoint: https://192.168.42.120:6443
nodes:${node('cp-1', 10)}${node('cp-2', 11)}${node('cp-3', 12)}
controlPlane:
  volumes:
    - name: ETCD
      provisioning: { minSize: 4GiB, maxSize: 4GiB }
`;

const withVolume = { files: { 'talos/talconfig.yaml': talconfig } } as const;
const now = new AbortController().signal;
const codes = ({ exitCode, failures }: SimulatedRun) => ({ exitCode, codes: failures.map(({ code }) => code) });
const fine = { exitCode: 0, codes: [] };
type Views = { readonly views: readonly { readonly members: readonly { readonly hostname: string }[] }[] };
const membersIn = ({ value }: SimulatedRun) => (value as Views).views[0]?.members.map(({ hostname }) => hostname).sort();
test('etcd on a volume of its own is recovered: that volume is wiped, too', { timeout: 90_000 }, async () => {
  await using rig = await simulate(withVolume);
  expect(await rig.cluster.operations.recovery.volumes(rig.cluster.find({ node: 'cp-1' }), now)).toEqual(['EPHEMERAL', 'ETCD']);
  expect(codes(await rig.tk('talos:etcd-snapshot', { path: 'kept.db' }))).toEqual(fine);
  for (const name of ['cp-1', 'cp-2', 'cp-3']) rig.hand.stopEtcd(name);
  await rig.pass(5000);
  const recovered = await rig.tk('talos:etcd-recover', { snapshot: 'kept.db' });
  expect({ ...codes(recovered), text: recovered.text }).toEqual({ ...fine, text: '' });
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-2' }))).toEqual(['cp-1', 'cp-2', 'cp-3']);
});

test('a machine whose EPHEMERAL alone is wiped keeps its member; with ETCD it is gone for good', { timeout: 90_000 }, async () => {
  await using rig = await simulate(withVolume);
  const reset = (labels: readonly string[], more: object = {}) =>
    rig.tk('talos:reset', { node: 'cp-3', labels, reboot: true, graceful: false, ...more });
  const lost = async (labels: readonly string[]) => {
    const { tasks } = await rig.plan('talos:reset', { node: 'cp-3', labels, graceful: false });
    return tasks[0]?.steps.at(-1)?.decision === 'run' ? tasks[0].steps.at(-1)?.reason : tasks[0]?.failure?.code;
  };
  expect([await lost(['EPHEMERAL']), await lost(['EPHEMERAL', 'ETCD'])]).toEqual([
    'EPHEMERAL, etcd stays 2 of 3, leader cp-1',
    'EPHEMERAL and ETCD, etcd stays 2 of 2, leader cp-1',
  ]);
  expect(codes(await reset(['EPHEMERAL']))).toEqual(fine);
  await rig.pass(300_000);
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2', 'cp-3']);
  expect(codes(await rig.tk('talos:health', { until: 'control-plane' }))).toEqual(fine);

  // With its config it comes back, takes its old member out and joins anew.
  const idOf = async () =>
    (await rig.cluster.lifecycle.etcd(now)).views
      .flatMap((view) => (view.state === 'answered' ? view.members : []))
      .find(({ hostname }) => hostname === 'cp-3')?.id;
  const id = await idOf();
  expect(codes(await reset(['ETCD']))).toEqual(fine);
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2', 'cp-3']);
  expect(await idOf()).not.toBe(id);

  expect(codes(await reset(['STATE', 'EPHEMERAL', 'ETCD']))).toEqual(fine);
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2']);
  // New hardware under the same name: nothing of the old member is left in its way.
  const replaced = await rig.tk('node:replace', { node: 'cp-3' });
  expect({ ...codes(replaced), text: replaced.text }).toEqual({ ...fine, text: '' });
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2', 'cp-3']);
});

test('a graceful reset, a removal and a whole wipe leave nothing on it', { timeout: 90_000 }, async () => {
  await using rig = await simulate(withVolume);
  expect(codes(await rig.tk('talos:reset', { node: 'cp-2', labels: ['STATE', 'EPHEMERAL'], reboot: true }))).toEqual(fine);
  expect(codes(await rig.tk('node:replace', { node: 'cp-2' }))).toEqual(fine);
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2', 'cp-3']);
  expect(codes(await rig.tk('node:remove', { node: 'cp-3' }))).toEqual(fine);
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2']);
});

test('where it is a directory it cannot be wiped alone, and that is said before anything is drained', { timeout: 90_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0 });
  expect(await rig.cluster.operations.recovery.volumes(rig.cluster.find({ node: 'cp-1' }), now)).toEqual(['EPHEMERAL']);
  const refused = await rig.tk('talos:reset', { node: 'cp-3', labels: ['ETCD'], graceful: false, reboot: true });
  expect({ ...codes(refused), changes: refused.counts.steps.changes, text: refused.text }).toMatchInlineSnapshot(`
    {
      "changes": 0,
      "codes": [
        "disk/is-directory",
      ],
      "exitCode": 2,
      "text": "error[disk/is-directory]: the volume \`ETCD\` of \`cp-3\` is a directory, and cannot be wiped alone
    step: talos:reset node=cp-3 labels=["ETCD"] graceful=false reboot=true
    help: it goes with the volume that it lies on: name EPHEMERAL instead",
    }
  `);
  // Talos says so, too.
  const machine = rig.cluster.find({ node: 'cp-3' });
  await expect(
    rig.cluster.lifecycle.reset(machine, { isGraceful: false, reboots: true, wipe: 'all', systemLabels: ['ETCD'] }, now),
  ).rejects.toMatchObject({ failure: { facts: { message: expect.stringContaining('resides on volume "EPHEMERAL"') } } });
});
