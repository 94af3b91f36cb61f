import { isMap, isScalar, isSeq, yamlLibrary } from './yaml-library.ts';

/**
 * The text as Go's yaml.v3 writes what it has read as nodes: styles and order stay, comments and blank lines go, two spaces a level.
 * Undefined for what holds no mapping and no list, and for what is no YAML.
 *
 * Source: go.yaml.in/yaml/v3, an Encoder over the nodes of a Decoder
 */
export function goFormatted(text: string): string | undefined {
  const { parseAllDocuments, visit } = yamlLibrary();
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    customTags: (tags) => [...tags, emptyValue],
    uniqueKeys: false,
    logLevel: 'silent',
    prettyErrors: false,
  });
  if (!Array.isArray(documents)) return '';
  if (documents.every(({ contents, errors }) => errors.length === 0 && (contents === null || isEmpty(contents)))) return '';
  const written: string[] = [];
  for (const document of documents) {
    if (document.errors.length > 0 || !(isMap(document.contents) || isSeq(document.contents))) return undefined;
    document.commentBefore = null;
    document.comment = null;
    document.directives.docStart = null;
    visit(document, {
      Node(_, node) {
        delete node.commentBefore;
        delete node.comment;
        if ('spaceBefore' in node) delete node.spaceBefore;
      },
    });
    written.push(
      document.toString({
        indent: 2,
        indentSeq: true,
        lineWidth: 0,
        minContentWidth: 0,
        flowCollectionPadding: false,
        doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
        directives: false,
      }),
    );
  }
  return written.join('---\n');
}

const isEmpty = (node: unknown) => isScalar(node) && (node.value === null || node.value === '');

/** A key without a value stays one. */
const emptyValue = {
  tag: 'tag:yaml.org,2002:null',
  default: true,
  identify: (value: unknown) => value === null || value === undefined,
  test: /^$/,
  resolve: () => null,
  stringify: () => '',
};
