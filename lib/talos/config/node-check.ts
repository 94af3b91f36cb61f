import type { Failure } from '../../base/index.ts';
import { type DataDocument, parseYaml } from '../../format/index.ts';
import { documentConflicts, machineConfigSchema, type SchemaType, type TalosMinor } from '../../upstream/tables.ts';
import { renderGoYaml } from './go-yaml.ts';
import { contractOf, isAtLeastMinor } from './minor.ts';
import { validateMachineConfig } from './validate.ts';
import { isConfigMap, pointee } from './value.ts';

/**
 * What a node of that version answers to a configuration: undefined when it takes it, or the text of its error.
 *
 * Source: pkg/machinery/config/configloader, container.Validate; hashicorp/go-multierror for the list
 */
export function checkForNode(text: string, talosVersion: string): string | undefined {
  const minor = contractOf(talosVersion);
  const { failures, documents } = validateMachineConfig({ path: 'config.yaml', text }, { talosVersion, keepUnknownKinds: false });
  const [first] = failures;
  if (!first) return undefined;
  const parsed = parseYaml({ path: 'config.yaml', text }, { version: 'go' });
  const syntax = failures.find(({ code }) => code.startsWith('format/'));
  if (syntax) return syntaxText(syntax, text, minor, parsed.documents[0]);
  for (const source of parsed.documents) {
    const refused = source.value === null ? undefined : decodeText(source, minor, failures);
    if (refused !== undefined) return refused;
  }
  if (first.code === 'talos-config/no-config') return 'config not found';
  const duplicate = failures.find(({ code }) => code === 'talos-config/duplicate-document');
  if (duplicate) return duplicateText(parsed.documents, minor);
  const clash = failures.find(({ code }) => code === 'talos-config/clashing-documents');
  if (clash) return clashText(clash);

  const ofLegacy: string[] = [];
  const ofDocuments = new Map<string, string[]>();
  const conflicts: string[] = [];
  const together: string[] = [];
  for (const { code, facts } of failures) {
    const label = String(facts['document'] ?? '');
    if (code === 'talos-config/invalid' && label === 'v1alpha1') ofLegacy.push(String(facts['rule']));
    else if (code === 'talos-config/invalid') ofDocuments.set(label, [...(ofDocuments.get(label) ?? []), String(facts['rule'])]);
    else if (code === 'talos-config/invalid-together') together.push(String(facts['rule']));
    else if (code === 'talos-config/conflict') {
      const [kind = '', name = ''] = label.split(' ');
      const conflict = documentConflicts.find(
        (one) => one.kind === kind && one.field === facts['field'] && (one.names === undefined || one.names.includes(name)),
      );
      if (conflict) conflicts.push(conflict.message);
    } else if (code === 'talos-config/unsupported-kubernetes') {
      const isOld = Number(String(facts['kubernetesVersion']).split('.')[1]) < Number(String(facts['lowest']).split('.')[1]);
      ofLegacy.push(
        `kubelet image is not valid: version of Kubernetes ${String(facts['kubernetesVersion'])} is too ${isOld ? 'old' : 'new'} to be used with Talos ${talosVersion.replace(/^v/, '')}`,
      );
    }
  }
  const nameOf = (label: string) => {
    const [kind = '', name = ''] = label.split(' ');
    return documents.some((document) => document.kind === kind && document.schema?.nameField !== undefined) ? `${kind}/${name}` : kind;
  };
  return listOfErrors([
    ...(ofLegacy.length > 0 ? [`v1alpha1.Config: ${listOfErrors(ofLegacy)}`] : []),
    ...[...ofDocuments].map(([label, sentences]) => `${nameOf(label)}: ${sentences.join('\n')}`),
    ...conflicts,
    ...together,
  ]);
}

function clashText({ facts }: Failure): string {
  const [document = '', other = ''] = [facts['document'], facts['other']].map((label) => String(label).replace(' ', '/'));
  const isPair =
    document === other ||
    ([document, other].some((label) => label.startsWith('VethConfig/')) && document.split('/')[1] !== other.split('/')[1]);
  return isPair
    ? `conflicting link configurations: ${other} and ${document} both configure ${JSON.stringify(facts['name'])}`
    : `conflicting documents: ${other} and ${document}`;
}

/** Source: hashicorp/go-multierror ListFormatFunc */
function listOfErrors(sentences: readonly string[]): string {
  const head = sentences.length === 1 ? '1 error occurred:' : `${sentences.length} errors occurred:`;
  return `${head}\n\t${sentences.map((sentence) => `* ${sentence}`).join('\n\t')}\n\n`;
}

interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly line: number;
}

function identityOf(source: DataDocument): Identity {
  const root = isConfigMap(source.value) ? source.value : {};
  const text = (key: string) => (root[key] === undefined || root[key] === null ? '' : String(root[key]));
  return { apiVersion: text('apiVersion'), kind: text('kind') || 'v1alpha1', name: text('name'), line: lineOf(source, []) };
}

function lineOf(source: DataDocument, path: readonly (string | number)[], part: 'key' | 'value' = 'value'): number {
  const { start } = source.spanOf(path, part);
  return source.file.text.slice(0, start).split('\n').length;
}

/** The first thing that stops the decoder in one document. */
function decodeText(source: DataDocument, minor: TalosMinor, failures: readonly Failure[]): string | undefined {
  if (!isConfigMap(source.value)) return `expected a YAML document at line ${lineOf(source, [])}`;
  const { apiVersion, kind, name, line } = identityOf(source);
  const prefix = `error decoding document ${apiVersion}/${kind}/${name} (line ${line}): `;
  const written = source.value['kind'];
  if (written !== undefined && apiVersion === '') return `${prefix}missing apiVersion`;
  if (written === undefined && apiVersion !== 'v1alpha1' && failures.some(({ code }) => code === 'talos-config/missing-kind'))
    return `${prefix}missing kind`;
  const schema = machineConfigSchema(minor).kinds.get(kind);
  if (!schema || (apiVersion !== 'v1alpha1' && written !== undefined))
    return `${prefix}${JSON.stringify(kind)} ${JSON.stringify(apiVersion)}: not registered`;
  const lastLine = source.file.text.slice(0, source.source.end).split('\n').length;
  const types = failures.filter(
    ({ code, where }) => code === 'talos-config/wrong-type' && where?.kind === 'file' && where.line >= line && where.line <= lastLine,
  );
  if (types.length > 0) {
    const [package_ = '', struct = ''] = schema.type.go.split('.');
    const verb = isAtLeastMinor(minor, '1.13') ? 'construct' : 'unmarshal';
    const lines = types.map(({ where, facts }) => {
      const at = where?.kind === 'file' ? where.line : 0;
      return `line ${at}: cannot ${verb} ${String(facts['path'])}: expected ${String(facts['expected'])}, found ${String(facts['found'])}`;
    });
    return `${prefix}error decoding ${kind === 'v1alpha1' ? '' : kind} to *${package_.replace(/^.*\//, '')}.${struct}: yaml: ${verb} errors:${lines.length === 1 && isAtLeastMinor(minor, '1.14') ? ' ' : '\n  '}${lines.join('\n  ')}`;
  }
  const unknown = unknownPart(schema.type, source.value);
  return unknown === undefined ? undefined : `${prefix}unknown keys found during decoding:\n${renderGoYaml(unknown)}`;
}

/** The unknown keys of a value with everything that stands below them; undefined when all are known. */
function unknownPart(type: SchemaType, value: unknown): unknown {
  const actual = pointee(type);
  if (actual.is === 'list') {
    const items = Array.isArray(value)
      ? value.map((item: unknown) => unknownPart(actual.of, item)).filter((item) => item !== undefined)
      : [];
    return items.length > 0 ? items : undefined;
  }
  if ((actual.is !== 'struct' && actual.is !== 'map') || !isConfigMap(value)) return undefined;
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const field = actual.is === 'struct' ? actual.byName.get(key)?.type : actual.of;
    const part = field === undefined ? child : unknownPart(field, child);
    if (part !== undefined) result[key] = part;
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

function duplicateText(documents: readonly DataDocument[], minor: TalosMinor): string {
  const seen = new Set<string>();
  for (const source of documents) {
    if (source.value === null) continue;
    const { apiVersion, kind, name, line } = identityOf(source);
    const identity = `${apiVersion}/${kind}/${machineConfigSchema(minor).kinds.has(kind) ? name : ''}`;
    if (seen.has(identity)) return `duplicate document ${apiVersion}/${kind}/${name} is not allowed (line ${line})`;
    seen.add(identity);
  }
  return 'duplicate document';
}

function syntaxText({ code, facts, where }: Failure, text: string, minor: TalosMinor, source: DataDocument | undefined): string {
  const line = where?.kind === 'file' ? where.line : 1;
  if (code !== 'format/duplicate-key' || !source)
    return `decode error: yaml: line ${line}: ${String(facts['problem'] ?? 'did not find expected key')}`;
  const first = text.split('\n').findIndex((one) => one.trim().startsWith(`${String(facts['key'])}:`)) + 1;
  const verb = isAtLeastMinor(minor, '1.13') ? 'construct' : 'unmarshal';
  const related = where?.kind === 'file' ? where.related?.[0]?.line : undefined;
  return `error decoding document /v1alpha1/ (line ${lineOf(source, [])}): error decoding  to *v1alpha1.Config: yaml: ${verb} errors:${isAtLeastMinor(minor, '1.14') ? ' ' : '\n  '}line ${line}: mapping key ${JSON.stringify(facts['key'])} already defined at line ${related ?? first}`;
}
