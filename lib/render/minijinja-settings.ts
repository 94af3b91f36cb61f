import { placeOf, type Span, throwIfAny } from '../base/index.ts';
import type { EngineOptions, TemplateData } from './engine.ts';
import { renderFailure } from './failures.ts';
import type { Delimiters } from './jinja/lexer.ts';
import type { Data } from './python/convert.ts';

/** What a `.minijinja.toml` asks for. */
export interface MinijinjaSettings {
  readonly engine: Required<Pick<EngineOptions, 'trimBlocks' | 'lstripBlocks' | 'pyCompat' | 'autoescape'>> & {
    readonly delimiters: Partial<Delimiters>;
  };
  readonly strict: boolean;
  /** The text ends with a newline of its own. */
  readonly newline: boolean;
  /** Templates may look into `ENV`. */
  readonly env: boolean;
  /** Whether a template may name others. */
  readonly include: boolean;
  /** Values that go before those of the data file. */
  readonly defines: TemplateData;
}

export interface SettingsFile {
  readonly path: string;
  readonly value: unknown;
  spanOf(path: readonly string[]): Span;
}

const delimiters: Readonly<Record<string, keyof Delimiters>> = {
  'block-start': 'blockStart',
  'block-end': 'blockEnd',
  'variable-start': 'variableStart',
  'variable-end': 'variableEnd',
  'comment-start': 'commentStart',
  'comment-end': 'commentEnd',
};

/**
 * Reads the settings of minijinja-cli, for this template. Keys that it does not know are passed over, as it does.
 *
 * Failure: `render/setting` for each that cannot be honoured.
 * Source: minijinja 3.0 minijinja-cli/src/config.rs
 */
export function minijinjaSettings(file: SettingsFile, template: string): MinijinjaSettings {
  const table = tableOf(file.value);
  const wrong = (key: string, expected: string, path: readonly string[] = [key]) => {
    const value = path.reduce<unknown>((inside, name) => tableOf(inside)[name], file.value);
    return renderFailure(
      'render/setting',
      { path: file.path, key: path.join('.'), value: JSON.stringify(value), expected },
      { where: placeOf(file.spanOf(path)) },
    );
  };
  const isOn = (key: string, otherwise: boolean): boolean => {
    const value = table[key] ?? otherwise;
    if (typeof value !== 'boolean') throwIfAny([wrong(key, 'true or false')]);
    return value === true;
  };
  const mode = table['autoescape'] ?? 'auto';
  if (mode !== 'none' && mode !== 'html' && mode !== 'json' && mode !== 'auto')
    throwIfAny([wrong('autoescape', 'none, html, json or auto')]);
  const escapes = mode === 'auto' ? escapedByName(template) : mode;
  if (escapes === 'json') throwIfAny([mode === 'auto' ? needsNone(file, template) : wrong('autoescape', 'none or html')]);
  const syntax = tableOf(table['syntax']);
  for (const name of ['line-statement-prefix', 'line-comment-prefix'])
    if ((syntax[name] ?? '') !== '') throwIfAny([wrong(name, 'no such prefix', ['syntax', name])]);
  return {
    engine: {
      trimBlocks: isOn('trim-blocks', false),
      lstripBlocks: isOn('lstrip-blocks', false),
      pyCompat: isOn('py-compat', false),
      autoescape: escapes === 'html',
      delimiters: Object.fromEntries(
        Object.entries(delimiters).flatMap(([key, name]) => (typeof syntax[key] === 'string' ? [[name, syntax[key]]] : [])),
      ),
    },
    strict: isOn('strict', false),
    newline: isOn('newline', true),
    env: isOn('env', false),
    include: isOn('include', true),
    defines: tableOf(table['defines']) as Readonly<Record<string, Data>>,
  };
}

function escapedByName(template: string): 'html' | 'json' | 'none' {
  const ending = /\.([^.]*)$/.exec(template.replace(/\.j2$/, ''))?.[1] ?? '';
  if (['htm', 'html', 'xml', 'xhtml'].includes(ending)) return 'html';
  return ['json', 'json5', 'yml', 'yaml'].includes(ending) ? 'json' : 'none';
}

/** Its default quotes every value in a template of that name, which no machine config can want. */
const needsNone = (file: SettingsFile, template: string) =>
  renderFailure(
    'render/setting',
    { path: file.path, key: 'autoescape', value: `"auto", which means "json" for ${template}`, expected: '"none" or "html"' },
    { where: placeOf(file.spanOf([])) },
  );

const tableOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
