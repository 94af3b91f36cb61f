import { join } from 'node:path';
import { findRepository } from '../../config/index.ts';
import {
  buildSchematic,
  createImageFactory,
  parseSchematic,
  renderSchematic,
  type Schematic,
  schematicId,
  type SchematicWish,
} from '../../talos/machine-config.ts';
import { newestTalos } from '../../upstream/tables.ts';
import type { CommandContext } from './index.ts';
import { deliver, isOn, placeOf, readNamed, requiredText, rootOrFolder, textOf } from './inputs.ts';

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
  const { id: known, isNew } = await registered(context, parseSchematic(file));
  context.print(`${known}\n`);
  context.note(isNew ? 'registered' : 'registered before; nothing was sent');
  return 0;
}

async function registered(context: CommandContext, schematic: Schematic) {
  const { values, signal } = context;
  const host = textOf(values, 'factory');
  const address = host === undefined ? {} : { host };
  if (!context.isSandbox) {
    const cacheDirectory = join(await rootOrFolder(context), '.tk/cache');
    return createImageFactory({ ...context.world, cacheDirectory }, address).register(schematic, signal);
  }
  // Nothing real is dialled: the sandbox has a factory of its own.
  const repository = await findRepository(context.world.files, context.directory, placeOf(context));
  const { openSandboxWorld } = await import('../sandbox/open.ts');
  const sandbox = await openSandboxWorld({ world: context.world, repository });
  try {
    const cacheDirectory = join(repository.root, '.tk/sim/cache');
    return await createImageFactory({ ...sandbox.world, cacheDirectory }, address).register(schematic, signal);
  } finally {
    await sandbox.close();
  }
}

function list<K extends keyof SchematicWish>({ values }: CommandContext, word: string, key: K): { readonly [P in K]?: readonly string[] } {
  const given = values.get(word);
  return (given === undefined ? {} : { [key]: given }) as { readonly [P in K]?: readonly string[] };
}

function text<K extends 'overlay' | 'bootloader'>({ values }: CommandContext, word: K): { readonly [P in K]?: string } {
  const given = textOf(values, word);
  return (given === undefined ? {} : { [word]: given }) as { readonly [P in K]?: string };
}
