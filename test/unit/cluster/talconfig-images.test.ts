import { expect, test } from 'vitest';
import { generatorInput } from '../../../lib/cluster/generator-input.ts';
import { fillTemplate, withTemplates } from '../../../lib/cluster/talconfig-images.ts';
import { clusterModelOf, loadTalconfig } from '../../../lib/config/index.ts';
import { schematicId, schematicOf } from '../../../lib/talos/machine-config.ts';

test('fields and simple conditions need no engine, anything more is left to it', () => {
  const data = { Hostname: 'cp-1', Secureboot: false };
  const fill = (template: string) => fillTemplate(template, data, { renderTemplate: () => 'engine' });
  expect(fill('{{ .Hostname }}{{- if .Secureboot }}-sb{{ else }}-plain{{ end }}.yaml')).toBe('cp-1-plain.yaml');
  for (const template of [
    '{{ .Hostname | upper }}',
    '{{ if and .Secureboot .Hostname }}x{{ end }}',
    '{{ if .Secureboot }}{{ .Hostname }}{{ end }}',
    '{{ .Missing }}',
  ])
    expect(fill(template), template).toBe('engine');
  expect(fillTemplate('{{ .Hostname | upper }}', data, {})).toBe('{{ .Hostname | upper }}');
});

test('the engine is asked once for each template and node, and not at all where nobody needs it', async () => {
  const text = (template: string) => `clusterName: home
talosVersion: v1.13.2
kubernetesVersion: v1.35.1
endpoint: https://10.0.0.1:6443
controlPlane: { filenameTmpl: "${template}" }
nodes:
  - { hostname: a, ipAddress: 10.0.0.1, controlPlane: true, installDisk: /dev/sda }
  - { hostname: b, ipAddress: 10.0.0.2, controlPlane: true, installDisk: /dev/sda }
`;
  const names = async (template: string) => {
    const asked: unknown[] = [];
    const files = { readText: async (path: string) => (path === '/r/talconfig.yaml' ? text(template) : undefined) };
    const talconfig = await loadTalconfig(files, { root: '/r', path: '/r/talconfig.yaml', decrypt: async (file) => file.text });
    const { nodes } = await withTemplates(
      (templates) => generatorInput(talconfig, { hardening: true, ...templates }),
      async (_template, data) => {
        asked.push(data);
        return `rendered-${asked.length}.yaml`;
      },
    );
    return { asked, names: nodes.map((node) => node.fileName) };
  };
  expect(await names('{{ .Hostname | upper }}.yaml')).toEqual({
    asked: [
      { ClusterName: 'home', Hostname: 'a', IPAddress: '10.0.0.1', Role: 'controlplane' },
      { ClusterName: 'home', Hostname: 'b', IPAddress: '10.0.0.2', Role: 'controlplane' },
    ],
    names: ['rendered-1.yaml', 'rendered-2.yaml'],
  });
  expect(await names('{{ .Hostname }}.yaml')).toEqual({ asked: [], names: ['a.yaml', 'b.yaml'] });
});

test('an image that is named wins over the schematic, for the generator and for everything that asks what a node runs', async () => {
  const image = 'factory.talos.dev/metal-installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba';
  const text = `clusterName: home
talosVersion: v1.13.2
kubernetesVersion: v1.35.1
endpoint: https://10.0.0.1:6443
controlPlane:
  schematic: { customization: { extraKernelArgs: [a] } }
nodes:
  - { hostname: both, ipAddress: 10.0.0.1, controlPlane: true, installDisk: /dev/sda, talosImageURL: ${image} }
  - { hostname: own, ipAddress: 10.0.0.2, controlPlane: true, installDisk: /dev/sda, talosImageURL: registry.home/installer }
  - { hostname: schematic, ipAddress: 10.0.0.3, controlPlane: true, installDisk: /dev/sda }
`;
  const files = { readText: async (path: string) => (path === '/r/talconfig.yaml' ? text : undefined) };
  const talconfig = await loadTalconfig(files, { root: '/r', path: '/r/talconfig.yaml', decrypt: async (file) => file.text });
  const model = clusterModelOf(talconfig, {} as never, (schematic) => schematicId(schematicOf(schematic)));
  const [both, own, schematic] = generatorInput(talconfig, { hardening: true }).nodes.map((node) => node.installerImage);
  const id = model.nodes[2]?.schematicId ?? '';
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect([both, own, schematic]).toEqual([
    `${image}:v1.13.2`,
    'registry.home/installer:v1.13.2',
    `factory.talos.dev/metal-installer/${id}:v1.13.2`,
  ]);
  expect(model.nodes.map((node) => node.schematicId)).toEqual([image.slice(-64), undefined, id]);
});
