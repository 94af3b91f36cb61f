import { failuresOf } from '../base/index.ts';

/** `template` is the name that a loader knows; `detail` is the engine's own wording where upstream has one to match. */
export type RenderFailures = {
  'render/syntax': { template: string; detail: string };
  /** A name, attribute or element that does not exist was used where the undefined mode forbids it. */
  'render/undefined': { template: string; detail: string };
  'render/unknown-filter': { template: string; name: string; suggestion?: string };
  'render/unknown-test': { template: string; name: string; suggestion?: string };
  /** The operation exists, but not for these values: `kind` is Python's name of the error. */
  'render/runtime': { template: string; kind: string; detail: string };
  'render/template-not-found': { template: string; names: readonly string[] };
  /** More steps, nesting or output than any sane template needs. */
  'render/limit': { template: string; limit: 'steps' | 'depth' | 'size'; allowed: number };
  /** Two inputs would write one path, or a path leaves the output folder. */
  'render/outside': { path: string; output: string };
  /** A file that we would write exists, differs, and was not written by us. */
  'render/not-ours': { path: string };
  'render/no-input': { path: string };
  /** A setting of the repository's template program that cannot be honoured. `value` as written. */
  'render/setting': { path: string; key: string; value: string; expected: string };
  /** The data file of a template is not a JSON object. */
  'render/data': { path: string; detail: string };
};

export const renderFailure = failuresOf<RenderFailures>();
