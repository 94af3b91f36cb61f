import { TkError } from '../../base/index.ts';
import { bootImageOf, bootSchematic, type ImageMedium, installerImageOf, installerSchematic, withTemplates } from '../../cluster/index.ts';
import { findRepository, type NodeModel, type Talconfig, type TalconfigNode } from '../../config/index.ts';
import { bootImageUrl, installerImage, type Schematic } from '../../talos/machine-config.ts';
import { talosDefaults } from '../../upstream/tables.ts';
import { createHelmEngine } from '../../wasm/index.ts';
import { cliFailure } from '../failures.ts';
import { loadModel, loadRepositoryTalconfig } from '../load-model.ts';
import { helmModule } from '../open-cluster.ts';
import { withFactory } from './factory.ts';
import type { CommandContext } from './command.ts';
import { choiceOf, isOn, placeOf, requiredText, textOf } from './inputs.ts';

const media = ['installer', 'iso', 'disk-image', 'pxe'] as const;
const architectures = ['amd64', 'arm64'] as const;

interface NodeImage {
  readonly node: string;
  readonly url: string;
  /** Of which the image is made; absent where only its id is known. */
  readonly schematic?: Schematic;
}

/**
 * One line for a node that was named, else `name<tab>address of the image` for each. With --register the factory is told of the
 * schematics first, so that the addresses have something behind them.
 *
 * Failure: `usage/bad-value`, `factory/*`, everything that is wrong with the inputs.
 */
export async function imageUrl(context: CommandContext): Promise<number> {
  const { values, world, directory } = context;
  const medium = choiceOf(requiredText(values, 'medium'), 'MEDIUM', media);
  const asked = textOf(values, 'arch');
  const arch = asked === undefined ? undefined : choiceOf(asked, '--arch', architectures);
  const repository = await findRepository(world.files, directory, placeOf(context));
  const { nodes, paths } = await loadModel(world, repository);
  const wanted = textOf(values, 'node');
  const named = nodes.filter((node) => wanted === undefined || node.name === wanted || node.addresses.includes(wanted));
  if (wanted !== undefined && named.length === 0)
    throw new TkError(cliFailure('usage/bad-value', { flag: '--node', value: wanted, expected: nodes.map(({ name }) => name).join(', ') }));
  const talconfig =
    repository.source.kind === 'talconfig.yaml' ? await loadRepositoryTalconfig(world, repository.root, paths.talconfig) : undefined;
  const images = talconfig ? await imagesOf(context, talconfig, named, medium, arch) : named.map((node) => imageOf(node, medium, arch));
  if (isOn(values, 'register')) await register(context, images, talconfig);
  if (context.json) context.print(`${JSON.stringify(images.map(({ node, url }) => ({ node, url })))}\n`);
  else for (const { node, url } of images) context.print(wanted === undefined ? `${node}\t${url}\n` : `${url}\n`);
  return 0;
}

/** By the inventory alone. */
function imageOf(node: NodeModel, medium: ImageMedium, arch: string | undefined): NodeImage {
  const question = {
    schematicId: node.schematicId ?? talosDefaults.emptySchematic,
    talosVersion: node.talosVersion,
    secureBoot: node.secureBoot,
    ...(arch === undefined ? {} : { arch }),
  };
  return { node: node.name, url: medium === 'installer' ? installerImage(question) : bootImageUrl(medium, question) };
}

/** By everything that a talconfig says about images: its factory, platforms, templates, a schematic for the first boot. */
async function imagesOf(
  { world, signal }: CommandContext,
  talconfig: Talconfig,
  named: readonly NodeModel[],
  medium: ImageMedium,
  arch: string | undefined,
): Promise<readonly NodeImage[]> {
  const engine = createHelmEngine({ compute: world.compute, random: world.random, clock: world.clock, moduleBytes: helmModule });
  const nodes = talconfig.nodes.filter((node) => named.some(({ name }) => name === node.hostname));
  const isOwnImage = (node: TalconfigNode) => medium === 'installer' && typeof node.configs['talosImageURL'] === 'string';
  return withTemplates(
    (templates) =>
      nodes.map((node) => ({
        node: node.hostname,
        url:
          medium === 'installer'
            ? installerImageOf(talconfig, node, templates)
            : bootImageOf(talconfig, node, { medium, ...(arch === undefined ? {} : { arch }), ...templates }),
        ...(isOwnImage(node) ? {} : { schematic: medium === 'installer' ? installerSchematic(node) : bootSchematic(node) }),
      })),
    (text, data) => engine.renderGoTemplate({ text, data: data as never, name: talconfig.source.original.path }, signal),
  );
}

async function register(context: CommandContext, images: readonly NodeImage[], talconfig: Talconfig | undefined): Promise<void> {
  const { registryUrl, protocol, schematicEndpoint } = talconfig?.imageFactory ?? {};
  const address = {
    ...(registryUrl === undefined ? {} : { host: registryUrl }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(schematicEndpoint === undefined ? {} : { endpoint: schematicEndpoint }),
  };
  await withFactory(context, address, async (factory) => {
    for (const { schematic } of images) if (schematic) await factory.register(schematic, context.signal);
  });
}
