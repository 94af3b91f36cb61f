import { buildSchematic, parseSchematic, renderSchematic, schematicId, type SchematicWish } from '../../talos/machine-config.ts';
import { newestTalos } from '../../upstream/tables.ts';
import type { CommandContext } from './command.ts';
import { deliver, isOn, readNamed, requiredText, textOf } from './inputs.ts';

/** Failure: `talos-config/schematic-*`. */
export async function id(context: CommandContext): Promise<number> {
  const file = await readNamed(context, requiredText(context.values, 'file'), 'FILE');
  context.print(`${schematicId(parseSchematic(file))}\n`);
  return 0;
}

/** The schematic on standard output or in a file, its id beside it. Failure: `factory/unknown-*`, `talos-config/schematic-*`. */
export async function build(context: CommandContext): Promise<number> {
  const { values } = context;
  const schematic = buildSchematic({
    talosVersion: textOf(values, 'talos-version') ?? newestTalos,
    ...list(context, 'extension', 'extensions'),
    ...list(context, 'kernel-arg', 'kernelArgs'),
    ...list(context, 'overlay-option', 'overlayOptions'),
    ...list(context, 'meta', 'meta'),
    ...text(context, 'overlay'),
    ...text(context, 'bootloader'),
    secureBoot: isOn(values, 'secure-boot'),
  });
  const written = renderSchematic(schematic);
  if (context.json) context.print(`${JSON.stringify({ id: schematicId(schematic), schematic: written })}\n`);
  else {
    await deliver(context, written);
    context.note(`id: ${schematicId(schematic)}`);
  }
  return 0;
}

/** Tells the factory once; the second time nothing is sent. Failure: `factory/*`. */
export async function register(context: CommandContext): Promise<number> {
  const file = await readNamed(context, requiredText(context.values, 'file'), 'FILE');
  const host = textOf(context.values, 'factory');
  const schematic = parseSchematic(file);
  const { id: known, isNew } = await (await import('./factory.ts')).withFactory(context, host === undefined ? {} : { host }, (factory) =>
    factory.register(schematic, context.signal),
  );
  context.print(`${known}\n`);
  context.note(isNew ? 'registered' : 'registered before; nothing was sent');
  return 0;
}

function list<K extends keyof SchematicWish>({ values }: CommandContext, word: string, key: K): { readonly [P in K]?: readonly string[] } {
  const given = values.get(word);
  return (given === undefined ? {} : { [key]: given }) as { readonly [P in K]?: readonly string[] };
}

function text<K extends 'overlay' | 'bootloader'>({ values }: CommandContext, word: K): { readonly [P in K]?: string } {
  const given = textOf(values, word);
  return (given === undefined ? {} : { [word]: given }) as { readonly [P in K]?: string };
}
