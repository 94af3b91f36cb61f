import { goBlockScalar } from './go-block-scalar.ts';
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type ScalarTag,
  type YAMLMap,
  type YAMLSeq,
  yamlLibrary,
} from './yaml-library.ts';
import { analyse, doubleQuoted } from './yaml-tree-emit.ts';
import { endBlockWithFile } from './yaml-value.ts';

/**
 * The text as Go's yaml.v3 writes what it has read as nodes: styles and order stay, comments and blank lines go, two spaces a level.
 * Undefined for what holds no mapping and no list, and for what is no YAML.
 *
 * Source: go.yaml.in/yaml/v3, an Encoder over the nodes of a Decoder
 */
export function goFormatted(text: string): string | undefined {
  return goFormattedDocuments(text, { comments: 'left out' })?.join('---\n');
}

/** The same, document by document. Comments between blocks of different depth may move one level. */
export function goFormattedDocuments(text: string, { comments }: { readonly comments: 'kept' | 'left out' }): string[] | undefined {
  const { parseAllDocuments } = yamlLibrary();
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    customTags: (tags) => [
      ...tags.map((tag) => (typeof tag === 'object' && tag.tag === 'tag:yaml.org,2002:str' ? goText(tag as ScalarTag) : tag)),
      emptyValue,
    ],
    uniqueKeys: false,
    logLevel: 'silent',
    prettyErrors: false,
  });
  if (!Array.isArray(documents)) return [];
  if (documents.every(({ contents, errors }) => errors.length === 0 && (contents === null || isEmpty(contents))))
    return /^---/m.test(text) ? ['\n'] : [];
  const last = documents.at(-1);
  if (last) endBlockWithFile(last, text);
  const written: string[] = [];
  for (const document of documents) {
    if (document.errors.length > 0 || !(isMap(document.contents) || isSeq(document.contents))) return undefined;
    const finish = comments === 'kept' ? keepComments(document, text) : leaveOutComments(document);
    document.directives.docStart = null;
    written.push(
      finish(
        document.toString({
          indent: 2,
          indentSeq: true,
          lineWidth: 0,
          minContentWidth: 0,
          flowCollectionPadding: false,
          directives: false,
        }),
      ),
    );
  }
  return written;
}

const isEmpty = (node: unknown) => isScalar(node) && (node.value === null || node.value === '');

/** A key without a value stays one. */
const emptyValue: ScalarTag = {
  tag: 'tag:yaml.org,2002:null',
  default: true,
  identify: (value: unknown) => value === null || value === undefined,
  test: /^$/,
  resolve: () => null,
  stringify: (_, context) => (context.inFlow === true ? "''" : ''),
};

/**
 * A text keeps its style where Go's emitter allows that.
 *
 * Source: go.yaml.in/yaml/v3 emitterc.go yaml_emitter_select_scalar_style
 */
function goText(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    stringify(item, context, onComment, onChompKeep) {
      const text = String(item.value);
      const inFlow = context.inFlow === true;
      // The reader has told the key apart, and the writer says so.
      if (item.type === 'PLAIN' && text === '<<' && context.implicitKey) return '!!merge <<';
      const style = styleOf(text, item.type ?? 'PLAIN', inFlow, context.implicitKey === true);
      if (style === 'QUOTE_DOUBLE') return doubleQuoted(text);
      if (style === 'QUOTE_SINGLE' && !text.includes('\n')) return `'${text.replaceAll("'", "''")}'`;
      if (style === 'BLOCK_LITERAL' || style === 'BLOCK_FOLDED') {
        const comment = typeof item.comment === 'string' && item.comment !== '' ? ` #${item.comment.replace(/ ?[\r\n]+/g, ' ')}` : '';
        if (comment !== '') onComment?.();
        return goBlockScalar(text, style === 'BLOCK_LITERAL' ? 'literal' : 'folded', context.indent, comment);
      }
      return tag.stringify?.(item, context, onComment, onChompKeep) ?? text;
    },
  };
}

function styleOf(text: string, written: string, inFlow: boolean, isKey: boolean): string {
  // Most are plain words outside of brackets, which the reader has found to be good.
  if (written === 'PLAIN' && !inFlow && !text.includes('\n')) return written;
  const found = analyse(text);
  let style = written;
  if (style === 'PLAIN' && text.includes('\n')) style = 'BLOCK_LITERAL';
  if (style === 'PLAIN' && inFlow && text !== '' && !found.flowPlainAllowed) style = 'QUOTE_SINGLE';
  if (isKey && text.includes('\n')) return 'QUOTE_DOUBLE';
  if (style === 'QUOTE_SINGLE' && !found.singleAllowed) return 'QUOTE_DOUBLE';
  if (style.startsWith('BLOCK') && (inFlow || isKey || !found.blockAllowed)) return 'QUOTE_DOUBLE';
  return style;
}

function leaveOutComments(document: Document): (written: string) => string {
  document.commentBefore = null;
  document.comment = null;
  yamlLibrary().visit(document, {
    Node(_, node) {
      delete node.commentBefore;
      delete node.comment;
      if ('spaceBefore' in node) delete node.spaceBefore;
    },
  });
  return (written) => written;
}

/** Stands before a comment that follows its key on the same line. */
const sameLine = '\u0001';

/**
 * Puts comments where Go's reader sees them: before what they stand over, behind what they follow, and those of a file's head and end
 * without blank lines around them.
 */
function keepComments(document: Document, text: string): (written: string) => string {
  const root = document.contents as YAMLMap | YAMLSeq;
  const head = [document.commentBefore, root.commentBefore].flatMap((one) => lines(one));
  const isApart = /\n[ \t]*\n[ \t]*$/.test(text.slice(0, root.range?.[0] ?? 0));
  root.commentBefore = head.length === 0 ? null : head.join('\n');
  const end = lines(document.comment)
    .map((line) => (line === '' ? '\n' : `#${line}\n`))
    .join('');
  document.commentBefore = null;
  document.comment = null;
  yamlLibrary().visit(document, {
    Node(_, node) {
      if (typeof node.comment === 'string') node.comment = lines(node.comment).join('\n');
      if (typeof node.commentBefore === 'string') node.commentBefore = lines(node.commentBefore).join('\n');
      if ('spaceBefore' in node) delete node.spaceBefore;
    },
    Pair(_, { key, value }) {
      const first = isMap(value) || isSeq(value) ? (typeof value.commentBefore === 'string' ? value : firstOf(value)) : undefined;
      const from = (key as Node | null)?.range?.[1];
      const to = (value as Node | null)?.range?.[0];
      if (first === undefined || from === undefined || to === undefined) return;
      const behind = /^\s*:[^\n#]*[ \t]#([^\n]*)\n/.exec(text.slice(from, to))?.[1];
      if (behind !== undefined && first.commentBefore?.startsWith(behind)) first.commentBefore = `${sameLine}${first.commentBefore}`;
    },
    Seq(_, list) {
      for (const item of list.items) {
        const first = isMap(item) ? firstOf(item) : undefined;
        if (!isMap(item) || first === undefined) continue;
        const [from, to] = dashBefore.test(text.slice(0, first.range?.[0] ?? 0)) ? [item, first] : [first, item];
        if (typeof from.commentBefore !== 'string' || to.commentBefore) continue;
        to.commentBefore = from.commentBefore;
        delete from.commentBefore;
      }
    },
  });
  return (written) =>
    `${(isApart && head.length > 0 ? written.replace(/^(?:#.*\n|\n)*/, '$&\n') : written).replace(new RegExp(`:( [&!]\\S+)?\\n *#${sameLine}(.*)`, 'g'), ':$1 #$2')}${end}`;
}

const firstOf = (node: YAMLMap | YAMLSeq): Node | undefined => (isMap(node) ? node.items[0]?.key : node.items[0]) as Node | undefined;

/** A dash with nothing but comments after it. */
const dashBefore = /^[ \t]*-[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*[ \t]*$(?![^])/m;

/** Of a comment; blank lines between two blocks are one. */
const lines = (comment: string | null | undefined): string[] =>
  comment === null || comment === undefined
    ? []
    : comment
        .replace(/^\n+|\n+$/g, '')
        .replace(/\n{3,}/g, '\n\n')
        .split('\n');
