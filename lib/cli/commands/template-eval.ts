import { posix, resolve } from 'node:path';
import { type SourceFile, TkError } from '../../base/index.ts';
import { createEngine, createNunjucksEngine, evaluateTemplate, type Rendered, readTemplateData } from '../../render/index.ts';
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
}

/** Prints what the template becomes, to the byte. Failure: `render/*`. */
export async function run(context: CommandContext): Promise<number> {
  const { values } = context;
  const dialect = choiceOf(requiredText(values, 'dialect'), '--dialect', dialects);
  const template = await readNamed(context, requiredText(values, 'template'), '--template');
  const data = await readNamed(context, requiredText(values, 'data'), '--data');
  const strict = isOn(values, 'strict');
  const rendered = await withTemplatesBeside(context, template, (loader) => evaluate({ dialect, strict, template, data, loader }));
  if (rendered.state === 'failed') throw new TkError(...rendered.failures);
  context.print(rendered.text);
  return 0;
}

async function evaluate({ dialect, strict, template, data, loader }: Question): Promise<Rendered> {
  switch (dialect) {
    case 'makejinja':
    case 'minijinja':
      return evaluateTemplate({ dialect, strict, template, data, loader });
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
 * Templates are pure and files are not: each evaluation tells which names it misses, those are read, and it is done again until
 * nothing new is asked for.
 */
async function withTemplatesBeside(
  context: CommandContext,
  template: SourceFile,
  render: (loader: Loader) => Promise<Rendered>,
): Promise<Rendered> {
  const known = new Map<string, SourceFile | undefined>();
  for (;;) {
    const asked = new Set<string>();
    const rendered = await render((name) => {
      if (!known.has(name)) asked.add(name);
      return known.get(name);
    });
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
