import { posix } from 'node:path';
import { type Failure, placeOf, type SourceFile, TkError } from '../base/index.ts';
import { parseYaml } from '../format/index.ts';
import { secretsFailure } from './failures.ts';
import type { Indents } from './sops/formats.ts';
import { defaultSelection, goRegex, type Selection, selectionKeys } from './sops/selection.ts';

/** One creation rule of `.sops.yaml`. */
export interface CreationRule {
  /** Absent: every file. */
  readonly pathRegex?: RegExp;
  readonly recipients: readonly string[];
  /** Kinds of keys that only the sops program can use. */
  readonly otherKeys: readonly string[];
  readonly selection: Selection;
  readonly macOnlyEncrypted: boolean;
}

export interface SopsRules {
  /** Of the file that the rules stand in; absolute or relative like the paths that are asked about. */
  readonly path: string;
  /** In order: the first that matches counts. */
  readonly rules: readonly CreationRule[];
  readonly indents: Indents;
}

export type ParsedRules =
  | { readonly state: 'parsed'; readonly rules: SopsRules }
  | { readonly state: 'failed'; readonly failures: readonly [Failure, ...Failure[]] };

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const otherKinds = ['kms', 'pgp', 'gcp_kms', 'hckms', 'azure_keyvault', 'hc_vault_transit_uri', 'hc_vault'];

/** Reads `.sops.yaml`. Failure: `secrets/bad-rules`, all of them at once. Source: getsops/sops config/config.go */
export function parseSopsRules(file: SourceFile): ParsedRules {
  const { documents, failures: syntax } = parseYaml(file);
  const [first, ...more] = syntax;
  if (first)
    return {
      state: 'failed',
      failures: [secretsFailure('secrets/bad-rules', { file: file.path, problem: 'syntax' }, { cause: first }), ...more],
    };
  const root = isFields(documents[0]?.value) ? documents[0].value : {};
  const failures: Failure[] = [];
  const listed = Array.isArray(root['creation_rules']) ? root['creation_rules'] : [];
  const rules = listed.map((rule: unknown, index) => {
    const span = documents[0]?.spanOf(['creation_rules', index]);
    const parsed = parseRule(isFields(rule) ? rule : {});
    if (typeof parsed !== 'string') return parsed;
    failures.push(
      secretsFailure('secrets/bad-rules', { file: file.path, problem: parsed, rule: index + 1 }, span ? { where: placeOf(span) } : {}),
    );
    return undefined;
  });
  const [failure, ...others] = failures;
  if (failure) return { state: 'failed', failures: [failure, ...others] };
  return {
    state: 'parsed',
    rules: { path: file.path, rules: rules.filter((rule) => rule !== undefined), indents: indentsOf(root['stores']) },
  };
}

function parseRule(rule: Fields): CreationRule | 'regex' | 'two-selections' {
  const source = typeof rule['path_regex'] === 'string' ? rule['path_regex'] : '';
  const pathRegex = source === '' ? undefined : goRegex(source);
  if (source !== '' && !pathRegex) return 'regex';
  const given = selectionKeys.filter((key) => typeof rule[key] === 'string' && rule[key] !== '');
  if (given.length > 1) return 'two-selections';
  const [key] = given;
  const selection: Selection = key ? { [key]: rule[key] } : defaultSelection;
  if (key?.endsWith('regex') && !goRegex(String(rule[key]))) return 'regex';
  const groups = Array.isArray(rule['key_groups']) ? rule['key_groups'].filter(isFields) : [];
  const otherKeys = [rule, ...groups].flatMap((fields) => otherKinds.filter((kind) => keysOf(fields[kind]).length > 0));
  return {
    ...(pathRegex ? { pathRegex } : {}),
    recipients: [...new Set(groups.length > 0 ? groups.flatMap((group) => keysOf(group['age'])) : keysOf(rule['age']))],
    // More than one group means shares of the key, which is Shamir's business.
    otherKeys: [...new Set([...otherKeys, ...(groups.length > 1 ? ['key_groups'] : [])])],
    selection,
    macOnlyEncrypted: rule['mac_only_encrypted'] === true,
  };
}

/** A list, or a text with commas. */
function keysOf(value: unknown): string[] {
  const parts =
    typeof value === 'string'
      ? value.split(',')
      : Array.isArray(value)
        ? value.flatMap((item) => (typeof item === 'string' ? item.split(',') : isFields(item) ? ['(object)'] : []))
        : [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function indentsOf(stores: unknown): Indents {
  const indent = (name: string): number | undefined => {
    const store = isFields(stores) ? stores[name] : undefined;
    return isFields(store) && typeof store['indent'] === 'number' ? store['indent'] : undefined;
  };
  const yaml = indent('yaml');
  return { yaml: yaml !== undefined && yaml > 0 ? yaml : undefined, json: indent('json'), json_binary: indent('json_binary') };
}

/** The rule for a file; paths are compared relative to the folder of the rules. Failure: `secrets/no-rule`, `secrets/unsupported-key`, `secrets/bad-rules`. */
export function ruleFor(rules: SopsRules, path: string): CreationRule {
  const folder = posix.dirname(rules.path);
  const relative = folder === '.' ? path : path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
  const rule = rules.rules.find(({ pathRegex }) => pathRegex === undefined || pathRegex.test(relative));
  if (!rule) throw new TkError(secretsFailure('secrets/no-rule', { file: path, rules: rules.path }));
  if (rule.otherKeys.length > 0) throw new TkError(secretsFailure('secrets/unsupported-key', { file: rules.path, kinds: rule.otherKeys }));
  if (rule.recipients.length === 0)
    throw new TkError(
      secretsFailure('secrets/bad-rules', { file: rules.path, problem: 'no-recipient', rule: rules.rules.indexOf(rule) + 1 }),
    );
  return rule;
}
