import { posix } from 'node:path';
import { type Failure, type Files, type SourceFile, TkError } from '../base/index.ts';
import { createEngine, type EngineOptions, type TemplateData } from './engine.ts';
import { renderFailure } from './failures.ts';
import { matchesPattern } from './pattern.ts';
import type { Data } from './python/convert.ts';

export interface RenderTreeOptions {
  readonly files: Pick<Files, 'read' | 'stat' | 'list' | 'realPath'>;
  /** Absolute folders; where two bring the same output path, the first wins. */
  readonly inputs: readonly string[];
  readonly data: TemplateData;
  readonly engine: Omit<EngineOptions, 'loader'>;
  /** Files with this suffix are rendered and lose it, others are copied. Default: `.j2`. */
  readonly suffix?: string;
  /** Shell patterns, matched against the end of the path. Default: none. */
  readonly exclude?: readonly string[];
  /** Return false to leave a path (relative to its input) out. */
  readonly filter?: (path: string) => boolean;
  /** Keep files that render to white space only. Default: false, they are left out. */
  readonly keepEmpty?: boolean;
}

/** A file to be written; `path` is relative to the output folder. */
export interface PlannedFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
  /** The input that it comes from, absolute. */
  readonly source: string;
}

export type RenderedTree =
  | { readonly state: 'rendered'; readonly outputs: readonly PlannedFile[] }
  | { readonly state: 'failed'; readonly failures: readonly [Failure, ...Failure[]] };

interface InputFile {
  readonly input: string;
  /** Relative to its input. */
  readonly path: string;
}

/**
 * Renders folders of templates as makejinja does. Reads, never writes; all failures of all templates at once.
 *
 * Shape: outputs are sorted by path. Source: makejinja 2.8 app.py, for order, exclusion, suffix and empty files.
 */
export async function renderTree(options: RenderTreeOptions): Promise<RenderedTree> {
  try {
    const found = (await Promise.all(options.inputs.map((input) => listInput(options.files, input)))).flat();
    return renderFound(options, found, await readTexts(options.files, found));
  } catch (error) {
    if (error instanceof TkError) return { state: 'failed', failures: error.failures };
    throw error;
  }
}

async function listInput(files: RenderTreeOptions['files'], input: string): Promise<InputFile[]> {
  const root = await files.realPath(input);
  if (root === undefined) throw new TkError(renderFailure('render/no-input', { path: input }));
  const found: InputFile[] = [];
  const visit = async (folder: string): Promise<void> => {
    for (const { name, kind } of await files.list(posix.join(input, folder))) {
      const path = posix.join(folder, name);
      if (kind === 'directory') await visit(path);
      else if (kind === 'file') found.push({ input, path });
      else if (kind === 'link') {
        const target = await files.realPath(posix.join(input, path));
        // A link that leaves its input could bring any file of the machine into a committed tree.
        if (target === undefined || !isInside(target, root))
          throw new TkError(renderFailure('render/outside', { path: posix.join(input, path), output: input }));
        if ((await files.stat(target))?.kind === 'file') found.push({ input, path });
      }
    }
  };
  await visit('');
  return found;
}

async function readTexts(files: RenderTreeOptions['files'], found: readonly InputFile[]): Promise<Map<InputFile, Uint8Array>> {
  const contents = new Map<InputFile, Uint8Array>();
  for (const file of found) contents.set(file, (await files.read(posix.join(file.input, file.path))) ?? new Uint8Array());
  return contents;
}

async function renderFound(
  options: RenderTreeOptions,
  found: readonly InputFile[],
  contents: ReadonlyMap<InputFile, Uint8Array>,
): Promise<RenderedTree> {
  const { suffix = '.j2', exclude = [] } = options;
  const firsts = new Map<string, InputFile>();
  for (const file of found) if (!firsts.has(file.path)) firsts.set(file.path, file);
  const source = (file: InputFile): SourceFile => ({
    path: posix.join(file.input, file.path),
    text: new TextDecoder().decode(contents.get(file)),
  });
  const engine = createEngine({
    ...options.engine,
    // Data are globals, as in makejinja, so that imported templates see them.
    globals: new Map([...entriesOf(options.engine.globals ?? {}), ...entriesOf(options.data)]),
    loader: (name) => {
      const file = firsts.get(posix.normalize(name));
      return file && source(file);
    },
  });
  const outputs = new Map<string, PlannedFile | undefined>();
  const failures: Failure[] = [];
  for (const file of found) {
    const isTemplate = posix.extname(file.path) === suffix;
    const path = isTemplate ? file.path.slice(0, -suffix.length) : file.path;
    const isExcluded = exclude.some((pattern) => matchesPattern(file.path, pattern)) || options.filter?.(file.path) === false;
    if (isExcluded || outputs.has(path)) continue;
    const from = posix.join(file.input, file.path);
    const mode = (await options.files.stat(from))?.mode ?? 0o644;
    if (!isTemplate) {
      outputs.set(path, { path, content: contents.get(file) ?? new Uint8Array(), mode, source: from });
      continue;
    }
    // The first input's file of this name is what the name means, even to a later input.
    const result = engine.render(source(firsts.get(file.path) ?? file), {});
    if (result.state === 'failed') failures.push(...result.failures);
    else {
      const isEmpty = result.text.trim() === '' && !options.keepEmpty;
      outputs.set(path, isEmpty ? undefined : { path, content: result.text, mode, source: from });
    }
  }
  const [first, ...rest] = failures;
  if (first) return { state: 'failed', failures: [first, ...rest] };
  const planned = [...outputs.values()].filter((output) => output !== undefined);
  return { state: 'rendered', outputs: planned.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

const entriesOf = (data: TemplateData): readonly [string, Data][] =>
  data instanceof Map ? [...(data as ReadonlyMap<string, Data>)] : Object.entries(data);

export const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
