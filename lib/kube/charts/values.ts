import { posix } from 'node:path';
import { hasCode, type Json, Secret, TkError } from '../../base/index.ts';
import type { HelmEngine, JsonObject } from '../../wasm/index.ts';
import { releaseFailure } from './failures.ts';
import { type Fields, fieldsOf, isFields, listOf, textOf, textsOf } from './fields.ts';
import type { FluxTree } from './flux-tree.ts';
import { type PostRenderer, readPostRenderers } from './post-render.ts';
import type { ObjectReference, ReleasePlan, Substitution, ValuesLayer } from './release-plan.ts';
import { substitute, SubstitutionError } from './substitute.ts';

/** Text by key of a ConfigMap or Secret; undefined when there is none. What it returns is treated as secret. */
export type ReferenceReader = (reference: ObjectReference, signal: AbortSignal) => Promise<Readonly<Record<string, string>> | undefined>;

/** What of a HelmRelease is known only when variables and secrets are. */
export interface ResolvedRelease {
  readonly values: Secret<JsonObject>;
  /** In their order; `commonMetadata` is the last of them. */
  readonly postRenderers: Secret<readonly PostRenderer[]>;
}

/** The values that Flux would give to this release. Failure: as `resolveRelease`. */
export async function resolveValues(
  plan: ReleasePlan,
  engine: HelmEngine,
  read: ReferenceReader,
  signal: AbortSignal,
): Promise<Secret<JsonObject>> {
  return (await resolveRelease(plan, engine, read, signal)).values;
}

/**
 * Values and post-renderers as Flux would have them: patched, with variables put in, values merged.
 *
 * Failure: `release/values-missing`, `release/values-malformed`, `release/substitution`.
 * Source: fluxcd/pkg/chartutil values.go; kustomize-controller's post-build substitution.
 */
export async function resolveRelease(
  plan: ReleasePlan,
  engine: HelmEngine,
  read: ReferenceReader,
  signal: AbortSignal,
): Promise<ResolvedRelease> {
  const layers: { text: string; targetPath?: string; literal?: boolean; origin: ValuesLayer }[] = [];
  let spec: Fields = {};
  for (const layer of plan.values) {
    switch (layer.kind) {
      case 'reference': {
        const text = await referenced(plan, layer, read, signal);
        if (text !== undefined)
          layers.push({
            text,
            ...(layer.targetPath === undefined ? {} : { targetPath: layer.targetPath }),
            literal: layer.isLiteral,
            origin: layer,
          });
        break;
      }
      case 'file':
        layers.push({ text: layer.text, origin: layer });
        break;
      case 'inline':
        layers.push({ text: JSON.stringify(layer.values), origin: layer });
        break;
      case 'set':
        layers.push({ text: layer.text, targetPath: layer.targetPath, literal: layer.isLiteral, origin: layer });
        break;
      case 'helm-release':
        spec = await ownSpec(plan, layer, engine, read, signal);
        break;
      default:
        layer satisfies never;
    }
  }
  const own = spec.values;
  return {
    values: await merged(plan, layers, isFields(own) ? own : {}, engine, signal),
    postRenderers: new Secret(readPostRenderers(spec)),
  };
}

async function merged(
  plan: ReleasePlan,
  layers: readonly { text: string; targetPath?: string; literal?: boolean; origin: ValuesLayer }[],
  own: JsonObject,
  engine: HelmEngine,
  signal: AbortSignal,
): Promise<Secret<JsonObject>> {
  try {
    return new Secret(
      await engine.mergeValues(
        {
          layers: layers.map(({ text, targetPath, literal }) => ({
            text,
            ...(targetPath === undefined ? {} : { targetPath }),
            ...(literal === undefined ? {} : { literal }),
          })),
          values: own,
        },
        signal,
      ),
    );
  } catch (error) {
    if (!hasCode(error, 'chart/values-layer')) throw error;
    const { layer, reason } = error.failure.facts;
    throw malformed(plan, layers[Number(layer)]?.origin, String(reason));
  }
}

async function referenced(
  plan: ReleasePlan,
  layer: Extract<ValuesLayer, { kind: 'reference' }>,
  read: ReferenceReader,
  signal: AbortSignal,
): Promise<string | undefined> {
  const content = await read(layer.object, signal);
  const text = content?.[layer.key];
  if (text !== undefined || layer.isOptional) return text;
  const { kind, name, namespace } = layer.object;
  throw new TkError(
    releaseFailure(
      'release/values-missing',
      { release: plan.name, kind, name, namespace, ...(content === undefined ? {} : { key: layer.key }) },
      { where: layer.place },
    ),
  );
}

async function ownSpec(
  plan: ReleasePlan,
  layer: Extract<ValuesLayer, { kind: 'helm-release' }>,
  engine: HelmEngine,
  read: ReferenceReader,
  signal: AbortSignal,
): Promise<Fields> {
  const { substitution } = layer;
  const text =
    substitution === undefined ? (layer.patched ?? layer.text) : await substituted(plan, layer, substitution, engine, read, signal);
  try {
    const [object] = await engine.parseYaml(text, signal);
    return fieldsOf(fieldsOf(object).spec);
  } catch (error) {
    if (!hasCode(error, 'chart/values')) throw error;
    throw malformed(plan, layer, String(error.failure.facts.reason));
  }
}

async function substituted(
  plan: ReleasePlan,
  layer: Extract<ValuesLayer, { kind: 'helm-release' }>,
  { from, variables }: Substitution,
  engine: HelmEngine,
  read: ReferenceReader,
  signal: AbortSignal,
): Promise<string> {
  const written = layer.patched ?? layer.text;
  const known: Record<string, string> = {};
  // Whatever its Kustomization substitutes: a file without variables waits for none.
  for (const source of written.includes('${') ? from : []) {
    const content = await read(source, signal);
    if (content === undefined && !source.isOptional) {
      const { kind, name, namespace } = source;
      throw new TkError(releaseFailure('release/values-missing', { release: plan.name, kind, name, namespace }, { where: layer.place }));
    }
    Object.assign(known, content);
  }
  try {
    // Flux substitutes in what kustomize wrote, so a quoted "${port}" may become a number; writing it the same way keeps that.
    return substitute(await engine.normalizeYaml(written, signal), { ...known, ...variables });
  } catch (error) {
    if (!(error instanceof SubstitutionError)) throw error;
    const file = layer.place.kind === 'file' ? layer.place.path : plan.name;
    throw new TkError(releaseFailure('release/substitution', { file, reason: error.message }, { where: layer.place }));
  }
}

function malformed(plan: ReleasePlan, layer: ValuesLayer | undefined, reason: string): TkError {
  const where = layer !== undefined && 'place' in layer ? { where: layer.place } : {};
  return new TkError(releaseFailure('release/values-malformed', { release: plan.name, origin: originOf(layer), reason }, where));
}

function originOf(layer: ValuesLayer | undefined): string {
  switch (layer?.kind) {
    case 'reference':
      return `${layer.object.kind.toLowerCase()} ${layer.object.namespace}/${layer.object.name}`;
    case 'file':
      return layer.path;
    case 'inline':
      return layer.origin;
    case 'set':
      return `${layer.origin}, ${layer.targetPath}`;
    case 'helm-release':
    case undefined:
      return 'spec.values';
    default:
      return layer satisfies never;
  }
}

/** Reads ConfigMaps and Secrets that the tree itself holds in the open, or that a generator of one of its kustomization.yaml makes. */
export function readerOfTree(tree: FluxTree, readText: (path: string) => Promise<string | undefined>): ReferenceReader {
  return async ({ kind, name, namespace }) => {
    const object = tree.find(kind, name, namespace);
    if (object?.isEncrypted === true) return undefined;
    if (object !== undefined) {
      const decode = (value: Json | undefined) => (kind === 'Secret' ? Buffer.from(String(value), 'base64').toString() : String(value));
      const data = Object.entries(fieldsOf(object.value.data)).map(([key, value]) => [key, decode(value)] as const);
      const plain = Object.entries(fieldsOf(object.value.stringData)).map(([key, value]) => [key, String(value)] as const);
      return Object.fromEntries([...data, ...plain]);
    }
    for (const file of tree.objects) {
      if (!file.apiVersion.startsWith('kustomize.config.k8s.io')) continue;
      const generator = listOf(kind === 'Secret' ? file.value.secretGenerator : file.value.configMapGenerator).find(
        (entry) => entry.name === name && (textOf(entry.namespace) ?? file.namespace ?? namespace) === namespace,
      );
      if (generator === undefined) continue;
      const content: Record<string, string> = {};
      for (const literal of textsOf(generator.literals)) {
        const equals = literal.indexOf('=');
        content[literal.slice(0, equals)] = literal.slice(equals + 1).replace(/^(['"])(.*)\1$/s, '$2');
      }
      for (const entry of textsOf(generator.files)) {
        const equals = entry.indexOf('=');
        const path = entry.slice(equals + 1);
        const text = await readText(posix.join(posix.dirname(file.path), path));
        if (text !== undefined) content[equals === -1 ? posix.basename(path) : entry.slice(0, equals)] = text;
      }
      return content;
    }
    return undefined;
  };
}
