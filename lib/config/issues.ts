import type { z } from 'zod';
import { type Failure, placeOf, suggestionFor } from '../base/index.ts';
import { addressOf, type DataDocument, type DataPath, formatPath, networkOf, versionOf } from '../format/index.ts';
import { configFailure, type DataKind, type Expected } from './failures.ts';

type Issue = z.core.$ZodIssue;

/** What is checked: the value at `path` of the document, which is a key of the node `of`, or of the whole file. */
export interface Checked {
  readonly document: DataDocument;
  readonly path: DataPath;
  readonly of?: string;
}

/** What zod found, as failures with their place. */
export function failuresOfIssues(issues: readonly Issue[], checked: Checked): Failure[] {
  return issues.flatMap((issue) => failureOfIssue(issue, checked));
}

function failureOfIssue(issue: Issue, checked: Checked): Failure[] {
  const { document } = checked;
  const path = [...checked.path, ...issue.path.filter((part) => typeof part !== 'symbol')];
  // `nodes[2].address` is the `address` of `cp-3`.
  const key = formatPath(checked.of === undefined ? path : path.slice(2));
  const of = checked.of === undefined ? {} : { of: checked.of };
  const value = valueAt(document.value, path);
  const where = placeOf(document.spanOf(path));
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined || value === null
        ? [configFailure('config/missing-key', { key, ...of }, { where })]
        : [configFailure('config/wrong-type', { key, ...of, expected: typeName(issue.expected), found: kindOf(value) }, { where })];
    case 'unrecognized_keys':
      return issue.keys.map((name) =>
        configFailure('config/unknown-key', { key: name, known: [] }, { where: placeOf(document.spanOf([...path, name], 'key')) }),
      );
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      if (typeof value !== 'string') {
        return [configFailure('config/wrong-type', { key, ...of, expected: 'text', found: kindOf(value) }, { where })];
      }
      const suggestion = suggestionFor(value, allowed);
      return [
        configFailure('config/not-one-of', { key, ...of, value, allowed, ...(suggestion === undefined ? {} : { suggestion }) }, { where }),
      ];
    }
    case 'too_small':
    case 'too_big': {
      if (typeof value === 'number') {
        const bound = issue.code === 'too_small' ? { min: Number(issue.minimum) } : { max: Number(issue.maximum) };
        return [configFailure('config/out-of-range', { key, ...of, value, ...bound }, { where })];
      }
      if (issue.code === 'too_small') return [configFailure('config/missing-key', { key, ...of }, { where })];
      return [
        configFailure(
          'config/too-many',
          { key, ...of, most: Number(issue.maximum), found: Array.isArray(value) ? value.length : 0 },
          { where },
        ),
      ];
    }
    case 'invalid_union': {
      // The branch that failed deepest is the one that was meant.
      const branches = issue.errors.filter((branch) => branch.every((nested) => nested.code !== 'invalid_type' || nested.path.length > 0));
      const [best] = branches;
      if (best) return failuresOfIssues(best, { ...checked, path });
      return [configFailure('config/wrong-type', { key, ...of, expected: 'text', found: kindOf(value) }, { where })];
    }
    case 'custom':
      return [malformed({ key, ...of }, value, issue.params?.['expected'] as Expected, where)];
    case 'invalid_key':
      return [malformed({ key, ...of }, String(path.at(-1)), 'label', placeOf(document.spanOf(path, 'key')))];
    default:
      return [configFailure('config/wrong-type', { key, ...of, expected: 'text', found: kindOf(value) }, { where })];
  }
}

function malformed(
  named: { readonly key: string; readonly of?: string },
  value: unknown,
  expected: Expected,
  where: ReturnType<typeof placeOf>,
): Failure {
  const text = String(value);
  const suggestion = repaired(text, expected);
  return configFailure(
    'config/malformed',
    { ...named, value: text, expected, ...(suggestion === undefined ? {} : { suggestion }) },
    { where },
  );
}

/** What was probably meant, where that is clear. */
function repaired(text: string, expected: Expected): string | undefined {
  switch (expected) {
    case 'mac-address': {
      const digits = text.replace(/[-:.\s]/g, '').toLowerCase();
      return /^[0-9a-f]{12}$/.test(digits) ? digits.match(/../g)?.join(':') : undefined;
    }
    case 'address': {
      const bare = text.trim().replace(/\/\d+$/, '');
      if (addressOf(bare)) return bare;
      const parts = bare.split('.').map(Number);
      return parts.length === 4 && parts.every((part) => Number.isInteger(part)) && addressOf(parts.join('.'))
        ? parts.join('.')
        : undefined;
    }
    case 'network':
      if (addressOf(text.trim())) return networkOf(`${text.trim()}/${text.includes(':') ? 64 : 24}`)?.text;
      return networkOf(text.trim())?.text;
    case 'version': {
      const whole = /^v?(\d+)\.(\d+)$/.exec(text.trim());
      return whole ? versionOf(`v${whole[1]}.${whole[2]}.0`)?.text : undefined;
    }
    case 'node-name':
      return kebab(text);
    case 'repository-name':
      return /([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(text)?.[1];
    case 'extension':
      return /^[\w.-]+$/.test(text) ? `siderolabs/${text}` : undefined;
    default:
      return undefined;
  }
}

function kebab(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
  return name === '' || name === text ? undefined : name;
}

export function valueAt(value: unknown, path: DataPath): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Record<string | number, unknown>)[part];
  }
  return found;
}

function typeName(expected: string): DataKind {
  switch (expected) {
    case 'boolean':
      return 'boolean';
    case 'number':
    case 'int':
      return 'number';
    case 'array':
      return 'list';
    case 'object':
    case 'record':
      return 'mapping';
    default:
      return 'text';
  }
}

export function kindOf(value: unknown): DataKind {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'boolean';
    case 'number':
    case 'bigint':
      return 'number';
    default:
      return 'mapping';
  }
}
