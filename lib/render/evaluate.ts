import type { SourceFile } from '../base/index.ts';
import { readTemplateData } from './data.ts';
import { createEngine, type Rendered } from './engine.ts';

export interface Evaluation {
  readonly dialect: 'makejinja' | 'minijinja';
  /** Fail where something undefined is used. Default: false. */
  readonly strict?: boolean;
  readonly template: SourceFile;
  /** A JSON object. */
  readonly data: SourceFile;
  /** Templates that the template names. */
  readonly loader?: (name: string) => SourceFile | undefined;
}

/** One template as its own program would print it: minijinja-cli ends the text with a newline, makejinja keeps the template's. */
export function evaluateTemplate(evaluation: Evaluation): Rendered {
  const read = readTemplateData(evaluation.data);
  if (read.state === 'failed') return read;
  const { dialect, loader } = evaluation;
  const engine = createEngine({
    dialect,
    undefined: evaluation.strict ? 'strict' : 'default',
    ...(loader ? { loader } : {}),
    // makejinja hands data in as globals, so that imported templates see it.
    ...(dialect === 'makejinja' ? { globals: read.data } : {}),
  });
  const result = engine.render(evaluation.template, dialect === 'makejinja' ? {} : read.data);
  return result.state === 'rendered' && dialect === 'minijinja' ? { state: 'rendered', text: `${result.text}\n` } : result;
}
