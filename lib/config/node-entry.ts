import type { DataDocument, DataPath } from '../format/index.ts';
import type { ReadMapping } from './read-mapping.ts';

/** One entry of nodes.yaml, as far as it could be read. */
export interface NodeEntry {
  readonly read: ReadMapping;
  readonly path: DataPath;
  readonly document: DataDocument;
}

/** Its name, or where it stands when it has none that can be used. */
export function nameOf(read: ReadMapping, path: DataPath): string {
  return typeof read.values['name'] === 'string' ? read.values['name'] : `nodes[${path[1]}]`;
}
