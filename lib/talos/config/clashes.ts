import { type Failure, type FailureContext } from '../../base/index.ts';
import { exclusiveKinds } from '../../upstream/tables.ts';
import { type ConfigDocument, documentLabel } from './document.ts';
import { talosConfigFailure } from './failures.ts';
import { isConfigMap } from './value.ts';

/**
 * Documents of which Talos takes only one: two that make the same link, the same address or the same volume.
 *
 * Shape: the document that came first is `other`.
 * Source: pkg/machinery/config/container New, and the ConflictsWithKinds of pkg/machinery/config/types
 */
export function clashesOf(
  documents: readonly ConfigDocument[],
  locate: (document: ConfigDocument, path: readonly string[]) => FailureContext = () => ({}),
): readonly Failure[] {
  const failures: Failure[] = [];
  const claimed = new Map<string, ConfigDocument>();
  for (const document of documents) {
    const group = groupOf.get(document.kind);
    if (group === undefined) continue;
    for (const name of [document.name, ...peerOf(document)]) {
      const other = claimed.get(`${group} ${name}`);
      if (other === undefined) claimed.set(`${group} ${name}`, document);
      // Two of one kind and name are duplicates, and told as such.
      else if (other === document || other.kind !== document.kind || other.name !== document.name) {
        const facts = { document: documentLabel(document), other: documentLabel(other), name };
        failures.push(talosConfigFailure('talos-config/clashing-documents', facts, locate(document, [])));
      }
    }
  }
  return failures;
}

const groupOf: ReadonlyMap<string, number> = new Map(exclusiveKinds.flatMap((kinds, group) => kinds.map((kind) => [kind, group])));

/** The other end of a pair of virtual links is a link too. */
function peerOf({ kind, value }: ConfigDocument): readonly string[] {
  if (kind !== 'VethConfig') return [];
  const { peer } = value;
  return [isConfigMap(peer) && typeof peer['name'] === 'string' ? peer['name'] : ''];
}
