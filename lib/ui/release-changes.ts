import type { Json } from '../base/index.ts';
import type { FieldChange, ObjectChange, ReleaseChange } from '../kube/index.ts';
import { count } from '../base/index.ts';

/** One block for each release; equal ones are one line. */
export function renderReleaseChanges(changes: readonly ReleaseChange[]): string {
  return changes.map((change) => `${headOf(change)}\n${change.objects.map(blockOf).join('')}`).join('');
}

function headOf({ release, namespace, version, revision, objects }: ReleaseChange): string {
  const name = `${namespace}/${release} ${version}`;
  if (objects.length === 0) return `${name}: equal to revision ${revision ?? 0}`;
  const what = `${count(objects.length, 'object')} would change`;
  return revision === undefined ? `${name}: not installed, ${what}` : `${name}: revision ${revision}, ${what}`;
}

const marks: Readonly<Record<ObjectChange['change'], string>> = { create: '+', update: '~', delete: '-' };

function blockOf(change: ObjectChange): string {
  const { kind, namespace, name } = change.ref;
  const line = `  ${marks[change.change]} ${kind.toLowerCase()} ${namespace === undefined ? '' : `${namespace}/`}${name}\n`;
  return change.change === 'update' ? line + change.fields.map((field) => `      ${lineOf(field)}\n`).join('') : line;
}

function lineOf({ path, before, after }: FieldChange): string {
  const name = path === '' ? '' : `${path}: `;
  if (before === undefined) return `${name}${textOf(after)}`;
  return after === undefined ? `${name}${textOf(before)} goes away` : `${name}${textOf(before)} → ${textOf(after)}`;
}

/** Long values are cut: `--json` has them whole. */
function textOf(value: Json | undefined): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const [first = ''] = text.split('\n');
  return first.length > 100 || first !== text ? `${first.slice(0, 100)}…` : first;
}
