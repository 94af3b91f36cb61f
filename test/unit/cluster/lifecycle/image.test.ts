import { describe, expect, test } from 'vitest';
import { TkError, type NodeName } from '../../../../lib/base/index.ts';
import type { NodeModel } from '../../../../lib/config/index.ts';
import type { NodeFacts } from '../../../../lib/cluster/index.ts';
import { deriveImage, type ImageQuestionOfNode, imageFor, readInstallerName } from '../../../../lib/cluster/lifecycle/image.ts';

const own = 'ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515';
const other = '613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245';
const empty = '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba';

function question(
  more: {
    readonly node?: Partial<NodeModel>;
    readonly facts?: Partial<NodeFacts>;
    readonly wanted?: ImageQuestionOfNode['wanted'];
    readonly inventoryImage?: string;
  } = {},
): ImageQuestionOfNode {
  const node = {
    name: 'cp-1' as NodeName,
    role: 'controlplane',
    talosVersion: 'v1.14.1',
    schematicId: own,
    secureBoot: false,
    ...more.node,
  } as NodeModel;
  const facts = {
    node,
    talosVersion: 'v1.13.9',
    arch: 'amd64',
    platform: 'metal',
    schematicId: own,
    extensions: ['qemu-guest-agent'],
    secureBoot: false,
    ...more.facts,
  } as NodeFacts;
  return { node, facts, wanted: more.wanted ?? {}, ...(more.inventoryImage === undefined ? {} : { inventoryImage: more.inventoryImage }) };
}

const disagreementsOf = (asked: ImageQuestionOfNode) =>
  deriveImage(asked).disagreements.map(
    ({ fact, one, oneFrom, other: against, otherFrom, isFatal }) =>
      `${fact}: ${one} (${oneFrom}) / ${against} (${otherFrom})${isFatal ? ', fatal' : ''}`,
  );

describe('names of installers', () => {
  test.each([
    [
      `factory.talos.dev/metal-installer/${own}:v1.14.1`,
      { registry: 'factory.talos.dev', platform: 'metal', secureBoot: false, schematicId: own, version: 'v1.14.1' },
    ],
    [
      `factory.talos.dev/installer/${own}:v1.12.1`,
      { registry: 'factory.talos.dev', secureBoot: false, schematicId: own, version: 'v1.12.1' },
    ],
    [
      `factory.talos.dev/nocloud-installer-secureboot/${own}:v1.14.0-rc.1`,
      { registry: 'factory.talos.dev', platform: 'nocloud', secureBoot: true, schematicId: own, version: 'v1.14.0-rc.1' },
    ],
    [
      `registry.example:5000/mirror/installer-secureboot/${own}`,
      { registry: 'registry.example:5000/mirror', secureBoot: true, schematicId: own },
    ],
    ['ghcr.io/siderolabs/installer:v1.13.9', { registry: 'ghcr.io/siderolabs', secureBoot: false, version: 'v1.13.9' }],
    [
      `factory.talos.dev/metal-installer/${own}:v1.14.1@sha256:${other}`,
      { registry: 'factory.talos.dev', platform: 'metal', secureBoot: false, schematicId: own, version: 'v1.14.1' },
    ],
    ['ghcr.io/siderolabs/talos:v1.13.9', undefined],
  ])('%s', (image, name) => expect(readInstallerName(image)).toEqual(name));
});

test('from the schematic of the inventory, at its version', () => {
  expect(deriveImage(question())).toEqual({
    target: { image: `factory.talos.dev/metal-installer/${own}:v1.14.1`, version: 'v1.14.1', schematicId: own },
    disagreements: [],
  });
});

test('registries and names of one’s own stay; only the version changes', () => {
  const asked = question({ inventoryImage: `registry.example/t/installer/${own}:v1.13.9`, wanted: { version: 'v1.14.1' } });
  expect(deriveImage(asked)).toEqual({
    target: { image: `registry.example/t/installer/${own}:v1.14.1`, version: 'v1.14.1', schematicId: own },
    disagreements: [],
  });
});

test('what the config installs, patches included, goes before the schematic that the inventory names', () => {
  const asked = question({ inventoryImage: `registry.example/t/metal-installer/${other}:v1.13.9`, facts: { schematicId: other } });
  expect(deriveImage(asked)).toEqual({
    target: { image: `registry.example/t/metal-installer/${other}:v1.14.1`, version: 'v1.14.1', schematicId: other },
    disagreements: [],
  });
  expect(disagreementsOf({ ...asked, wanted: { image: `factory.talos.dev/metal-installer/${own}:v1.14.1` } })).toEqual([
    `schematic: ${own} (--image) / ${other} (the running cp-1)`,
    `schematic: ${own} (--image) / ${other} (the inventory's schematic)`,
  ]);
});

describe('any disagreement names both', () => {
  test('another schematic than the machine runs', () => {
    expect(disagreementsOf(question({ facts: { schematicId: other } }))).toEqual([
      `schematic: ${own} (the inventory) / ${other} (the running cp-1)`,
    ]);
  });
  test('the vanilla installer for a machine with extensions', () => {
    const asked = question({
      node: { schematicId: undefined } as never,
      inventoryImage: 'ghcr.io/siderolabs/installer:v1.13.9',
      facts: { schematicId: own },
    });
    expect(disagreementsOf(asked)).toEqual([
      'extensions: an installer without extensions (the inventory) / qemu-guest-agent (the running cp-1)',
    ]);
  });
  test('the empty schematic of the factory is vanilla too', () => {
    const asked = question({ wanted: { image: `factory.talos.dev/metal-installer/${empty}:v1.14.1` } });
    expect(disagreementsOf(asked)).toEqual([
      'extensions: an installer without extensions (--image) / qemu-guest-agent (the running cp-1)',
      `schematic: ${empty} (--image) / ${own} (the inventory's schematic)`,
    ]);
  });
  test('a vanilla machine and a vanilla installer agree, under either name', () => {
    const asked = question({
      node: { schematicId: empty },
      facts: { schematicId: undefined, extensions: [] } as never,
      wanted: { image: 'ghcr.io/siderolabs/installer:v1.14.1' },
    });
    expect(disagreementsOf(asked)).toEqual([]);
  });
  test('secure boot', () => {
    expect(disagreementsOf(question({ facts: { secureBoot: true } }))).toEqual([
      'secure boot: off (the inventory) / on (the running cp-1), fatal',
    ]);
    expect(disagreementsOf(question({ node: { secureBoot: true } }))).toEqual([
      'secure boot: on (the inventory) / off (the running cp-1), fatal',
    ]);
  });
  test('platform and architecture', () => {
    const asked = question({
      node: { platform: 'nocloud', arch: 'arm64' },
      inventoryImage: `factory.talos.dev/nocloud-installer/${own}:v1.14.1`,
    });
    expect(disagreementsOf(asked)).toEqual([
      'platform: nocloud (the inventory) / metal (the running cp-1), fatal',
      'architecture: arm64 (the inventory) / amd64 (the running cp-1), fatal',
    ]);
  });
  test('version: the tag of --image and the wanted one', () => {
    const asked = question({ wanted: { image: `factory.talos.dev/metal-installer/${own}:v1.13.9`, version: 'v1.14.1' } });
    expect(disagreementsOf(asked)).toEqual(['version: v1.13.9 (--image) / v1.14.1 (the wanted version)']);
  });
  test('something that is no installer', () => {
    expect(disagreementsOf(question({ wanted: { image: 'ghcr.io/siderolabs/talos:v1.14.1' } }))).toEqual([
      'image: ghcr.io/siderolabs/talos:v1.14.1 (--image) / an installer image (Talos), fatal',
    ]);
  });
});

describe('a reason', () => {
  test('lets another schematic in, and tells what it let in', () => {
    const { target, overridden } = imageFor(question({ facts: { schematicId: other } }), 'iscsi-tools is not needed any more');
    expect(target.schematicId).toBe(own);
    expect(overridden?.code).toBe('gate/image');
  });
  test('does not make a machine boot', () => {
    expect(() => imageFor(question({ facts: { secureBoot: true } }), 'I want it so')).toThrow(TkError);
  });
});
