import { type Failure, lineColumnAt } from '../../base/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import { readChartSource } from './chart-source.ts';
import { releaseFailure } from './failures.ts';
import { type Fields, fieldsOf, listOf, textOf } from './fields.ts';
import { type FluxTree, placeIn, type TreeObject } from './flux-tree.ts';
import { PatchError } from './kustomize-patches.ts';
import type { ReleasePlan, Substitution, ValuesLayer } from './release-plan.ts';
import { versionOfSource } from './source.ts';
import { substituteFields } from './substitute.ts';

/** helm-controller's own default. */
const defaultTimeoutMs = 5 * 60_000;

export interface FoundRelease {
  readonly plan: ReleasePlan;
  readonly object: TreeObject;
  /** `namespace/name` of HelmReleases that come first. */
  readonly dependsOn: readonly string[];
}

/**
 * What this HelmRelease installs, with the patches that the tree has for it.
 *
 * Failure: `release/malformed`, `release/patch`, `release/source-missing`, `release/source-unsupported`; all of them with their place.
 * Source: helm-controller api/v2 HelmReleaseSpec, internal/action/{install,upgrade}.go
 */
export function readHelmRelease(object: TreeObject, tree: FluxTree, repository: string): FoundRelease | readonly Failure[] {
  const namespace = object.namespace ?? 'default';
  const release = `${namespace}/${object.name}`;
  const found = patchedOf(object, tree, release);
  if ('code' in found) return [found];
  const patched = found.value;
  const variables = fieldsOf(fieldsOf(tree.ownerOf(object)?.spec.postBuild).substitute);
  // Names, versions and addresses are needed before anything can be decrypted: only variables that stand in the tree in the open count.
  const { values: _values, ...written } = fieldsOf(patched.spec);
  const spec = substituteFields(written, variables);
  const source = readChartSource({ object, spec, tree, repository, release });
  if ('code' in source) return [source];
  const target = textOf(spec.targetNamespace);
  const name = textOf(spec.releaseName) ?? (target === undefined ? object.name : `${target}-${object.name}`);
  const upgrade = fieldsOf(spec.upgrade);
  const timeoutMs = durationMs(textOf(spec.timeout)) ?? defaultTimeoutMs;
  return {
    object,
    dependsOn: listOf(spec.dependsOn).map((entry) => `${textOf(entry.namespace) ?? namespace}/${textOf(entry.name) ?? ''}`),
    plan: {
      name: shortened(name),
      namespace: target ?? namespace,
      storageNamespace: textOf(spec.storageNamespace) ?? namespace,
      source: source.from,
      chart: source.chart,
      version: versionOfSource(source.from),
      ...(source.valuesFiles === undefined ? {} : { valuesFiles: source.valuesFiles }),
      needs: [],
      role: 'release',
      isBootstrap: false,
      values: [
        ...listOf(spec.valuesFrom).map((entry, index) => referenceLayer(entry, index, object, namespace)),
        ownLayer(object, patched, tree),
      ],
      ...actionOf(fieldsOf(spec.install), timeoutMs),
      ...(Object.keys(upgrade).length === 0 && spec.install === undefined ? {} : { upgrade: actionOf(upgrade, timeoutMs) }),
      origin: { name: object.name, namespace },
      ...(spec.postRenderStrategy === 'nohooks' ? { areHooksPostRendered: false } : {}),
      place: placeIn(object),
      hooks: [],
    },
  };
}

function patchedOf(object: TreeObject, tree: FluxTree, release: string): { readonly value: Fields } | Failure {
  try {
    const value = tree.patched(object);
    if (value !== undefined) return { value };
    return releaseFailure('release/patch', { release, reason: 'a patch takes the object away' }, { where: placeIn(object) });
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return releaseFailure('release/patch', { release, reason: error.message }, { where: placeIn(object) });
  }
}

function referenceLayer(entry: Fields, index: number, owner: TreeObject, namespace: string): ValuesLayer {
  const targetPath = textOf(entry.targetPath);
  return {
    kind: 'reference',
    object: { kind: entry.kind === 'Secret' ? 'Secret' : 'ConfigMap', name: textOf(entry.name) ?? '', namespace },
    key: textOf(entry.valuesKey) ?? 'values.yaml',
    ...(targetPath === undefined ? {} : { targetPath }),
    isOptional: entry.optional === true,
    isLiteral: entry.literal === true,
    place: placeIn(owner, 'spec', 'valuesFrom', index),
  };
}

function ownLayer(object: TreeObject, patched: Fields, tree: FluxTree): ValuesLayer {
  const substitution = substitutionOf(object, patched, tree);
  const { source } = object.document;
  return {
    kind: 'helm-release',
    text: source.file.text.slice(source.start, source.end),
    firstLine: lineColumnAt(source.file.text, source.start).line,
    ...(patched === object.value ? {} : { patched: JSON.stringify(patched) }),
    place: placeIn(object, 'spec', 'values'),
    ...(substitution === undefined ? {} : { substitution }),
  };
}

/** What `spec.install` and `spec.upgrade` have in common. */
function actionOf(
  action: Fields,
  timeoutMs: number,
): Pick<ReleasePlan, 'crds' | 'areHooksDisabled' | 'timeoutMs' | 'shouldWait' | 'isSchemaSkipped'> {
  return {
    crds: crdsOf(textOf(action.crds)),
    areHooksDisabled: action.disableHooks === true,
    timeoutMs: durationMs(textOf(action.timeout)) ?? timeoutMs,
    ...(action.disableWait === true ? { shouldWait: false } : {}),
    ...(action.disableSchemaValidation === true ? { isSchemaSkipped: true } : {}),
  };
}

/** Undefined when Flux substitutes nothing in this file. */
function substitutionOf(object: TreeObject, patched: Fields, tree: FluxTree): Substitution | undefined {
  const owner = tree.ownerOf(object);
  const postBuild = fieldsOf(owner?.spec.postBuild);
  const metadata = fieldsOf(patched.metadata);
  const isOff = [metadata.labels, metadata.annotations].some(
    (marks) => fieldsOf(marks)['kustomize.toolkit.fluxcd.io/substitute'] === 'disabled',
  );
  const substitute = fieldsOf(postBuild.substitute);
  const from = listOf(postBuild.substituteFrom);
  // A Kustomization with `substitute: {}` or without variables leaves every `${…}` as it is.
  if (owner === undefined || isOff || (from.length === 0 && Object.keys(substitute).length === 0)) return undefined;
  return {
    variables: Object.fromEntries(Object.entries(substitute).map(([name, value]) => [name, String(value)])),
    from: from.map((entry) => ({
      kind: entry.kind === 'Secret' ? ('Secret' as const) : ('ConfigMap' as const),
      name: textOf(entry.name) ?? '',
      namespace: owner.namespace,
      isOptional: entry.optional === true,
    })),
  };
}

function crdsOf(policy: string | undefined): ReleasePlan['crds'] {
  switch (policy) {
    case 'Skip':
      return 'skip';
    case 'CreateReplace':
      return 'create-replace';
    default:
      return 'create';
  }
}

/** Release names end after 53 characters. Source: helm-controller internal/release/name.go */
const shortened = (name: string): string => (name.length <= 53 ? name : `${name.slice(0, 40)}-${sha256Hex(name).slice(0, 12)}`);

/** Go's durations: `5m`, `1h30m`, `90s`. */
export function durationMs(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}
