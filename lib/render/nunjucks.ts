import { type SourceFile, TkError } from '../base/index.ts';
import type { Rendered, TemplateData, TemplateEngine } from './engine.ts';
import { renderFailure } from './failures.ts';
import { type Data, Float } from './python/convert.ts';

export interface NunjucksOptions {
  /** Fail where a name is undefined. Default: false. */
  readonly strict?: boolean;
  readonly loader?: (name: string) => SourceFile | undefined;
  readonly globals?: TemplateData;
}

/** Methods of texts and lists that templates may call; everything else that is not an own property is out of reach. */
const methods = new Set([
  'concat',
  'endsWith',
  'includes',
  'indexOf',
  'join',
  'lastIndexOf',
  'padEnd',
  'padStart',
  'slice',
  'split',
  'startsWith',
  'substring',
  'toLowerCase',
  'toUpperCase',
  'trim',
  'trimEnd',
  'trimStart',
]);

function ownMember(object: unknown, key: unknown): unknown {
  if (object === null || object === undefined || typeof object === 'function') return undefined;
  const name = String(key);
  const isList = typeof object === 'string' || Array.isArray(object);
  if (Object.hasOwn(Object(object) as object, name)) return (object as Record<string, unknown>)[name];
  if (!isList || !methods.has(name)) return undefined;
  const method = (object as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
  return (...args: unknown[]) => method?.apply(object, args);
}

function plain(data: Data): unknown {
  if (data instanceof Float) return data.value;
  if (typeof data === 'bigint') return Number(data);
  if (Array.isArray(data)) return (data as readonly Data[]).map(plain);
  if (data instanceof Map)
    return Object.fromEntries([...(data as ReadonlyMap<Data, Data>)].map(([key, value]) => [String(key), plain(value)]));
  if (typeof data === 'object' && data !== null)
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, plain(value as Data)]));
  return data;
}

const fields = (data: TemplateData): Record<string, unknown> => plain(data as Data) as Record<string, unknown>;

/**
 * Templates that are nunjucks and mean it. They compile to code, so they are to be trusted like the repository's other code; still a
 * template reaches own properties only.
 */
export async function createNunjucksEngine(options: NunjucksOptions = {}): Promise<TemplateEngine> {
  const { default: nunjucks } = await import('nunjucks');
  (nunjucks.runtime as unknown as { memberLookup: typeof ownMember }).memberLookup = ownMember;
  class Named extends nunjucks.Loader {
    getSource(name: string) {
      const file = options.loader?.(name);
      // Null is how a loader says that it does not know a name.
      return (file ? { src: file.text, path: file.path, noCache: true } : null) as ReturnType<
        InstanceType<typeof nunjucks.Loader>['getSource' & keyof InstanceType<typeof nunjucks.Loader>]
      >;
    }
  }
  const environment = new nunjucks.Environment([new Named() as never], {
    autoescape: false,
    trimBlocks: true,
    lstripBlocks: true,
    throwOnUndefined: options.strict ?? false,
  });
  for (const [name, value] of Object.entries(fields(options.globals ?? {}))) environment.addGlobal(name, value);
  return {
    render(template, data): Rendered {
      try {
        const compiled = new nunjucks.Template(template.text, environment, template.path, true);
        return { state: 'rendered', text: compiled.render(fields(data)) };
      } catch (error) {
        if (error instanceof TkError) return { state: 'failed', failures: error.failures };
        return { state: 'failed', failures: [failureFrom(error, template)] };
      }
    },
  };
}

/** nunjucks writes "(path) [Line 3, Column 5]" in front of what it has to say. */
function failureFrom(error: unknown, template: SourceFile) {
  const message = error instanceof Error ? error.message : String(error);
  const [, line, column] = /\[Line (\d+), Column (\d+)\]/.exec(message) ?? [];
  const detail = message.split('\n').at(-1)?.trim() ?? message;
  const context =
    line === undefined ? {} : { where: { kind: 'file' as const, path: template.path, line: Number(line), column: Number(column) } };
  return renderFailure('render/syntax', { template: template.path, detail }, context);
}
