import type { z } from 'zod';
import { type Failure, placeOf, suggestionFor } from '../base/index.ts';
import { type DataDocument, type DataPath, formatPath } from '../format/index.ts';
import { configFailure } from './failures.ts';
import { failuresOfIssues, kindOf, valueAt } from './issues.ts';

export interface ReadMapping {
  /** Only keys whose value is right; whoever compares values goes on with these. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Where each of them was written: a renamed key stands elsewhere than its name says. */
  readonly paths: ReadonlyMap<string, DataPath>;
  readonly failures: readonly Failure[];
  readonly warnings: readonly Failure[];
}

export interface MappingRules {
  readonly keys: Readonly<Record<string, z.ZodType>>;
  readonly renamed?: Readonly<Record<string, string>>;
  /** Keys that once had a meaning. */
  readonly removed?: readonly string[];
  /** Keys that somebody else looks at. */
  readonly ignored?: (key: string) => boolean;
}

const booleanWords = new Map([
  ...['y', 'yes', 'on'].map((word) => [word, true] as const),
  ...['n', 'no', 'off'].map((word) => [word, false] as const),
]);

/**
 * Checks one mapping key by key, so that one wrong value hides no other problem.
 *
 * Shape: empty text and null are the same as an absent key, as the samples of the old templates leave them. `yes`, `no`, `on` and
 * `off` without quotes are booleans where a boolean is expected, as Go reads them.
 */
export function readMapping(document: DataDocument, base: DataPath, rules: MappingRules): ReadMapping {
  const failures: Failure[] = [];
  const warnings: Failure[] = [];
  const values: Record<string, unknown> = {};
  const paths = new Map<string, DataPath>();
  const found = valueAt(document.value, base);
  if (kindOf(found) !== 'mapping') {
    const facts = { key: formatPath(base), expected: 'mapping', found: kindOf(found) } as const;
    failures.push(configFailure('config/wrong-type', facts, { where: placeOf(document.spanOf(base)) }));
    return { values, paths, failures, warnings };
  }
  const name = valueAt(document.value, [...base, 'name']);
  const of = base.length === 0 ? {} : { of: typeof name === 'string' && name !== '' ? name : formatPath(base) };
  const broken = new Set<string>();
  for (const [written, raw] of Object.entries(found as Record<string, unknown>)) {
    const path = [...base, written];
    const where = placeOf(document.spanOf(path, 'key'));
    if (rules.ignored?.(written)) continue;
    if (rules.removed?.includes(written)) {
      warnings.push(configFailure('config/removed-key', { key: written }, { where }));
      continue;
    }
    const key = rules.renamed && Object.hasOwn(rules.renamed, written) ? (rules.renamed[written] ?? written) : written;
    const schema = Object.hasOwn(rules.keys, key) ? rules.keys[key] : undefined;
    if (!schema) {
      const unknown = unknownKey(written, Object.keys(rules.keys), where);
      failures.push(unknown);
      // Whoever misspelt a key has not forgotten it.
      if (unknown.facts.suggestion !== undefined) broken.add(unknown.facts.suggestion);
      continue;
    }
    if (key !== written) {
      if (Object.hasOwn(found as object, key)) {
        failures.push(configFailure('config/named-twice', { key: written, replacement: key }, { where }));
        continue;
      }
      warnings.push(configFailure('config/renamed-key', { key: written, replacement: key }, { where }));
    }
    if (raw === '' || raw === null) continue;
    const parsed = schema.safeParse(asBoolean(raw, path, schema, document));
    if (parsed.success) {
      values[key] = parsed.data;
      paths.set(key, path);
    } else {
      broken.add(key);
      failures.push(...failuresOfIssues(parsed.error.issues, { document, path, ...of }));
    }
  }
  for (const [key, schema] of Object.entries(rules.keys)) {
    if (Object.hasOwn(values, key) || broken.has(key) || schema.safeParse(undefined).success) continue;
    const path = [...base, key];
    const [example] = (schema.meta()?.examples as unknown[] | undefined) ?? [];
    const facts = { key, ...of, ...(example === undefined ? {} : { example: String(example) }) };
    failures.push(configFailure('config/missing-key', facts, { where: placeOf(document.spanOf(path)) }));
  }
  return { values, paths, failures, warnings };
}

export function unknownKey(key: string, known: readonly string[], where: ReturnType<typeof placeOf>) {
  const suggestion = suggestionFor(key, known);
  return configFailure('config/unknown-key', { key, known, ...(suggestion === undefined ? {} : { suggestion }) }, { where });
}

function asBoolean(value: unknown, path: DataPath, schema: z.ZodType, document: DataDocument): unknown {
  if (typeof value !== 'string') return value;
  const word = booleanWords.get(value.toLowerCase());
  if (word === undefined || document.scalarAt(path)?.style !== 'plain') return value;
  return schema.safeParse(true).success ? word : value;
}
