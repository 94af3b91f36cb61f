import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Secret } from '../../../lib/base/index.ts';
import { createPins } from '../../../lib/cluster/pins/create.ts';
import { type SimulatedRepository, simulate } from '../../../lib/testing.ts';
import { projectRoot } from '../../rig/process.ts';

const signal = new AbortController().signal;
const wanted = { kubernetes: 'v1.36.3' };

const node = `nodes:
  - hostname: cp-1
    controlPlane: true
    ipAddress: 192.168.42.10
    installDisk: /dev/nvme0n1
`;
const talconfig = (versions: string) => `# home
clusterName: simulated
${versions}
endpoint: https://192.168.42.10:6443
${node}`;

const repository = (files: Readonly<Record<string, string>>) => simulate({ from: 'maintenance', files });
const read = ({ files, root }: SimulatedRepository, path: string) => files.readText(`${root}/${path}`);

async function followed(rig: SimulatedRepository, pins: { talos?: string; kubernetes?: string } = wanted) {
  const { edits, warnings } = await rig.cluster.pins.plan(pins);
  await rig.cluster.pins.follow(await rig.cluster.pins.plan(pins));
  const again = await rig.cluster.pins.plan(pins);
  return {
    edits: edits.map(({ path, line, from, to, key }) => `${path}:${line} ${key} ${from ?? 'absent'} → ${to}`),
    warnings: warnings.map(({ code, facts }) => ({ code, ...facts })),
    left: again.edits,
  };
}

test('a version in talconfig.yaml follows where it stands: comments, quotes and the missing v stay', async () => {
  const versions = 'talosVersion: v1.13.9\n# renovate: kubelet\nkubernetesVersion: "1.35.4" # the old one\r';
  await using rig = await repository({ 'talos/talconfig.yaml': talconfig(versions) });
  expect(await followed(rig)).toEqual({
    edits: ['talos/talconfig.yaml:5 kubernetesVersion 1.35.4 → 1.36.3'],
    warnings: [],
    left: [],
  });
  expect(await read(rig, 'talos/talconfig.yaml')).toBe(
    talconfig('talosVersion: v1.13.9\n# renovate: kubelet\nkubernetesVersion: "1.36.3" # the old one\r'),
  );
});

test('a version that comes from talenv.yaml follows there, and in the template that renders the file', async () => {
  const talenv = (version: string) =>
    `# renovate: datasource=docker depName=ghcr.io/siderolabs/installer\ntalosVersion: v1.13.9\n# renovate: datasource=docker depName=ghcr.io/siderolabs/kubelet\nkubernetesVersion: ${version} # keep\n`;
  await using rig = await repository({
    'talos/talconfig.yaml': talconfig('talosVersion: "${talosVersion}"\nkubernetesVersion: "${kubernetesVersion}"'),
    'talos/talenv.yaml': talenv('v1.35.4'),
    'templates/config/talos/talenv.yaml.j2': `#% set x = 1 %#\n${talenv('v1.35.4')}`,
  });
  expect(await followed(rig)).toEqual({
    edits: [
      'talos/talenv.yaml:4 kubernetesVersion v1.35.4 → v1.36.3',
      'templates/config/talos/talenv.yaml.j2:5 kubernetesVersion v1.35.4 → v1.36.3',
    ],
    warnings: [],
    left: [],
  });
  expect(await read(rig, 'talos/talenv.yaml')).toBe(talenv('v1.36.3'));
  expect(await read(rig, 'templates/config/talos/talenv.yaml.j2')).toBe(`#% set x = 1 %#\n${talenv('v1.36.3')}`);
});

test('a default inside of a variable follows; what tk does not write is said', async () => {
  await using rig = await repository({
    'talos/talconfig.yaml': talconfig('talosVersion: ${TALOS:-v1.13.8}\nkubernetesVersion: v1.${K8S_MINOR:-35}.4'),
  });
  expect(await followed(rig, { talos: 'v1.13.9', kubernetes: 'v1.36.3' })).toEqual({
    edits: ['talos/talconfig.yaml:3 talosVersion v1.13.8 → v1.13.9'],
    warnings: [
      {
        code: 'pin/composed',
        path: 'talos/talconfig.yaml',
        key: 'kubernetesVersion',
        written: 'v1.${K8S_MINOR:-35}.4',
        version: 'v1.36.3',
      },
    ],
    left: [],
  });
  expect(await read(rig, 'talos/talconfig.yaml')).toBe(
    talconfig('talosVersion: ${TALOS:-v1.13.9}\nkubernetesVersion: v1.${K8S_MINOR:-35}.4'),
  );
});

test('a patch that names an image keeps the pin from counting, and is named with its place', async () => {
  await using rig = await repository({
    'talos/talconfig.yaml': `${talconfig('talosVersion: v1.13.9\nkubernetesVersion: v1.36.3')}    patches:\n      - "@./patches/kubelet.yaml"\n`,
    'talos/patches/kubelet.yaml': 'machine:\n  # held back\n  kubelet:\n    image: ghcr.io/siderolabs/kubelet:v1.35.4\n',
  });
  const overridden = await rig.cluster.pins.overridden(wanted, signal);
  expect(overridden.map(({ code, facts }) => ({ code, ...facts }))).toEqual([
    {
      code: 'pin/overridden',
      node: 'cp-1',
      part: 'kubelet',
      image: 'ghcr.io/siderolabs/kubelet:v1.35.4',
      wanted: 'v1.36.3',
      where: 'talos/patches/kubelet.yaml:4',
    },
  ]);
});

test('on the way to a newer version, a pin that is ahead stays', async () => {
  await using rig = await repository({ 'talos/talconfig.yaml': talconfig('talosVersion: v1.14.1\nkubernetesVersion: v1.37.0') });
  expect((await rig.cluster.pins.plan(wanted, { isForwardOnly: true })).edits).toEqual([]);
  expect((await rig.cluster.pins.plan(wanted)).edits.map(({ to }) => to)).toEqual(['v1.36.3']);
});

test('an upgrade controller in the Flux tree is told too', async () => {
  const upgrade = (version: string) =>
    `---\napiVersion: tuppr.home-operations.com/v1alpha1\nkind: KubernetesUpgrade\nmetadata:\n  name: kubernetes\nspec:\n  kubernetes:\n    # renovate: depName=ghcr.io/siderolabs/kubelet\n    version: ${version}\n`;
  await using rig = await repository({
    'talos/talconfig.yaml': talconfig('talosVersion: v1.13.9\nkubernetesVersion: v1.35.4'),
    'kubernetes/apps/system-upgrade/tuppr/upgrades/kubernetes.yaml': upgrade('v1.35.4'),
    'kubernetes/apps/default/other.yaml': 'kind: ConfigMap\ndata:\n  version: v1.35.4\n',
  });
  const { edits } = await followed(rig);
  expect(edits).toEqual([
    'talos/talconfig.yaml:4 kubernetesVersion v1.35.4 → v1.36.3',
    'kubernetes/apps/system-upgrade/tuppr/upgrades/kubernetes.yaml:9 spec.kubernetes.version v1.35.4 → v1.36.3',
  ]);
  expect(await read(rig, 'kubernetes/apps/system-upgrade/tuppr/upgrades/kubernetes.yaml')).toBe(upgrade('v1.36.3'));
});

const own = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const inputs = {
  'cluster.yaml': own('cluster.yaml'),
  'nodes.yaml': own('nodes.yaml'),
  'talos/talconfig.yaml': own('talos/talconfig.yaml'),
};

test('where cluster.yaml is the input, it follows together with the talconfig that was rendered from it', async () => {
  await using rig = await repository(inputs);
  expect(await followed(rig, { talos: 'v1.14.7', kubernetes: 'v1.37.3' })).toEqual({
    edits: [
      'cluster.yaml:5 talos_version v1.14.1 → v1.14.7',
      'talos/talconfig.yaml:4 talosVersion v1.14.1 → v1.14.7',
      'cluster.yaml:6 kubernetes_version v1.37.0 → v1.37.3',
      'talos/talconfig.yaml:5 kubernetesVersion v1.37.0 → v1.37.3',
    ],
    warnings: [],
    left: [],
  });
  expect(await read(rig, 'cluster.yaml')).toBe(inputs['cluster.yaml'].replace('v1.14.1', 'v1.14.7').replace('v1.37.0', 'v1.37.3'));
});

test('a Kubernetes that went without saying is written down before another Talos would change it', async () => {
  const cluster = inputs['cluster.yaml'].replace(/^kubernetes_version.*\n/m, '').replace(/^talos_version.*$/m, 'talos_version: v1.13.9');
  const { 'talos/talconfig.yaml': _rendered, ...files } = inputs;
  await using rig = await repository({ ...files, 'cluster.yaml': cluster });
  const { edits } = await followed(rig, { talos: 'v1.14.1' });
  expect(edits).toEqual([
    'cluster.yaml:5 talos_version v1.13.9 → v1.14.1',
    expect.stringMatching(/^cluster.yaml:\d+ kubernetes_version absent → v1\.36\.3$/),
  ]);
  expect(await read(rig, 'cluster.yaml')).toContain('\nkubernetes_version: v1.36.3\n');
});

test('a version of the environment, and one in an encrypted file, are named with what has to be set', async () => {
  await using rig = await repository({ 'talos/talconfig.yaml': talconfig('talosVersion: v1.13.9\nkubernetesVersion: v1.35.4') });
  const text = talconfig('talosVersion: ${TALOS_VERSION}\nkubernetesVersion: ${KUBE_VERSION}');
  await rig.files.write(`${rig.root}/talos/talconfig.yaml`, text);
  await rig.files.write(`${rig.root}/talos/talenv.sops.yaml`, 'KUBE_VERSION: ENC[AES256_GCM,data:x]\nsops: {}\n');
  const { model, machineConfigs } = rig.cluster;
  const pinsWith = (key: string | undefined) =>
    createPins({
      model,
      world: { files: rig.files, env: { home: '/', platform: 'linux', get: (name) => (name === 'TALOS_VERSION' ? 'v1.13.8' : undefined) } },
      vault: {
        isEncrypted: ({ path }) => path.endsWith('.sops.yaml'),
        canOpen: async () => key !== undefined,
        decrypt: async () => new Secret(`KUBE_VERSION: ${key}\n`),
      },
      machineConfigs,
    });
  const both = { talos: 'v1.13.9', kubernetes: 'v1.36.3' };
  const warningsWith = async (key: string | undefined) => {
    const { edits, warnings } = await pinsWith(key).plan(both);
    return [edits, warnings.map(({ code, facts }) => ({ code, ...facts }))];
  };
  const environment = { code: 'pin/environment', variable: 'TALOS_VERSION', version: 'v1.13.9' };
  const encrypted = { code: 'pin/encrypted', path: 'talos/talenv.sops.yaml', variable: 'KUBE_VERSION', version: 'v1.36.3' };
  expect(await warningsWith('v1.35.4')).toEqual([[], [environment, encrypted]]);
  expect(await warningsWith(undefined)).toEqual([[], [environment, encrypted]]);
  expect(await warningsWith('v1.36.3')).toEqual([[], [environment]]);
});
