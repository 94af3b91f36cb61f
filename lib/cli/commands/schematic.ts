import { parseSchematic, schematicId } from '../../talos/machine-config.ts';
import type { CommandContext } from './index.ts';
import { readNamed, requiredText } from './inputs.ts';

/** Failure: `talos-config/schematic-*`. */
export async function id(context: CommandContext): Promise<number> {
  const file = await readNamed(context, requiredText(context.values, 'file'), 'FILE');
  context.print(`${schematicId(parseSchematic(file))}\n`);
  return 0;
}
