import type { Failure, SourceFile } from '../base/index.ts';
import { renderFailure } from './failures.ts';
import type { Data } from './python/convert.ts';
import { readJson } from './python/json-read.ts';
import { PythonError } from './python/values.ts';

export type ReadData =
  | { readonly state: 'read'; readonly data: ReadonlyMap<string, Data> }
  | { readonly state: 'failed'; readonly failures: readonly [Failure] };

/** A JSON object as template data; `1` and `1.0` stay apart, large integers stay exact. Failure: `render/data`. */
export function readTemplateData(file: SourceFile): ReadData {
  try {
    const data = readJson(file.text);
    if (data instanceof Map && [...data.keys()].every((key) => typeof key === 'string'))
      return { state: 'read', data: data as ReadonlyMap<string, Data> };
    return { state: 'failed', failures: [renderFailure('render/data', { path: file.path, detail: 'not a JSON object' })] };
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    return { state: 'failed', failures: [renderFailure('render/data', { path: file.path, detail: error.message })] };
  }
}
