import { posix, resolve } from 'node:path';
import { type SourceFile, throwIfAny, TkError } from '../../base/index.ts';
import {
  createEngine,
  createNunjucksEngine,
  type Evaluation,
  evaluateTemplate,
  minijinjaSettings,
  type Rendered,
  readTemplateData,
} from '../../render/index.ts';
import type { CommandContext } from './command.ts';
import { choiceOf, isOn, readNamed, requiredText } from './inputs.ts';

type Loader = (name: string) => SourceFile | undefined;

const dialects = ['makejinja', 'minijinja', 'jinja', 'nunjucks'] as const;

interface Question {
  readonly dialect: (typeof dialects)[number];
  readonly strict: boolean;
  readonly template: SourceFile;
  readonly data: SourceFile;
  readonly loader: Loader;
  readonly minijinja: MinijinjaOptions;
}

type MinijinjaOptions = Pick<Evaluation, 'settings' | 'environment'>;

/** Prints what the template becomes, to the byte. Failure: `render/*`. */
export async function run(context: CommandContext): Promise<number> {
  const { values } = context;
  const dialect = choiceOf(requiredText(values, 'dialect'), '--dialect', dialects);
  const template = await readNamed(context, requiredText(values, 'template'), '--template');
  const data = await readNamed(context, requiredText(values, 'data'), '--data');
  const strict = isOn(values, 'strict');
  const minijinja = dialect === 'minijinja' ? await minijinjaOptions(context, template) : {};
  const rendered = await withTemplatesBeside(context, template, (loader, beside) =>
    evaluate({
      dialect,
      strict,
      template,
      data,
      loader,
      minijinja: minijinja.settings?.env ? { ...minijinja, environment: environmentOf(context, [template, ...beside]) } : minijinja,
    }),
  );
  if (rendered.state === 'failed') throw new TkError(...rendered.failures);
  context.print(rendered.text);
  return 0;
}

async function evaluate({ dialect, strict, template, data, loader, minijinja }: Question): Promise<Rendered> {
  switch (dialect) {
    case 'makejinja':
      return evaluateTemplate({ dialect, strict, template, data, loader });
    case 'minijinja':
      return evaluateTemplate({ dialect, strict, template, data, loader, ...minijinja });
    case 'jinja':
    case 'nunjucks': {
      const read = readTemplateData(data);
      if (read.state === 'failed') return read;
      const engine =
        dialect === 'jinja'
          ? createEngine({ dialect, undefined: strict ? 'strict' : 'default', loader })
          : await createNunjucksEngine({ strict, loader });
      return engine.render(template, read.data);
    }
  }
}

/**
 * What minijinja-cli would go by: the file that MINIJINJA_CONFIG_FILE names, the nearest `.minijinja.toml` from here upwards (which is what
 * repositories set that variable to), or the one at home. Without any our own defaults hold.
 *
 * Failure: `usage/file-missing`, `format/syntax`, `render/setting`.
 */
async function minijinjaOptions(context: CommandContext, template: SourceFile): Promise<MinijinjaOptions> {
  const file = await minijinjaFile(context);
  if (file === undefined) return {};
  const { parseToml } = await import('../../format/index.ts');
  const { documents, failures } = parseToml(file);
  throwIfAny(failures);
  const [document] = documents;
  if (document === undefined) return {};
  const settings = minijinjaSettings({ path: file.path, value: document.value, spanOf: (path) => document.spanOf(path) }, template.path);
  return { settings };
}

/** Of the environment what templates read of it by its name. */
function environmentOf({ world }: CommandContext, templates: readonly SourceFile[]): Readonly<Record<string, string>> {
  const names = templates.flatMap(({ text }) => [...text.matchAll(/\bENV\s*(?:\.\s*|\[\s*["'])(\w+)/g)].map(([, name = '']) => name));
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = world.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

async function minijinjaFile(context: CommandContext): Promise<SourceFile | undefined> {
  const { world, directory } = context;
  const named = world.env.get('MINIJINJA_CONFIG_FILE');
  if (named !== undefined && named !== '') return readNamed(context, named, 'MINIJINJA_CONFIG_FILE');
  const places = [world.env.home];
  for (let folder = directory; ; folder = posix.dirname(folder)) {
    places.splice(-1, 0, folder);
    if (folder === posix.dirname(folder)) break;
  }
  for (const place of places) {
    const path = posix.join(place, '.minijinja.toml');
    const text = await world.files.readText(path);
    if (text !== undefined) return { path: posix.relative(directory, path), text };
  }
  return undefined;
}

/**
 * Templates are pure and files are not: each evaluation tells which names it misses, those are read, and it is done again until
 * nothing new is asked for.
 */
async function withTemplatesBeside(
  context: CommandContext,
  template: SourceFile,
  render: (loader: Loader, beside: readonly SourceFile[]) => Promise<Rendered>,
): Promise<Rendered> {
  const known = new Map<string, SourceFile | undefined>();
  for (;;) {
    const asked = new Set<string>();
    const rendered = await render(
      (name) => {
        if (!known.has(name)) asked.add(name);
        return known.get(name);
      },
      [...known.values()].filter((file) => file !== undefined),
    );
    if (asked.size === 0) return rendered;
    for (const name of asked) known.set(name, await readBeside(context, template, name));
  }
}

/** Undefined where the name leaves the template's folder, by dots or by a link. */
async function readBeside({ world, directory }: CommandContext, template: SourceFile, name: string): Promise<SourceFile | undefined> {
  const folder = await world.files.realPath(posix.dirname(resolve(directory, template.path)));
  const path = folder === undefined || posix.isAbsolute(name) ? undefined : await world.files.realPath(posix.join(folder, name));
  if (path === undefined || !path.startsWith(folder === '/' ? '/' : `${folder}/`)) return undefined;
  if ((await world.files.stat(path))?.kind !== 'file') return undefined;
  const text = await world.files.readText(path);
  return text === undefined ? undefined : { path: name, text };
}
