import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TkError } from '../../../../lib/base/index.ts';
import { bootImageUrl, installerImage, parseSchematic, renderSchematic, schematicId } from '../../../../lib/talos/machine-config.ts';
import { schematicCases } from '../../../oracle/schematic/cases.ts';

type Recorded = { readonly schematic: string; readonly id?: string; readonly text?: string; readonly error?: string };

test(`${schematicCases.length} schematics have the factory's id, or are refused as it refuses them`, () => {
  const recorded: Recorded[] = JSON.parse(
    readFileSync(new URL('../../../conformance/schematic/image-factory-1.4.0.json', import.meta.url), 'utf8'),
  );
  expect(recorded.map(({ schematic }) => schematic)).toEqual(schematicCases);
  for (const { schematic, id, text } of recorded) {
    let ours: { id?: string; text?: string } = {};
    try {
      const read = parseSchematic({ path: 'schematic.yaml', text: schematic });
      ours = { id: schematicId(read), text: renderSchematic(read) };
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
    }
    expect([schematic, ours]).toEqual([schematic, id === undefined ? {} : { id, text }]);
  }
});

test('images are named as the factory names them', () => {
  const question = { schematicId: 'a'.repeat(64), talosVersion: 'v1.14.1' };
  const id = question.schematicId;
  expect([
    installerImage(question),
    installerImage({ ...question, secureBoot: true, platform: 'nocloud', factory: 'factory.example.org' }),
    bootImageUrl('iso', question),
    bootImageUrl('iso', { ...question, secureBoot: true, arch: 'arm64' }),
    bootImageUrl('disk-image', question, 'raw.xz'),
    bootImageUrl('uki', { ...question, secureBoot: true }),
    bootImageUrl('pxe', question),
    bootImageUrl('kernel', question),
    bootImageUrl('initramfs', { ...question, arch: 'arm64' }),
  ]).toEqual([
    `factory.talos.dev/metal-installer/${id}:v1.14.1`,
    `factory.example.org/nocloud-installer-secureboot/${id}:v1.14.1`,
    `https://factory.talos.dev/image/${id}/v1.14.1/metal-amd64.iso`,
    `https://factory.talos.dev/image/${id}/v1.14.1/metal-arm64-secureboot.iso`,
    `https://factory.talos.dev/image/${id}/v1.14.1/metal-amd64.raw.xz`,
    `https://factory.talos.dev/image/${id}/v1.14.1/metal-amd64-secureboot-uki.efi`,
    `https://pxe.factory.talos.dev/pxe/${id}/v1.14.1/metal-amd64`,
    `https://factory.talos.dev/image/${id}/v1.14.1/kernel-amd64`,
    `https://factory.talos.dev/image/${id}/v1.14.1/initramfs-arm64.xz`,
  ]);
});
