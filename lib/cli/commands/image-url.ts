import { resolve } from 'node:path';
import { TkError } from '../../base/index.ts';
import { findRepository, type NodeModel } from '../../config/index.ts';
import { bootImageUrl, installerImage } from '../../talos/machine-config.ts';
import { talosDefaults } from '../../upstream/tables.ts';
import { cliFailure } from '../failures.ts';
import { loadModel } from '../load-model.ts';
import type { CommandContext } from './index.ts';
import { choiceOf, placeOf, requiredText, textOf } from './inputs.ts';

const media = ['installer', 'iso', 'disk-image', 'pxe'] as const;
const architectures = ['amd64', 'arm64'] as const;

/** One line for a node that was named, else `name<tab>address of the image` for each. */
export async function imageUrl(context: CommandContext): Promise<number> {
  const { values, world, directory } = context;
  const medium = choiceOf(requiredText(values, 'medium'), 'MEDIUM', media);
  const arch = choiceOf(textOf(values, 'arch') ?? 'amd64', '--arch', architectures);
  const repository = await findRepository(world.files, resolve(directory), placeOf(context));
  const { nodes } = await loadModel(world, repository);
  const urlOf = (node: NodeModel): string => {
    const question = {
      schematicId: node.schematicId ?? talosDefaults.emptySchematic,
      talosVersion: node.talosVersion,
      secureBoot: node.secureBoot,
      arch,
    };
    return medium === 'installer' ? installerImage(question) : bootImageUrl(medium, question);
  };
  const wanted = textOf(values, 'node');
  const named = nodes.filter((node) => wanted === undefined || node.name === wanted || node.addresses.includes(wanted));
  if (wanted !== undefined && named.length === 0)
    throw new TkError(cliFailure('usage/bad-value', { flag: '--node', value: wanted, expected: nodes.map(({ name }) => name).join(', ') }));
  if (context.json) context.print(`${JSON.stringify(named.map((node) => ({ node: node.name, url: urlOf(node) })))}\n`);
  else for (const node of named) context.print(wanted === undefined ? `${node.name}\t${urlOf(node)}\n` : `${urlOf(node)}\n`);
  return 0;
}
