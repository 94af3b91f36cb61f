import { join } from 'node:path';
import { expect, test } from 'vitest';
import { simulate } from 'talos-tk/testing';

const cluster = [
  'node_cidr: 10.20.0.0/24',
  'cluster_api_addr: 10.20.0.100',
  'cluster_gateway_addr: 10.20.0.101',
  'cluster_dns_gateway_addr: 10.20.0.102',
  'repository_name: me/home-ops',
  'sops_age_recipients: [age156y603qa43frkk3u3v9r987xns3avgjsrhgf8wr0gwvukprjre6sft0spg]',
  '',
].join('\n');
// The reference cluster has a node of this name, with a patch of its own.
const nodes = [
  'nodes:',
  '  - { name: cp-1, address: 10.20.0.10, controller: true, disk: /dev/sda, mac_addr: "02:00:00:00:20:10" }',
  '  - { name: worker-3, address: 10.20.0.23, controller: false, disk: /dev/sda, mac_addr: "02:00:00:00:20:23" }',
  '',
].join('\n');
const inputs = { 'cluster.yaml': cluster, 'nodes.yaml': nodes };
const manifest = 'templates/.rendered';

test('two YAML files are enough: a repository without templates is rendered from those that come with tk, the same ones each time', async () => {
  await using rig = await simulate({ from: 'maintenance', files: inputs });
  const text = (path: string) => rig.files.readText(join(rig.root, path));
  expect(await rig.tk('configure')).toMatchObject({ exitCode: 0, text: '' });
  const listed = await text(manifest);
  expect(listed).toContain('\n# From the templates that come with tk.');
  expect(listed).toMatch(/^kubernetes\/apps\/kube-system\/cilium\/app\/helmrelease\.yaml$/m);
  expect(listed).toMatch(/^talos\/talconfig\.yaml$/m);
  expect(listed).not.toMatch(/patches\/worker-3/);
  expect(await rig.tk('configure')).toMatchObject({ exitCode: 0, counts: { steps: { changes: 0 } } });

  // From here on the templates are the repository's own.
  await rig.files.write(join(rig.root, 'templates/config/talos/talconfig.yaml.j2'), (await text('talos/talconfig.yaml')) ?? '');
  expect(await rig.tk('configure')).toMatchObject({ exitCode: 0 });
  expect(await text(manifest)).toMatch(/^#.*\ntalos\/talconfig\.yaml\n$/);
  expect(await text('kubernetes/apps/kube-system/cilium/app/helmrelease.yaml')).toBeUndefined();

  // Whoever has lost them gets no others instead.
  await rig.files.removeTree(join(rig.root, 'templates/config'));
  expect(await rig.tk('configure')).toMatchObject({ exitCode: 0, counts: { steps: { changes: 0 } } });
  await rig.files.remove(join(rig.root, 'talos/talconfig.yaml'));
  const lost = await rig.tk('configure');
  expect(lost.exitCode).toBe(2);
  expect(lost.text).toBe(
    [
      'error[cluster/no-templates]: nothing makes `talos/talconfig.yaml` of `cluster.yaml`',
      ' ——▶ cluster.yaml:1:1',
      '  │',
      '1 │ node_cidr: 10.20.0.0/24',
      '  │ ^',
      'because: the repository has neither a makejinja.toml nor templates/config',
      'help: restore its templates, or delete `templates/.rendered` to go on with those that come with tk',
    ].join('\n'),
  );
});
