import { remembered, type Secret } from '../base/index.ts';
import { parseYaml } from '../format/index.ts';
import type { ConfigComparison } from './cluster.ts';

/** Documents by kind and name, whatever their order and the order of their keys. The values stay inside: they hold keys. */
export function compareConfigs(running: Secret<string>, wanted: Secret<string>): ConfigComparison {
  const before = canonicalDocuments(running.reveal());
  const after = canonicalDocuments(wanted.reveal());
  if (before === undefined || after === undefined) return { state: 'unknown', because: 'its config cannot be read' };
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((id) => before.get(id) !== after.get(id));
  return changed.length === 0 ? { state: 'equal' } : { state: 'differs', changed };
}

/** A wait compares the same two again at every look. */
const canonicalDocuments = remembered(
  (text: string): ReadonlyMap<string, string> | undefined => {
    const documents = documentsOf(text);
    return documents && new Map([...documents].map(([id, value]) => [id, canonical(value)]));
  },
  { keyOf: (text) => text, limit: 200 },
);

/**
 * Each document's value under its kind and name; undefined when the text is not YAML. Every look at a machine asks for those of the
 * same config again.
 */
export const documentsOf = remembered(readDocuments, { keyOf: (text) => text, limit: 100 });

function readDocuments(text: string): ReadonlyMap<string, unknown> | undefined {
  const { documents, failures } = parseYaml({ path: 'machine config', text }, { version: 'go', confidential: true });
  if (failures.length > 0) return undefined;
  const found = new Map<string, unknown>();
  for (const { value } of documents) {
    if (value === null || value === undefined) continue;
    const { kind, name } = value as { readonly kind?: string; readonly name?: string };
    const id = kind === undefined ? 'v1alpha1' : name === undefined ? kind : `${kind} ${name}`;
    found.set(id, value);
  }
  return found;
}

/** Absent, null and empty mean the same to Talos' reader, so a config that it wrote itself compares equal to ours. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .map(([key, child]) => [key, canonical(child)] as const)
      .filter(([, text]) => text !== '{}' && text !== '[]' && text !== 'null' && text !== '""')
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
  }
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(value) ?? 'null';
}
