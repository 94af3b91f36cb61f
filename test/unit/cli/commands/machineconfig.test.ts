import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureClasses } from '../../../../lib/cli/failure-classes.ts';
import { projectRoot, temporaryFolder } from '../../../rig/process.ts';
import { inFolder } from './in-folder.ts';

const secrets = readFileSync(join(projectRoot, 'test/conformance/machineconfig/bundles/talosctl-1.14.yaml'), 'utf8');
const gen = (folder: string, version: string, ...more: string[]) =>
  inFolder(folder, [
    'machineconfig',
    'gen',
    '--name=home',
    '--endpoint=https://10.0.0.1:6443',
    '--secrets=secrets.yaml',
    `--talos-version=${version}`,
    '--out=out',
    ...more,
  ]);

test('gen writes three files for their owner, and the same ones again', async () => {
  using folder = temporaryFolder({ 'secrets.yaml': secrets, 'p.yaml': 'machine:\n  sysctls:\n    net.core.somaxconn: "1024"\n' });
  const words = ['--patch=@p.yaml', '--patch-worker={"machine":{"sysctls":{"net.core.somaxconn":"2048"}}}', '--install-disk=/dev/vda'];
  const read = (name: string) => readFileSync(join(folder.path, 'out', name), 'utf8');
  const all = () => ['controlplane.yaml', 'worker.yaml', 'talosconfig'].map(read);
  expect(await gen(folder.path, 'v1.14.1', ...words)).toEqual({
    exitCode: 0,
    stdout: '',
    notes: ['wrote controlplane.yaml, worker.yaml and talosconfig to out'],
    failures: [],
  });
  const first = all();
  expect(statSync(join(folder.path, 'out/controlplane.yaml')).mode & 0o777).toBe(0o600);
  expect(read('controlplane.yaml')).toContain('net.core.somaxconn: "1024"');
  expect(read('worker.yaml')).toContain('net.core.somaxconn: "2048"');
  expect(read('worker.yaml')).toContain('/dev/vda');
  expect(read('worker.yaml')).not.toContain('net.core.somaxconn: "1024"');
  await gen(folder.path, 'v1.14.1', ...words);
  expect(all()).toEqual(first);
});

test('gen writes nothing when a config would be invalid, and names every problem', async () => {
  using folder = temporaryFolder({ 'secrets.yaml': secrets });
  const refused = async (...words: string[]) => (await gen(folder.path, 'v1.14.1', ...words)).failures;
  expect(await refused('--patch-worker={"machine":{"nodeLabels":{"a":"b"}}}')).toEqual(['talos-config/conflict']);
  expect(await refused('--patch={"machine":{"sysctl":{}}}')).toEqual(['talos-config/unknown-key']);
  expect(await refused('--patch=@none.yaml')).toEqual(['usage/file-missing']);
  expect(await refused('--endpoint=http://10.0.0.1:6443')).toEqual(['talos-config/endpoint-invalid']);
  expect(await refused('--talos-version=v2.0.0')).toEqual(['talos-config/unsupported-version']);
  expect(await refused('--kubernetes-version=v1.30.0')).toContain('talos-config/unsupported-kubernetes');
  expect(statSync(join(folder.path, 'out'), { throwIfNoEntry: false })).toBeUndefined();
});

test('patch applies patches in order; a JSON patch on several documents is refused', async () => {
  using folder = temporaryFolder({ 'base.yaml': 'version: v1alpha1\nmachine:\n  type: worker\n' });
  const base = ['machineconfig', 'patch', 'base.yaml'];
  const patched = await inFolder(folder.path, [
    ...base,
    '--talos-version=1.12',
    '--patch={"machine":{"network":{"hostname":"a"}}}',
    '--patch=[{"op":"replace","path":"/machine/network/hostname","value":"b"}]',
  ]);
  expect(patched).toMatchObject({ exitCode: 0, failures: [] });
  expect(patched.stdout).toContain('hostname: b\n');
  expect(
    (
      await inFolder(folder.path, [
        ...base,
        '--patch=apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: c',
        '--patch=[{"op":"remove","path":"/machine/type"}]',
      ])
    ).failures,
  ).toEqual(['talos-config/json-patch-refused']);
  expect((await inFolder(folder.path, base)).failures).toEqual(['usage/missing-argument']);
});

test('validate answers with one line, or with everything that is wrong', async () => {
  using folder = temporaryFolder({
    'secrets.yaml': secrets,
    'bad.yaml': 'version: v1alpha1\nmachine:\n  type: worker\n  typ: x\n  kubelett: {}\n',
  });
  await gen(folder.path, 'v1.13.9');
  expect(await inFolder(folder.path, ['machineconfig', 'validate', 'out/worker.yaml', '--talos-version', 'v1.13.9'])).toMatchObject({
    exitCode: 0,
    stdout: 'out/worker.yaml is valid for Talos v1.13.9\n',
  });
  const bad = await inFolder(folder.path, ['machineconfig', 'validate', 'bad.yaml', '--talos-version', '1.13']);
  expect(bad).toMatchObject({ stdout: '', exitCode: undefined });
  expect(bad.failures.slice(0, 2)).toEqual(['talos-config/unknown-key', 'talos-config/unknown-key']);
  const answer = async (file: string) => {
    const { exitCode, stdout } = await inFolder(folder.path, ['machineconfig', 'validate', file, '--talos-version', '1.13'], {
      json: true,
    });
    return { exitCode, ...JSON.parse(stdout) };
  };
  expect(await answer('out/worker.yaml')).toEqual({
    exitCode: 0,
    schema: 1,
    file: 'out/worker.yaml',
    talosVersion: '1.13',
    valid: true,
    failures: [],
    warnings: [],
  });
  expect(await answer('bad.yaml')).toMatchObject({
    exitCode: 2,
    valid: false,
    failures: expect.arrayContaining([
      expect.objectContaining({ code: 'talos-config/unknown-key', facts: expect.objectContaining({ key: 'typ' }) }),
    ]),
  });
});

test('the id of a schematic is the factory’s, and the images of the nodes name it', async () => {
  using folder = temporaryFolder({
    's.yaml': 'customization:\n  systemExtensions:\n    officialExtensions: [siderolabs/qemu-guest-agent]\n',
  });
  expect((await inFolder(folder.path, ['schematic', 'id', 's.yaml'])).stdout).toBe(
    'ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515\n',
  );
  const imageUrl = (...words: string[]) => inFolder(projectRoot, ['talos:image-url', ...words]);
  const version = /v1\.\d+\.\d+/.exec((await imageUrl('installer', '--node=cp-1')).stdout)?.[0];
  const id = '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba';
  expect((await imageUrl('installer', '--node=cp-1')).stdout).toBe(`factory.talos.dev/metal-installer/${id}:${version}\n`);
  expect((await imageUrl('pxe', '--node=cp-1', '--arch=arm64')).stdout).toBe(
    `https://pxe.factory.talos.dev/pxe/${id}/${version}/metal-arm64\n`,
  );
  expect((await imageUrl('iso')).stdout.trim().split('\n').length).toBeGreaterThan(1);
  expect((await imageUrl('iso', '--node=nobody')).failures).toEqual(['usage/bad-value']);
  expect((await imageUrl('floppy')).failures).toEqual(['usage/bad-value']);
  expect((await inFolder(folder.path, ['talos:image-url', 'iso'])).failures).toEqual(['config/no-repository']);
});

test('a secrets bundle that is there is never overwritten', async () => {
  using folder = temporaryFolder({ 'secrets.yaml': secrets });
  expect((await inFolder(folder.path, ['talos:gensecret', '--out', 'secrets.yaml'])).failures).toEqual(['usage/file-exists']);
  expect(readFileSync(join(folder.path, 'secrets.yaml'), 'utf8')).toBe(secrets);
});

test('a lost secrets bundle is taken from the config of a control plane', async () => {
  using folder = temporaryFolder({ 'secrets.yaml': secrets });
  await gen(folder.path, 'v1.13.9');
  const made = await inFolder(folder.path, ['talos:gensecret', '--from-controlplane-config', 'out/controlplane.yaml']);
  expect(made).toMatchObject({ exitCode: 0, failures: [] });
  const values = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .sort();
  expect(values(made.stdout)).toEqual(values(secrets));
});

test('images are those that a talconfig describes: its factory, platform, templates, and a schematic for the first boot', async () => {
  const node = (name: string, rest: string) =>
    `  - hostname: ${name}\n    ipAddress: 10.0.0.${name.at(-1)}\n    controlPlane: ${name === 'n1'}\n    installDisk: /dev/sda\n${rest}`;
  using folder = temporaryFolder({
    'talos/talconfig.yaml': `clusterName: home\ntalosVersion: v1.13.2\nkubernetesVersion: v1.35.1\nendpoint: https://10.0.0.1:6443\nimageFactory:\n  registryURL: factory.home\n  protocol: http\n  installerURLTmpl: '{{ .RegistryURL | upper }}/{{ .Mode }}/{{ .ID | trunc 6 }}:{{ .Version }}'\nnodes:\n${node(
      'n1',
      '    filenameTmpl: "{{ .Hostname | upper }}-{{ .Role }}.yaml"\n    schematic:\n      customization: {systemExtensions: {officialExtensions: [siderolabs/qemu-guest-agent]}}\n    imageSchematic:\n      customization: {extraKernelArgs: [noapic, nolapic]}\n',
    )}${node('n2', '    talosImageURL: ghcr.io/me/installer\n    machineSpec: {mode: nocloud, arch: arm64, secureboot: true, useUKI: true}\n')}`,
    'talos/talsecret.yaml': secrets,
  });
  const imageUrl = async (...words: string[]) => (await inFolder(folder.path, ['talos:image-url', ...words])).stdout;
  const empty = '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba';
  const boot = '9cba8e32753f91a16c1837ab8abf356af021706ef284aef07380780177d9a06c';
  expect(await imageUrl('installer')).toBe('n1\tFACTORY.HOME/metal/ce4c98:v1.13.2\nn2\tghcr.io/me/installer:v1.13.2\n');
  expect(await imageUrl('iso')).toBe(
    `n1\thttp://factory.home/image/${boot}/v1.13.2/metal-amd64.iso\nn2\thttp://factory.home/image/${empty}/v1.13.2/nocloud-arm64-secureboot-uki.efi\n`,
  );
  expect(await imageUrl('disk-image', '--node', 'n2', '--arch', 'amd64')).toBe(
    `http://factory.home/image/${empty}/v1.13.2/nocloud-amd64-secureboot.raw.zst\n`,
  );
});

test('a schematic is put together from names, and names that the factory does not have are refused', async () => {
  using folder = temporaryFolder({});
  const built = await inFolder(folder.path, [
    'schematic',
    'build',
    '--extension',
    'qemu-guest-agent',
    '--talos-version=1.13',
    '--out',
    's.yaml',
  ]);
  expect(built).toMatchObject({ exitCode: 0, stdout: '', failures: [] });
  expect((await inFolder(folder.path, ['schematic', 'id', 's.yaml'])).stdout).toBe(
    'ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515\n',
  );
  expect(await inFolder(folder.path, ['schematic', 'build', '--secure-boot'])).toMatchObject({
    stdout: 'customization:\n    secureboot:\n        includeWellKnownCertificates: true\n',
    notes: ['id: fa8e05f142a851d3ee568eb0a8e5841eaf6b0ebc8df9a63df16ac5ed2c04f3e6'],
  });
  expect((await inFolder(folder.path, ['schematic', 'build', '--extension', 'nothing'])).failures).toEqual(['factory/unknown-extension']);
  expect(failureClasses['factory/unknown-extension']).toBe('invalid');
});
