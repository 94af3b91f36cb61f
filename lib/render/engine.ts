import { type Failure, type SourceFile, TkError } from '../base/index.ts';
import { sequenceFilters } from './jinja/filters/sequences.ts';
import { textFilters } from './jinja/filters/text.ts';
import { valueFilters } from './jinja/filters/values.ts';
import type { Applied, Environment, Limits } from './jinja/environment.ts';
import { type Delimiters, jinjaDelimiters, makejinjaDelimiters } from './jinja/lexer.ts';
import { TemplateLibrary } from './jinja/library.ts';
import { jinjaGlobals } from './jinja/objects.ts';
import type { Extension } from './jinja/parser.ts';
import { pythonSemantics } from './jinja/semantics.ts';
import { jinjaTests } from './jinja/tests.ts';
import { type Data, dataFrom, type TemplateFunction, valueFrom } from './python/convert.ts';
import { miniFilters } from './minijinja/filters.ts';
import { miniGlobals } from './minijinja/globals.ts';
import { miniSemantics } from './minijinja/semantics.ts';
import { miniTests } from './minijinja/tests.ts';
import type { UndefinedMode, Value } from './python/values.ts';

export type Rendered =
  | { readonly state: 'rendered'; readonly text: string }
  | { readonly state: 'failed'; readonly failures: readonly [Failure, ...Failure[]] };

export interface TemplateEngine {
  /** Pure: same template, data and loader in, same text out. Never throws for what a template does. */
  render(template: SourceFile, data: TemplateData): Rendered;
}

export type TemplateData = Readonly<Record<string, Data>> | ReadonlyMap<string, Data>;

export interface EngineOptions {
  readonly dialect: 'jinja' | 'makejinja' | 'minijinja';
  /** What a missing name may be used for. Default: `default` (prints nothing, fails when looked into). */
  readonly undefined?: UndefinedMode;
  /** Default: the dialect's own. */
  readonly delimiters?: Partial<Delimiters>;
  /** Default: on in makejinja and minijinja, off in jinja. */
  readonly trimBlocks?: boolean;
  readonly lstripBlocks?: boolean;
  readonly keepTrailingNewline?: boolean;
  readonly autoescape?: boolean;
  /** minijinja only: the Python methods that `--py-compat` adds. Default: false. */
  readonly pyCompat?: boolean;
  /** `do`, `break` and `continue`: off unless asked for, as upstream. minijinja always has the latter. */
  readonly extensions?: readonly Extension[];
  /** Names that every template sees, imported ones too: functions of plugins, `env`. */
  readonly globals?: TemplateData;
  readonly filters?: Readonly<Record<string, TemplateFunction>>;
  readonly tests?: Readonly<Record<string, TemplateFunction>>;
  /** Templates by name, for include, import and extends. Default: there are none. */
  readonly loader?: (name: string) => SourceFile | undefined;
  /** In [0, 1), for the `random` filter. */
  readonly random?: () => number;
  readonly limits?: Partial<Limits>;
}

const defaultLimits: Limits = { steps: 20_000_000, depth: 200, size: 256 * 1024 * 1024 };

export function createEngine(options: EngineOptions): TemplateEngine {
  const environment = environmentOf(options);
  const library = new TemplateLibrary(environment);
  return {
    render: (template, data) => rendered(() => library.render(template, new Map([...environment.globals, ...valuesOf(data)]))),
  };
}

function environmentOf(options: EngineOptions): Environment {
  return options.dialect === 'minijinja' ? minijinjaEnvironment(options) : jinjaEnvironment(options);
}

/** As minijinja-cli with `trim-blocks`, `lstrip-blocks` and no escaping, which is how repositories configure it. */
function minijinjaEnvironment(options: EngineOptions): Environment {
  return {
    ...jinjaEnvironment(options),
    parser: {
      dialect: 'minijinja',
      delimiters: { ...jinjaDelimiters, ...options.delimiters },
      trimBlocks: options.trimBlocks ?? true,
      lstripBlocks: options.lstripBlocks ?? true,
      keepTrailingNewline: options.keepTrailingNewline ?? false,
      extensions: new Set<Extension>(['do', 'loopcontrols']),
    },
    filters: new Map([...miniFilters, ...appliedOf(options.filters)]),
    tests: new Map([...miniTests, ...appliedOf(options.tests)]),
    globals: new Map([...miniGlobals(), ...valuesOf(options.globals ?? {})]),
    semantics: miniSemantics(options.pyCompat ?? false),
  };
}

function jinjaEnvironment(options: EngineOptions): Environment {
  const like = options.dialect !== 'jinja';
  return {
    parser: {
      dialect: 'jinja',
      delimiters: { ...(options.dialect === 'makejinja' ? makejinjaDelimiters : jinjaDelimiters), ...options.delimiters },
      trimBlocks: options.trimBlocks ?? like,
      lstripBlocks: options.lstripBlocks ?? like,
      keepTrailingNewline: options.keepTrailingNewline ?? like,
      extensions: new Set(options.extensions),
    },
    undefinedMode: options.undefined ?? 'default',
    autoescape: options.autoescape ?? false,
    filters: new Map([...textFilters, ...sequenceFilters, ...valueFilters, ...appliedOf(options.filters)]),
    tests: new Map([...jinjaTests, ...appliedOf(options.tests)]),
    globals: new Map([...jinjaGlobals(), ...valuesOf(options.globals ?? {})]),
    semantics: pythonSemantics,
    limits: { ...defaultLimits, ...options.limits },
    random: options.random,
    source: (name) => options.loader?.(name),
  };
}

export function valuesOf(data: TemplateData): [string, Value][] {
  const entries = data instanceof Map ? [...(data as ReadonlyMap<string, Data>)] : Object.entries(data as Readonly<Record<string, Data>>);
  return entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, valueFrom(value, name)] as [string, Value]]));
}

/** Filters and tests of a caller: the input comes first, named arguments last. */
function appliedOf(functions: Readonly<Record<string, TemplateFunction>> = {}): [string, Applied][] {
  return Object.entries(functions).map(([name, run]) => [
    name,
    (_scope, { positional, named }) =>
      valueFrom(run(positional.map(dataFrom), Object.fromEntries([...named].map(([key, value]) => [key, dataFrom(value)])))),
  ]);
}

export function rendered(run: () => string): Rendered {
  try {
    return { state: 'rendered', text: run() };
  } catch (error) {
    if (error instanceof TkError) return { state: 'failed', failures: error.failures };
    throw error;
  }
}
