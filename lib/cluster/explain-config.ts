import { lineColumnAt, type Place, TkError } from '../base/index.ts';
import type { NodeModel, Talconfig } from '../config/index.ts';
import { formatPath } from '../format/index.ts';
import {
  contractOf,
  explainField,
  type ExplainedLayer,
  type Explanation,
  type GeneratedMachineConfig,
  movedTo,
} from '../talos/machine-config.ts';
import type { ExplainedField, ExplainedFieldLayer } from './cluster.ts';
import { type ShownValue, showConfigValue } from './redact-config.ts';
import { originInTalconfig } from './talconfig-origin.ts';

export interface ExplainParts {
  readonly source: Talconfig;
  readonly secrets: readonly string[];
}

/**
 * What a field is in these configs, and who said so.
 *
 * Shape: in the order of the nodes; one answer a document of the asked kind.
 * Failure: `talos-config/no-such-field`; `talos-config/no-such-document` when none of them has the document; a node without it answers
 * that nothing is set.
 */
export function explainConfigs(
  configs: readonly { readonly node: NodeModel; readonly config: GeneratedMachineConfig }[],
  question: string,
  parts: ExplainParts,
): readonly ExplainedField[] {
  let refusal: TkError | undefined;
  const minor = contractOf(parts.source.talosVersion);
  const answers = configs.flatMap(({ node, config }): readonly ExplainedField[] => {
    try {
      return explainField(config.layers, question, minor).map((explanation) => answerOf(node, config, explanation, question, parts));
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      refusal ??= error;
      return [{ node, document: '', path: question, layers: [], movedTo: [] }];
    }
  });
  if (refusal && answers.every((answer) => answer.document === '')) throw refusal;
  return answers;
}

function answerOf(
  node: NodeModel,
  config: GeneratedMachineConfig,
  explanation: Explanation,
  question: string,
  { source, secrets }: ExplainParts,
): ExplainedField {
  const path = explanation.path.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const shown = (value: unknown): ShownValue => showConfigValue(value, path, secrets);
  const declaredAt = source.nodes.find(({ hostname }) => hostname === node.name)?.declaredAt;
  const placeOfSetting = (kind: 'node' | 'generated'): string | undefined => {
    const { document, path: parts } = explanation;
    const scope = kind === 'node' ? 'node' : 'cluster';
    const place = originInTalconfig(source, { node: node.name, document, path: parts.join('.'), scope });
    if (place) return placeText(place);
    // What the generator writes by itself stands nowhere.
    return kind === 'node' && declaredAt
      ? `${declaredAt.file.path}:${lineColumnAt(declaredAt.file.text, declaredAt.start).line}`
      : undefined;
  };
  const kinds = new Set(config.documents.map((document) => document.kind));
  return {
    node,
    document: explanation.document,
    path: explanation.layers.length === 0 ? question : formatPath(path),
    ...(explanation.value === undefined ? {} : { value: shown(explanation.value) }),
    layers: explanation.layers.map((layer): ExplainedFieldLayer => {
      const where =
        layer.where !== undefined
          ? placeText(layer.where)
          : layer.kind === 'node' || layer.kind === 'generated'
            ? placeOfSetting(layer.kind)
            : undefined;
      return {
        origin: originOf(layer),
        ...(where === undefined ? {} : { where }),
        ...(layer.value === undefined ? {} : { value: shown(layer.value) }),
      };
    }),
    movedTo: explanation.layers.length > 0 ? [] : movedTo(question, contractOf(source.talosVersion)).filter((kind) => kinds.has(kind)),
  };
}

function originOf({ kind, origin }: ExplainedLayer): string {
  switch (kind) {
    case 'generated':
      return 'generated';
    case 'node':
      return `node ${origin}`;
    case 'group patch':
    case 'node patch':
    case 'cluster patch':
    case 'extra manifest':
      return kind;
  }
}

const placeText = (place: Place): string => (place.kind === 'file' ? `${place.path}:${place.line}` : place.task);
