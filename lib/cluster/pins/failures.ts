import { failuresOf } from '../../base/index.ts';

export type PinFailures = {
  /** The version comes from a variable of the process that runs tk. */
  'pin/environment': { variable: string; version: string };
  /** The variable stands in an encrypted file. */
  'pin/encrypted': { path: string; variable: string; version: string };
  /** Written in a way that cannot be replaced by one version: two variables, a value made of parts. */
  'pin/composed': { path: string; key: string; written: string; version: string };
  /** The inputs say the new version; what their templates make of them was not written, because other changes wait there, too. */
  'pin/not-rendered': { paths: readonly string[] };
  /** A config comes out with another image all the same. `where`: the patch that says so. */
  'pin/overridden': { node: string; part: string; image: string; wanted: string; where?: string };
};

export const pinFailure = failuresOf<PinFailures>();
