import { deepFrozen, type Failure, remembered, type SourceFile, type Span } from '../base/index.ts';
import { type Document, type ScalarTag, yamlLibrary } from './yaml-library.ts';
import { type DataDocument, withoutMark } from './document.ts';
import { formatFailure } from './failures.ts';
import { resolveScalar, type YamlReader } from './scalar.ts';
import { nestsTooDeep } from './yaml-depth.ts';
import { dataDocument } from './yaml-document.ts';
import { quickDocument } from './yaml-quick.ts';
import { aliasFailures, failureOfError, type Placer, placer, spanOfNode } from './yaml-failures.ts';
import { endBlockWithFile, valueOfDocument } from './yaml-value.ts';

export interface YamlOptions {
  /** Default `go`: nearly every file here ends in front of Talos, Flux or SOPS. */
  readonly version?: YamlReader;
  /** The file holds secrets: failures carry neither its text nor what the reader quotes of it. */
  readonly confidential?: boolean;
}

export interface ParsedData {
  /** Also filled after failures, with whatever could be read. */
  readonly documents: readonly DataDocument[];
  readonly failures: readonly Failure[];
}

/** A run reads the same few files again and again; of the larger ones only the latest is worth its memory. */
const remembers = { limit: 100, longest: 64 * 1024 };

const keyOf = ({ path, text }: SourceFile, { version, confidential }: YamlOptions): string =>
  `${version}\0${confidential}\0${path}\0${text}`;
const parsedBefore = remembered(readYaml, { limit: remembers.limit, keyOf });
const largeBefore = remembered(readYaml, { limit: 1, keyOf });

/**
 * Reads all documents of a YAML file. Files that hold nothing but comments have no document. Values are frozen.
 *
 * Failure: `format/syntax`, `format/duplicate-key`, `format/alias`, `format/too-deep`; all of them with their place.
 */
export function parseYaml(source: SourceFile, options: YamlOptions = {}): ParsedData {
  // The same text taken from two places has two places.
  if (source.shown !== undefined) return readYaml(source, options);
  return source.text.length > remembers.longest ? largeBefore(source, options) : parsedBefore(source, options);
}

function readYaml(source: SourceFile, options: YamlOptions): ParsedData {
  const file = withoutMark(source);
  const reader = options.version ?? 'go';
  const failures: Failure[] = [];
  const place = placer(options.confidential === true);
  if (nestsTooDeep(file.text)) {
    // No excerpt: the line is one nobody wants to see.
    const where = placer(true)({ file, start: 0, end: 1 });
    return { documents: [], failures: [formatFailure('format/too-deep', { format: 'YAML' }, { where })] };
  }
  const quick = quickDocument(file, reader, sourceSpan(file, 0, 0, file.text.length));
  if (quick) return { documents: [quick], failures };
  const parsed = yamlLibrary().parseAllDocuments(file.text, {
    schema: 'failsafe',
    customTags: (tags) => [...tags, ...tagsOf(reader)],
    merge: true,
    logLevel: 'silent',
    prettyErrors: false,
  });
  const documents: DataDocument[] = [];
  let end = 0;
  const all = Array.isArray(parsed) ? parsed : [];
  for (const [index, document] of all.entries()) {
    for (const error of document.errors) failures.push(failureOfError(error, document, file, options.confidential === true));
    if (reader !== 'core' && index === all.length - 1) endBlockWithFile(document, file.text);
    const aliases = aliasFailures(document, file, place);
    failures.push(...aliases);
    const value = aliases.length > 0 ? null : valueOf(document, file, failures, place);
    const nextStart = all[index + 1]?.range[0] ?? file.text.length;
    documents.push(dataDocument(document, file, sourceSpan(file, end, document.range[0], nextStart), value, reader));
    end = nextStart;
  }
  return { documents, failures };
}

const wordsOf: Record<YamlReader, RegExp> = {
  go: /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE)?$/,
  core: /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE)?$/,
  kubernetes: /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)?$/,
};

function tagsOf(reader: YamlReader): ScalarTag[] {
  const resolve = (text: string) => resolveScalar(text, reader).value;
  return [
    { tag: 'tag:yaml.org,2002:null', default: true, test: wordsOf[reader], resolve },
    { tag: 'tag:yaml.org,2002:int', default: true, test: /^[-+.0-9]/, resolve },
    { tag: 'tag:yaml.org,2002:float', resolve: (text: string) => Number(resolve(text)) },
    { tag: 'tag:yaml.org,2002:bool', resolve },
  ];
}

function valueOf(document: Document.Parsed, file: SourceFile, failures: Failure[], place: Placer): unknown {
  const found = valueOfDocument(document);
  switch (found.state) {
    case 'read':
      return deepFrozen(found.value);
    case 'complex-key':
      failures.push(formatFailure('format/complex-key', {}, { where: place(spanOfNode(file, found.key)) }));
      return null;
    case 'too-many-aliases': {
      const [start, end] = document.range;
      failures.push(formatFailure('format/alias', { problem: 'too-many' }, { where: place({ file, start, end }) }));
      return null;
    }
  }
}

/** From behind its own `---` to the next one, comments included. */
function sourceSpan(file: SourceFile, previousEnd: number, start: number, nextStart: number): Span {
  const text = file.text.slice(start, nextStart);
  const marker = /^---(?:[ \t]*\r?\n|[ \t]+|$)/.exec(text);
  const ending = /(?:^|\n)\.\.\.[ \t]*\r?\n?$/.exec(text);
  const end = ending ? nextStart - ending[0].replace(/^\n/, '').length : nextStart;
  return { file, start: Math.min(end, marker ? start + marker[0].length : Math.min(previousEnd, start)), end };
}
