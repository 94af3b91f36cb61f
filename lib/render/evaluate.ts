import type { SourceFile } from '../base/index.ts';
import { readTemplateData } from './data.ts';
import { createEngine, type Rendered } from './engine.ts';
import type { MinijinjaSettings } from './minijinja-settings.ts';

export interface Evaluation {
  readonly dialect: 'makejinja' | 'minijinja';
  /** Fail where something undefined is used. Default: false. */
  readonly strict?: boolean;
  readonly template: SourceFile;
  /** A JSON object. */
  readonly data: SourceFile;
  /** Templates that the template names. */
  readonly loader?: (name: string) => SourceFile | undefined;
  /** minijinja only: what a `.minijinja.toml` asks for. Absent: blocks are trimmed, nothing is escaped, as repositories have it. */
  readonly settings?: MinijinjaSettings;
  /** What `ENV` holds where the settings let templates look into it. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One template as its own program would print it: minijinja-cli ends the text with a newline, makejinja keeps the template's. */
export function evaluateTemplate(evaluation: Evaluation): Rendered {
  const read = readTemplateData(evaluation.data);
  if (read.state === 'failed') return read;
  const { dialect, loader, settings } = evaluation;
  const engine = createEngine({
    dialect,
    undefined: evaluation.strict || settings?.strict ? 'strict' : 'default',
    ...(loader && settings?.include !== false ? { loader } : {}),
    ...settings?.engine,
    ...(settings?.env ? { globals: { ENV: evaluation.environment ?? {} } } : {}),
    // makejinja hands data in as globals, so that imported templates see it.
    ...(dialect === 'makejinja' ? { globals: read.data } : {}),
  });
  const data = settings === undefined ? read.data : new Map([...read.data, ...Object.entries(settings.defines)]);
  const result = engine.render(evaluation.template, dialect === 'makejinja' ? {} : data);
  return result.state === 'rendered' && dialect === 'minijinja' && settings?.newline !== false
    ? { state: 'rendered', text: `${result.text}\n` }
    : result;
}
