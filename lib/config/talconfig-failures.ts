import { failuresOf } from '../base/index.ts';

export type TalconfigFailures = {
  'talconfig/unknown-key': { key: string; at: string; suggestion?: string };
  /** A key of an older talhelper. */
  'talconfig/removed-key': { key: string; replacement: string };
  'talconfig/wrong-type': { path: string; expected: string; found: string };
  'talconfig/required': { path: string };
  'talconfig/invalid': { path: string; value: string; expected: string };
  /** A system extension or an overlay that the factory has not got for that version. */
  'talconfig/not-in-factory': { what: 'extension' | 'overlay'; name: string; version: string; suggestion?: string };
  'talconfig/duplicate-node': { what: 'hostname' | 'address' | 'file name'; value: string; first: string };
  'talconfig/missing-file': { path: string; neededBy: string };
  'talconfig/incompatible-kubernetes': { talos: string; kubernetes: string; lowest: string; highest: string };
  /** Warnings. */
  'talconfig/no-control-plane': { nodes: number };
  'talconfig/deprecated': { key: string; replacement: string };
  'talconfig/floating-version': { version: string };
  'talconfig/without-effect': { key: string; reason: string };
  // --- envsubst and talenv
  /** `uses`: in how many places, where it is more than one; the first is told. */
  'talconfig/variable-not-set': { name: string; uses?: number };
  'talconfig/variable-empty': { name: string };
  'talconfig/variable-syntax': { text: string; reason: string };
  'talconfig/env-file': { path: string; line: number };
  'talconfig/too-many-secrets': { used: string; ignored: readonly string[] };
};

export const talconfigFailure = failuresOf<TalconfigFailures>();
