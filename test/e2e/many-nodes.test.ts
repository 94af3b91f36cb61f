import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot, runTk, temporaryFolder } from '../rig/process.ts';

/** A process has to start, and the machine may be busy with something else. */
const patience = 60_000;

/** Enough for the file to count as one with many nodes. */
const count = 120;
const talconfig = `clusterName: home
talosVersion: v1.13.2
kubernetesVersion: v1.35.1
endpoint: https://10.0.0.1:6443
nodes:
${Array.from(
  { length: count },
  (_, index) => `  - hostname: node-${index}
    ipAddress: 10.0.0.${index + 10}
    controlPlane: ${index < 3}
    installDisk: /dev/sda
    networkInterfaces:
      - deviceSelector: { hardwareAddr: "02:00:00:00:00:${index.toString(16).padStart(2, '0')}" }
        addresses: [10.0.0.${index + 10}/24]
`,
).join('')}`;

test('a hundred nodes and more are written together, each once, and what is lost is written again', { timeout: patience }, async () => {
  using repository = temporaryFolder({
    'talos/talconfig.yaml': talconfig,
    'talos/talsecret.yaml': readFileSync(join(projectRoot, 'test/conformance/machineconfig/bundles/talosctl-1.13.yaml'), 'utf8'),
  });
  const folder = join(repository.path, 'talos/clusterconfig');
  const tk = () => runTk(['talos:generate-config', '--output=plain'], { cwd: repository.path });
  expect(await tk()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`${count} machine configs`) });
  const written = readdirSync(folder).sort();
  expect(written).toEqual([...Array.from({ length: count }, (_, index) => `home-node-${index}.yaml`), '.gitignore', 'talosconfig'].sort());
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');
  expect(text('home-node-119.yaml')).toContain('hostname: node-119\n');
  const before = written.map(text);

  rmSync(join(folder, 'home-node-7.yaml'));
  expect((await tk()).exitCode).toBe(0);
  expect(readdirSync(folder).sort()).toEqual(written);
  expect(written.map(text)).toEqual(before);
});
