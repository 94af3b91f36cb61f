import { failuresOf } from '../base/index.ts';

export type FormatFailures = {
  /** `problem` is what the reader says, without the text of the file; absent where the file is confidential. */
  'format/syntax': { format: 'YAML' | 'JSON' | 'TOML'; problem?: string };
  'format/duplicate-key': { key: string };
  /** An alias without an anchor, aliases that multiply beyond all measure, or a value that contains itself. */
  'format/alias': { problem: 'unknown' | 'too-many' | 'cyclic' };
  /** A mapping or a list as the key of a mapping. */
  'format/complex-key': Record<never, never>;
  'format/too-deep': { format: 'YAML' | 'JSON' | 'TOML' };
  /** The edit would have to write into something that is not a mapping or a list. */
  'format/cannot-edit': { path: string };
  'format/version': { text: string };
  'format/address': { text: string; expected: 'address' | 'network' };
};

export const formatFailure = failuresOf<FormatFailures>();
