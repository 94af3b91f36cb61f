import { gzipSync } from 'node:zlib';
import { packTar } from '../../../lib/format/index.ts';
import { type Case, corpus } from './corpus.ts';

/** Charts whose records are compared, with values as JSON. Those with hooks that run at install are left out: their times differ. */
export const recordCases: readonly (Case & { readonly recordValues: Readonly<Record<string, unknown>> })[] = [
  ['plain', {}],
  ['release-facts', {}],
  ['unicode', { name: 'grün 🚀', '<html>': '&' }],
  ['files', { a: [1, 2.5, null, 1e21], b: { c: null } }],
  ['default-values', { a: { c: [3] }, e: null, f: 1 }],
  ['null-removes', { probe: { http: null, exec: { command: ['x'] } } }],
  ['text-files-in-templates', {}],
  ['crds-left-out', {}],
  ['subchart', { child: { a: 'given' } }],
  ['aliases', { first: { a: 10 } }],
  ['condition-false', { child: { enabled: false } }],
  ['import-values', {}],
  ['library', {}],
  ['schema-holds', { n: 5 }],
  ['order-of-kinds', {}],
].map(([name, recordValues]) => {
  const chart = corpus.find((candidate) => candidate.name === name);
  if (chart === undefined) throw new Error(`no chart ${String(name)}`);
  return { ...chart, recordValues: recordValues as Readonly<Record<string, unknown>> };
});

/** Packed the same way each time: names, order and times are part of a record. */
export const archiveOf = ({ files }: Case): Uint8Array =>
  gzipSync(packTar(Object.entries(files).map(([path, content]) => ({ path: `c/${path}`, content }))));
