import { table as table9 } from './schema/1.9.gen.ts';
import { table as table10 } from './schema/1.10.gen.ts';
import { table as table11 } from './schema/1.11.gen.ts';
import { table as table12 } from './schema/1.12.gen.ts';
import { table as table13 } from './schema/1.13.gen.ts';
import { table as table14 } from './schema/1.14.gen.ts';
import { newSince } from './schema/before-1.9.gen.ts';

/** What a field of a machine configuration holds. Names of scalars are Go's, without the package path. */
export type SchemaType =
  | { readonly is: 'scalar'; readonly go: string }
  | { readonly is: 'enum'; readonly go: string; readonly values: readonly string[] }
  | {
      readonly is: 'struct';
      readonly go: string;
      readonly fields: readonly SchemaField[];
      readonly byName: ReadonlyMap<string, SchemaField>;
    }
  | { readonly is: 'list'; readonly go: string; readonly of: SchemaType }
  | { readonly is: 'map'; readonly go: string; readonly of: SchemaType }
  /** Nil and zero differ: a zero in a patch overwrites. */
  | { readonly is: 'pointer'; readonly go: string; readonly to: SchemaType }
  /** Anything that YAML can say. */
  | { readonly is: 'any'; readonly go: string };

export interface SchemaField {
  readonly name: string;
  readonly type: SchemaType;
  /** Whether an empty value is left out when the document is written; `if-nil` writes an empty list or map that was given. */
  readonly omit: 'never' | 'if-empty' | 'if-nil';
  /** A patch's value takes the place of the old one instead of being merged with it. */
  readonly replaces: boolean;
  /** Go's name of the field, which templates use; only in the document without a kind. */
  readonly goName?: string;
}

export interface DocumentKind {
  /** `v1alpha1` for the document without a kind. */
  readonly kind: string;
  /** The struct behind it. */
  readonly type: SchemaType & { readonly is: 'struct' };
  /** The field that tells documents of one kind apart; absent where there can be only one. */
  readonly nameField?: string;
}

export interface MachineConfigSchema {
  readonly minor: TalosMinor;
  readonly kinds: ReadonlyMap<string, DocumentKind>;
}

export const talosMinors = ['1.2', '1.3', '1.4', '1.5', '1.6', '1.7', '1.8', '1.9', '1.10', '1.11', '1.12', '1.13', '1.14'] as const;
export type TalosMinor = (typeof talosMinors)[number];

const tables: Readonly<Record<TalosMinor, () => string>> = {
  ...olderTables(),
  '1.9': () => table9,
  '1.10': () => table10,
  '1.11': () => table11,
  '1.12': () => table12,
  '1.13': () => table13,
  '1.14': () => table14,
};
const read = new Map<TalosMinor, MachineConfigSchema>();

/** The documents that one minor of Talos knows, read from its table on first use. */
export function machineConfigSchema(minor: TalosMinor): MachineConfigSchema {
  let schema = read.get(minor);
  if (!schema) {
    schema = readTable(minor, tables[minor]());
    read.set(minor, schema);
  }
  return schema;
}

/** Before 1.9 nothing was taken away or renamed: each table is the one of 1.9 without what came later. */
function olderTables(): Record<'1.2' | '1.3' | '1.4' | '1.5' | '1.6' | '1.7' | '1.8', () => string> {
  const without = (minor: TalosMinor) => () => {
    const later = new Set(
      Array.from(newSince.matchAll(/^(\S+) (\S+ \S+)$/gm), ([, since, name]) => ({ since: since as TalosMinor, name }))
        .filter(({ since }) => talosMinors.indexOf(since) > talosMinors.indexOf(minor))
        .map(({ name }) => name),
    );
    let type = '';
    return table9
      .split('\n')
      .filter((line) => {
        const [word = '', name = ''] = line.split(' ');
        if (word === 'type') type = name;
        return !later.has(word === 'kind' ? `kind ${name}` : word === '' ? `${type} ${name.replace(/[?!=]+$/, '')}` : '');
      })
      .join('\n');
  };
  return {
    '1.2': without('1.2'),
    '1.3': without('1.3'),
    '1.4': without('1.4'),
    '1.5': without('1.5'),
    '1.6': without('1.6'),
    '1.7': without('1.7'),
    '1.8': without('1.8'),
  };
}

/** Written as base64 of PEM. Source: siderolabs/crypto x509, MarshalYAML */
function pemTypes(): [string, SchemaType][] {
  const struct = (go: string, names: readonly string[]): [string, SchemaType] => {
    const fields = names.map((name): SchemaField => ({ name, type: { is: 'scalar', go: 'base64' }, omit: 'never', replaces: false }));
    return [go, { is: 'struct', go, fields, byName: new Map(fields.map((field) => [field.name, field])) }];
  };
  return [
    struct('x509.PEMEncodedCertificateAndKey', ['crt', 'key']),
    struct('x509.PEMEncodedCertificate', ['crt']),
    struct('x509.PEMEncodedKey', ['key']),
  ];
}

function readTable(minor: TalosMinor, table: string): MachineConfigSchema {
  const typeNamed = readTypes(table);
  const kinds = new Map<string, DocumentKind>();
  for (const [, kind = '', type = '', nameField] of table.matchAll(/^kind (\S+) (\S+)(?: (\S+))?$/gm)) {
    const struct = typeNamed(type);
    if (struct.is === 'struct') kinds.set(kind, { kind, type: struct, ...(nameField === undefined ? {} : { nameField }) });
  }
  return { minor, kinds };
}

/** The types of talhelper's file, which borrows from the tables of Talos. */
export function typesFromTables(table: string): (name: string) => SchemaType {
  return readTypes(`${table14}${table}`);
}

/** A struct of a table. Its fields are read when they are first asked for: a command has to do with a few of two hundred structs. */
class TableStruct {
  readonly is = 'struct';
  readonly go: string;
  readonly #lines: string;
  readonly #typeNamed: (name: string) => SchemaType;
  #fields: readonly SchemaField[] | undefined;
  #byName: ReadonlyMap<string, SchemaField> | undefined;

  constructor(go: string, lines: string, typeNamed: (name: string) => SchemaType) {
    this.go = go;
    this.#lines = lines;
    this.#typeNamed = typeNamed;
  }

  get fields(): readonly SchemaField[] {
    return (this.#fields ??= Array.from(this.#lines.matchAll(/^ (\S*) (\S+)(?: (\S+))?$/gm), ([, label = '', type = '', goName]) => ({
      name: label.replace(/[?!=]+$/, ''),
      type: this.#typeNamed(type),
      omit: label.includes('?') ? 'if-empty' : label.includes('!') ? 'if-nil' : 'never',
      replaces: label.endsWith('='),
      ...(goName === undefined ? {} : { goName }),
    })));
  }

  get byName(): ReadonlyMap<string, SchemaField> {
    return (this.#byName ??= new Map(this.fields.map((field) => [field.name, field])));
  }
}

function readTypes(table: string): (name: string) => SchemaType {
  const declared = new Map<string, { readonly word: string; readonly rest: string; readonly lines: string }>();
  for (const [, word = '', name = '', rest = '', lines = ''] of table.matchAll(/^(type|enum|alias) (\S+)(.*)\n((?: .*\n)*)/gm))
    declared.set(name, { word, rest, lines });
  const types = new Map<string, SchemaType>(pemTypes());
  const typeNamed = (name: string): SchemaType => {
    const known = types.get(name);
    if (known) return known;
    const made = makeType(name, name);
    types.set(name, made);
    return made;
  };
  /** `go` is what it is called where it is used: an alias has the name of its own. */
  const makeType = (name: string, go: string): SchemaType => {
    if (name.startsWith('*')) return { is: 'pointer', go, to: typeNamed(name.slice(1)) };
    if (name.startsWith('[]')) return { is: 'list', go, of: typeNamed(name.slice(2)) };
    const map = /^map\[[^\]]*\](.*)$/.exec(name);
    if (map) return { is: 'map', go, of: typeNamed(map[1] ?? 'any') };
    if (name === 'any') return { is: 'any', go };
    const declaration = declared.get(name);
    switch (declaration?.word) {
      case 'enum':
        return { is: 'enum', go, values: declaration.rest.trim().split(' ') };
      case 'alias': {
        const [target = 'any'] = declaration.rest.trim().split(' ');
        const known = types.get(target);
        return known !== undefined && !(known instanceof TableStruct) ? { ...known, go } : makeType(target, go);
      }
      case 'type':
        return new TableStruct(go, declaration.lines, typeNamed);
      default:
        return { is: 'scalar', go };
    }
  };
  return typeNamed;
}
