import { type Failure, type SourceFile, throwIfAny } from '../../base/index.ts';
import { contractOf, type KeptValue, patchMachineConfig, validateMachineConfig } from '../../talos/machine-config.ts';
import { newestTalos } from '../../upstream/tables.ts';
import type { CommandContext } from './command.ts';
import { deliver, readNamed, requiredText, textOf } from './inputs.ts';

/**
 * `@F` is a file, and so is a word that can be no patch: one without a line break, a space, `[` or `{` in front. Everything else is
 * the patch itself. Failure: `usage/file-missing`. Source: pkg/machinery/config/configpatcher/load.go
 */
export async function patchesOf(context: CommandContext, name: string): Promise<readonly SourceFile[]> {
  const patches: SourceFile[] = [];
  for (const [index, text] of (context.values.get(name) ?? []).entries()) {
    const isFile = text.startsWith('@') || (text !== '' && !/^[[{]|[\n ]/.test(text));
    patches.push(isFile ? await readNamed(context, text.replace(/^@/, ''), `--${name}`) : { path: `--${name} ${index + 1}`, text });
  }
  return patches;
}

/** Failure: `talos-config/*` of the base and of each patch, with their places. */
export async function patch(context: CommandContext): Promise<number> {
  const base = await readNamed(context, requiredText(context.values, 'base'), 'BASE');
  const talosVersion = contractOf(textOf(context.values, 'talos-version') ?? newestTalos);
  const { text, kept } = patchMachineConfig({ base, patches: await patchesOf(context, 'patch'), talosVersion });
  noteKept(context, kept);
  await deliver(context, text, { mode: 0o600 });
  return 0;
}

/** Says nothing on standard output but the answer; every problem is thrown at once, or part of the one document. */
export async function validate(context: CommandContext): Promise<number> {
  const file = await readNamed(context, requiredText(context.values, 'file'), 'FILE');
  const talosVersion = requiredText(context.values, 'talos-version');
  const { failures, warnings } = validateMachineConfig(file, { talosVersion });
  if (context.json) {
    const valid = failures.length === 0;
    context.print(`${JSON.stringify({ schema: 1, file: file.path, talosVersion, valid, failures, warnings })}\n`);
    return valid ? 0 : notValid;
  }
  await noteWarnings(context, warnings);
  throwIfAny(failures);
  context.print(`${file.path} is valid for Talos ${talosVersion}\n`);
  return 0;
}

/** As for every input that is wrong. */
const notValid = 2;

export async function noteWarnings(context: CommandContext, warnings: readonly Failure[]): Promise<void> {
  if (warnings.length === 0) return;
  const { renderFailure } = await import('../../ui/index.ts');
  for (const warning of warnings) context.note(renderFailure(warning, { severity: 'warning' }));
}

/** What Talos' own merge would have lost is told, because a node that patches itself would lose it. */
export function noteKept(context: CommandContext, kept: readonly KeptValue[]): void {
  for (const { document, path } of kept)
    context.note(`warning: \`${path}\` of ${document} was kept; talosctl would have lost it in this merge`);
}
