import { machineConfigSchema, type DocumentKind, type TalosMinor, talosMinors } from '../../upstream/tables.ts';
import type { ConfigMap } from './value.ts';

/** One document of a machine configuration. */
export interface ConfigDocument {
  /** `v1alpha1` for the document without a kind. */
  readonly kind: string;
  readonly apiVersion: string;
  /** Tells documents of one kind apart; empty where there can be only one. */
  readonly name: string;
  /** Absent for kinds that the target version's table does not have. */
  readonly schema?: DocumentKind;
  value: ConfigMap;
  /** The text of a document of an unknown kind, until a patch changes it. */
  verbatim?: string;
  /** What the file said, before empty fields were filled in; absent once a patch changed it. */
  given?: ConfigMap;
}

/** Which documents are the same one. */
export function documentId(document: Pick<ConfigDocument, 'kind' | 'apiVersion' | 'name'>): string {
  return document.name === '' ? `${document.apiVersion}/${document.kind}` : `${document.apiVersion}/${document.kind}/${document.name}`;
}

/** How people name it: `v1alpha1`, `HostnameConfig`, `UserVolumeConfig data`. */
export function documentLabel(document: Pick<ConfigDocument, 'kind' | 'name'>): string {
  return document.name === '' ? document.kind : `${document.kind} ${document.name}`;
}

/** The first minor that knows a kind; undefined when none does. */
export function firstMinorOfKind(kind: string): TalosMinor | undefined {
  return talosMinors.find((minor) => machineConfigSchema(minor).kinds.has(kind));
}
