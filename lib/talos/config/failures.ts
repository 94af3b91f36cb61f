import { failuresOf } from '../../base/index.ts';

export type TalosConfigFailures = {
  // --- secrets bundle ---
  /** The file is a SOPS file that nobody decrypted. */
  'talos-config/bundle-encrypted': { path: string };
  /** A value that vals would fetch from elsewhere, as in topf's bundles. */
  'talos-config/bundle-reference': { field: string; scheme: string; path: string };
  'talos-config/bundle-unknown-key': { key: string; suggestion?: string };
  /** `field` as the file spells it: `certs.os.crt`. */
  'talos-config/bundle-field-missing': { field: string };
  'talos-config/bundle-field-invalid': { field: string; expected: string };
  /** Both encryption secrets, none of them, or the one that a Talos before 1.3 cannot use. */
  'talos-config/bundle-encryption-secret': { found: 'none' | 'both' | 'secretbox' };
  'talos-config/not-a-control-plane-config': { path: string; missing: readonly string[] };

  // --- documents ---
  'talos-config/not-a-mapping': { found: string };
  'talos-config/missing-kind': { apiVersion?: string };
  'talos-config/missing-api-version': { kind: string };
  /** `since` is the first minor that knows the kind; absent when none does. */
  'talos-config/unknown-kind': { kind: string; apiVersion: string; version: string; since?: string; suggestion?: string };
  'talos-config/unknown-key': { document: string; path: string; key: string; suggestion?: string; since?: string };
  'talos-config/wrong-type': { document: string; path: string; expected: string; found: string };
  'talos-config/duplicate-document': { document: string };
  /** Two documents that make the same link, address or volume. `name` is what both claim. */
  'talos-config/clashing-documents': { document: string; other: string; name: string };
  'talos-config/no-config': { path: string };
  /** An old field and a document that has taken its place. */
  'talos-config/conflict': { document: string; field: string };
  /** A rule of one document. `rule` is upstream's own sentence. */
  'talos-config/invalid': { document: string; rule: string };
  /** A rule of all documents together, in upstream's own sentence. */
  'talos-config/invalid-together': { rule: string };

  /** A warning: the old field still counts. */
  'talos-config/deprecated': { field: string; replacement: string };

  // --- patches ---
  'talos-config/json-patch-refused': { documents: number; equivalent?: string; remainder: readonly string[] };
  'talos-config/json-patch-failed': { op: string; path: string; reason: string };
  /** `movedTo`: the documents that have it in this version. */
  'talos-config/patch-delete-missing': { document: string; path: string; movedTo: readonly string[] };
  'talos-config/patch-delete-impossible': { path: string; reason: string };
  'talos-config/merge-mismatch': { document: string; path: string; left: string; right: string };
  'talos-config/patch-unreadable': { reason: string };

  // --- generation ---
  'talos-config/unsupported-version': { version: string; oldest: string; newest: string };
  'talos-config/unsupported-kubernetes': { talosVersion: string; kubernetesVersion: string; lowest: string; highest: string };
  'talos-config/template-engine-missing': { path: string };
  /** A Go template asks for something that a machine configuration does not have. */
  'talos-config/template-field-missing': { fields: readonly string[] };
  'talos-config/endpoint-invalid': { endpoint: string };

  /** `since` is the first minor that knows the kind, where the asked one does not. */
  'talos-config/no-such-document': { document: string; suggestion?: string; since?: string };
  /** `inside` is what was understood of `field`, empty at its begin; `found` is what stands there. */
  'talos-config/no-such-field': {
    field: string;
    key: string;
    inside: string;
    found: 'struct' | 'list' | 'value';
    talosMinor: string;
    suggestion?: string;
    since?: string;
  };

  // --- schematics ---
  'factory/unknown-extension': { extension: string; talosVersion: string; suggestion?: string };
  'factory/extension-twice': { extension: string };
  'factory/unknown-overlay': { overlay: string; talosVersion: string; suggestion?: string };
  /** A word that should be `name=value`. */
  'factory/bad-pair': { word: string };
  'factory/unreachable': { host: string; reason: string };
  'factory/refused': { host: string; status: number; said: string };
  /** The factory computes another id for the same schematic. */
  'factory/different-id': { host: string; expected: string; found: string };
  'talos-config/schematic-unknown-key': { path: string; key: string; suggestion?: string };
  'talos-config/schematic-invalid': { path: string; expected: string; found: string };
};

export const talosConfigFailure = failuresOf<TalosConfigFailures>();
