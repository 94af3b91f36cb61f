import { placeOf, type SourceFile, TkError } from '../../base/index.ts';
import { talosConfigFailure } from './failures.ts';
import type { GenerateOptions } from './generate-request.ts';

/** What Go's templates print for a key that a map does not have; upstream's structs make it an error. */
const missingValue = '<no value>';

/** `.MachineConfig.MachineType` of every action, without those of loops and variables. */
function fieldsIn(text: string): string[] {
  const actions = text.match(/\{\{.*?\}\}/gs) ?? [];
  return [...new Set(actions.flatMap((action) => action.match(/(?<=[\s({|])\.[A-Z]\w*(?:\.[A-Z]\w*)*/g) ?? []))];
}

function valueOfField(data: unknown, path: readonly string[]): unknown {
  let node = data;
  for (const part of path) node = typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[part] : undefined;
  return node;
}

/**
 * Renders a Go template over the fields of a configuration.
 *
 * Failure: `talos-config/template-engine-missing`, `talos-config/template-field-missing`; whatever the engine brings.
 */
export async function renderGoTemplate(text: string, data: unknown, file: SourceFile, options: GenerateOptions): Promise<string> {
  if (!options.renderTemplate) throw new TkError(talosConfigFailure('talos-config/template-engine-missing', { path: file.path }));
  const rendered = await options.renderTemplate(text, data, file);
  // What stands in a comment means nothing to anybody.
  if (!rendered.split('\n').some((line) => line.includes(missingValue) && !/^\s*#/.test(line))) return rendered;
  const fields = fieldsIn(text).filter((field) => valueOfField(data, field.split('.').slice(1)) === undefined);
  const start = Math.max(0, text.indexOf(fields[0] ?? '{{'));
  const span = { file, start, end: start + (fields[0]?.length ?? 2) };
  throw new TkError(talosConfigFailure('talos-config/template-field-missing', { fields }, { where: placeOf(span) }));
}
