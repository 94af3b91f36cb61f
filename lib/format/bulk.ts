import { defineScalarTag, FAILSAFE_SCHEMA, loadAll, mergeTag, NOT_RESOLVED, Schema, YAMLException } from 'js-yaml';
import { placeOf, TkError } from '../base/index.ts';
import { withoutMark } from './document.ts';
import { formatFailure } from './failures.ts';
import { resolveScalar, type ScalarKind, type YamlReader } from './scalar.ts';

const schemas = new Map<YamlReader, Schema>();

/**
 * Reads large YAML that machines wrote (CRD bundles, rendered charts) about eight times as fast as `parseYaml`, without positions.
 * Empty documents are left out. Default reader: `kubernetes`.
 *
 * Failure: `format/syntax` with the line.
 */
export function parseYamlBulk(text: string, options: { readonly path?: string; readonly version?: YamlReader } = {}): unknown[] {
  const file = withoutMark({ path: options.path ?? '', text });
  try {
    const reader = options.version ?? 'kubernetes';
    const schema = schemaOf(reader);
    const documents = (reader === 'core' ? undefined : endingInBlock(file.text, schema)) ?? loadAll(file.text, { schema });
    return documents.filter((document) => document !== null && document !== undefined);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const start = Math.min(error.mark?.position ?? 0, file.text.length);
    throw new TkError(
      formatFailure('format/syntax', { format: 'YAML', problem: error.reason }, { where: placeOf({ file, start, end: start + 1 }) }),
    );
  }
}

/** Stands at the end of a text to see whether that is inside of a block. */
const mark = '\uE000';

/**
 * The documents of a text that ends inside of a text block, without a line break: Go's readers take the block to end without one, too.
 * Undefined for every other text.
 */
function endingInBlock(text: string, schema: Schema): unknown[] | undefined {
  if (/[\r\n][ \t]*$/.test(text) || !/[|>][-+0-9]*[ \t]*(?:#.*)?\r?$/m.test(text) || text.includes(mark)) return undefined;
  let documents: unknown[];
  try {
    documents = loadAll(`${text}${mark}\n`, { schema });
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  }
  let isBlock = false;
  const seen = new Set<unknown>();
  const cut = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const at = value.indexOf(mark);
      if (at === -1) return value;
      isBlock ||= at < value.length - 1;
      return value.slice(0, at);
    }
    if (typeof value !== 'object' || value === null || seen.has(value)) return value;
    seen.add(value);
    const holder = value as Record<string, unknown>;
    for (const [key, item] of Object.entries(holder)) {
      const after = cut(item);
      if (after !== item) holder[key] = after;
    }
    return value;
  };
  const read = documents.map(cut);
  return isBlock ? read : undefined;
}

function schemaOf(reader: YamlReader): Schema {
  const known = schemas.get(reader);
  if (known) return known;
  const tag = (name: string, kinds: readonly ScalarKind[]) =>
    defineScalarTag(`tag:yaml.org,2002:${name}`, {
      implicit: true,
      identify: () => false,
      resolve(source) {
        const { kind, value } = resolveScalar(source, reader);
        return kinds.includes(kind) ? value : NOT_RESOLVED;
      },
    });
  const schema = new Schema([...FAILSAFE_SCHEMA.tags]).withTags(
    tag('null', ['null']),
    tag('bool', ['bool']),
    tag('int', ['int']),
    tag('float', ['float']),
    mergeTag,
  );
  schemas.set(reader, schema);
  return schema;
}
