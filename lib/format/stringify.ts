import { yamlLibrary } from './yaml-library.ts';
import { resolveScalar } from './scalar.ts';

export interface StringifyOptions {
  /** Default 2. */
  readonly indent?: number;
  /** Default true: the `-` of a list stands indented below its key. False: as Go's `sigs.k8s.io/yaml` puts it. */
  readonly indentSequences?: boolean;
  readonly sortKeys?: boolean;
}

/** YAML 1.1 in base 60. No reader of ours takes it, Ruby and Python do. */
const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** The library asks a regular expression which plain texts it has to quote; this one asks the readers. */
class MisreadUnlessQuoted extends RegExp {
  override test(text: string): boolean {
    if (text === '<<' || text === '=' || sexagesimal.test(text)) return true;
    return resolveScalar(text, 'kubernetes').kind !== 'string' || resolveScalar(text, 'core').kind !== 'string';
  }
}

/**
 * Writes a value so that YAML 1.1 and 1.2 readers, Go's included, read the same value back. Lines are never folded; an object that
 * occurs twice is written twice. Ends with a newline.
 */
export function stringifyYaml(value: unknown, options: StringifyOptions = {}): string {
  return yamlLibrary().stringify(quotedWhereBlank(value), {
    compat: [{ tag: 'tag:yaml.org,2002:int', default: true, test: new MisreadUnlessQuoted(''), resolve: (text: string) => text }],
    lineWidth: 0,
    indent: options.indent ?? 2,
    indentSeq: options.indentSequences ?? true,
    sortMapEntries: options.sortKeys ?? false,
    aliasDuplicateObjects: false,
  });
}

/** The library loses the blanks of a block scalar that holds nothing else. */
function quotedWhereBlank(value: unknown): unknown {
  if (typeof value === 'string' && value.includes('\n') && !/\S/.test(value)) {
    const scalar = new (yamlLibrary().Scalar)(value);
    scalar.type = 'QUOTE_DOUBLE';
    return scalar;
  }
  if (Array.isArray(value)) return value.map(quotedWhereBlank);
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, quotedWhereBlank(part)]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** One file of several documents, `---` between them. */
export function stringifyYamlDocuments(values: readonly unknown[], options: StringifyOptions = {}): string {
  return values.map((value) => stringifyYaml(value, options)).join('---\n');
}
