import { type Failure, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { installerImage } from '../../talos/machine-config.ts';
import { talosDefaults } from '../../upstream/tables.ts';
import { lifecycleFailure } from './failures.ts';
import type { ImageTarget, NodeFacts, WantedImage } from './lifecycle.ts';

/** What the name of an installer image says. */
export interface InstallerName {
  readonly registry: string;
  /** Absent: the name of before 1.10, which is for any platform. */
  readonly platform?: string;
  readonly secureBoot: boolean;
  /** Absent: an installer that no factory made for somebody, without any extension. */
  readonly schematicId?: string;
  readonly version?: string;
}

/**
 * `factory.talos.dev/metal-installer-secureboot/<id>:v1.14.1`, `factory.talos.dev/installer/<id>:…`, `ghcr.io/siderolabs/installer:…`;
 * a digest behind the tag is left out. Undefined: not the name of an installer as far as one can tell.
 *
 * Source: image-factory, names of installer images
 */
export function readInstallerName(image: string): InstallerName | undefined {
  const [reference = ''] = image.split('@');
  const match =
    /^(?<registry>.+?)\/(?:(?<platform>[a-z0-9-]+?)-)?installer(?<secure>-secureboot)?(?:\/(?<id>[0-9a-f]{64}))?(?::(?<tag>[\w.+-]+))?$/.exec(
      reference,
    );
  const groups = match?.groups;
  if (!groups) return undefined;
  return {
    registry: groups['registry'] ?? '',
    secureBoot: groups['secure'] !== undefined,
    ...(groups['platform'] === undefined ? {} : { platform: groups['platform'] }),
    ...(groups['id'] === undefined ? {} : { schematicId: groups['id'] }),
    ...(groups['tag'] === undefined ? {} : { version: groups['tag'] }),
  };
}

export interface ImageQuestionOfNode {
  readonly node: NodeModel;
  readonly facts: NodeFacts;
  readonly wanted: WantedImage;
  /** What the repository's own config of this node installs; absent when it has none. */
  readonly inventoryImage?: string;
}

export interface ImageDisagreement {
  readonly fact: 'schematic' | 'extensions' | 'secure boot' | 'platform' | 'architecture' | 'version' | 'image';
  readonly one: string;
  readonly oneFrom: string;
  readonly other: string;
  readonly otherFrom: string;
  /** A machine that installs it would not boot; no reason makes it right. */
  readonly isFatal: boolean;
}

/**
 * The image to install, and everything that speaks against it.
 *
 * Shape: pure. Begins with `--image`, else with what the repository's config installs, else with the schematic of the inventory or
 * of the machine; then holds it against every fact of the running machine.
 */
export function deriveImage({ node, facts, wanted, inventoryImage }: ImageQuestionOfNode): {
  readonly target: ImageTarget;
  readonly disagreements: readonly ImageDisagreement[];
} {
  const version = wanted.version ?? (wanted.image && readInstallerName(wanted.image)?.version) ?? node.talosVersion;
  const platform = facts.platform ?? 'metal';
  const own = inventoryImage === undefined ? undefined : readInstallerName(inventoryImage);
  const image = wanted.image ?? fromInventory(inventoryImage, own, version) ?? fromSchematic({ node, facts, version, platform });
  const from = wanted.image === undefined ? 'the inventory' : '--image';
  const name = readInstallerName(image);
  const found: ImageDisagreement[] = [];
  const differs = (fact: ImageDisagreement['fact'], one: string, other: string, otherFrom: string, isFatal = false) =>
    void found.push({ fact, one, oneFrom: from, other, otherFrom, isFatal });
  const machine = `the running ${node.name}`;

  if (name === undefined) differs('image', image, 'an installer image', 'Talos', true);
  else {
    if (name.version !== version)
      differs('version', name.version ?? 'no tag', version, wanted.version === undefined ? 'the inventory' : 'the wanted version');
    if (isVanilla(name.schematicId) && facts.extensions.length > 0)
      differs('extensions', 'an installer without extensions', facts.extensions.join(', '), machine);
    else if (!isSameSchematic(name.schematicId, facts.schematicId))
      differs('schematic', name.schematicId ?? 'none', facts.schematicId ?? 'none', machine);
    // What the config installs, patches included, is the inventory's last word; without one it is the schematic that it names.
    const declared = own === undefined ? node.schematicId : own.schematicId;
    if (declared !== undefined && !isSameSchematic(name.schematicId, declared))
      differs('schematic', name.schematicId ?? 'none', declared, "the inventory's schematic");
    if (name.secureBoot !== facts.secureBoot) differs('secure boot', onOff(name.secureBoot), onOff(facts.secureBoot), machine, true);
    if (name.platform !== undefined && facts.platform !== undefined && name.platform !== facts.platform)
      differs('platform', name.platform, facts.platform, machine, true);
  }
  const against = (fact: ImageDisagreement['fact'], one: string | undefined, other: string | undefined) => {
    if (one !== undefined && other !== undefined && one !== other && !found.some((known) => known.fact === fact))
      found.push({ fact, one, oneFrom: 'the inventory', other, otherFrom: machine, isFatal: true });
  };
  against('secure boot', onOff(node.secureBoot), onOff(facts.secureBoot));
  against('architecture', node.arch, facts.arch);
  against('platform', node.platform, facts.platform);
  return {
    target: { image, version, ...(name?.schematicId === undefined ? {} : { schematicId: name.schematicId }) },
    disagreements: found,
  };
}

/**
 * The image, unless something speaks against it that nobody gave a reason for.
 *
 * Failure: `gate/image`. What would keep the machine from booting is refused with a reason too.
 */
export function imageFor(
  question: ImageQuestionOfNode,
  reason: string | undefined,
): { readonly target: ImageTarget; readonly overridden?: Failure } {
  const { target, disagreements } = deriveImage(question);
  if (disagreements.length === 0) return { target };
  const isFatal = disagreements.some((one) => one.isFatal);
  const failure = lifecycleFailure('gate/image', {
    node: question.node.name,
    image: target.image,
    isFatal,
    disagreements: disagreements.map(({ fact, one, oneFrom, other, otherFrom }) => ({ fact, one, oneFrom, other, otherFrom })),
  });
  if (reason === undefined || isFatal) throw new TkError(failure);
  return { target, overridden: failure };
}

/** The same image at another version: registries, mirrors and names of one's own stay. */
function fromInventory(image: string | undefined, name: InstallerName | undefined, version: string): string | undefined {
  if (image === undefined || name === undefined) return image;
  const [reference = image] = image.split('@');
  return `${name.version === undefined ? reference : reference.slice(0, -name.version.length - 1)}:${version}`;
}

const fromSchematic = ({
  node,
  facts,
  version,
  platform,
}: {
  node: NodeModel;
  facts: NodeFacts;
  version: string;
  platform: string;
}): string =>
  installerImage({
    schematicId: node.schematicId ?? facts.schematicId ?? talosDefaults.emptySchematic,
    talosVersion: version,
    platform,
    secureBoot: node.secureBoot,
  });

const isVanilla = (schematicId: string | undefined): boolean => schematicId === undefined || schematicId === talosDefaults.emptySchematic;
/** Without a schematic and with the empty one a machine runs the same: neither has an extension. */
export const isSameSchematic = (a: string | undefined, b: string | undefined): boolean => a === b || (isVanilla(a) && isVanilla(b));
const onOff = (on: boolean): string => (on ? 'on' : 'off');
