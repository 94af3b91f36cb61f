import { posix } from 'node:path';
import { type Failure, type Json, lineColumnAt } from '../../base/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import { releaseFailure } from './failures.ts';
import { type Fields, fieldsOf, type FluxTree, mergePatch, placeIn, type TreeObject } from './flux-tree.ts';
import type { ReleasePlan, Substitution, ValuesLayer } from './release-plan.ts';
import { type ChartSource, versionOfSource } from './source.ts';

/** helm-controller's own default. */
const defaultTimeoutMs = 5 * 60_000;

export interface FoundRelease {
  readonly plan: ReleasePlan;
  readonly object: TreeObject;
  /** `namespace/name` of HelmReleases that come first. */
  readonly dependsOn: readonly string[];
}

/**
 * What this HelmRelease installs, with the patches that the Kustomizations above it apply.
 *
 * Failure: `release/malformed`, `release/source-missing`, `release/source-unsupported`; all of them with their place.
 * Source: helm-controller api/v2 HelmReleaseSpec, source-controller api/v1.
 */
export function readHelmRelease(object: TreeObject, tree: FluxTree, repository: string): FoundRelease | readonly Failure[] {
  const namespace = object.namespace ?? 'default';
  const words = `${namespace}/${object.name}`;
  const spec = tree.patchesFor(object).reduce((merged, patch) => mergePatch(merged, fieldsOf(patch.spec)), fieldsOf(object.value.spec));
  const source = sourceOf(object, spec, tree, repository);
  if ('code' in source) return [source];
  const target = textOf(spec.targetNamespace);
  const name = textOf(spec.releaseName) ?? shortened(target === undefined ? object.name : `${target}-${object.name}`);
  const substitution = substitutionOf(object, tree);
  const install = fieldsOf(spec.install);
  return {
    object,
    dependsOn: listOf(spec.dependsOn).map((entry) => `${textOf(entry.namespace) ?? namespace}/${textOf(entry.name) ?? ''}`),
    plan: {
      name,
      namespace: target ?? namespace,
      storageNamespace: textOf(spec.storageNamespace) ?? namespace,
      source: source.from,
      chart: source.chart,
      version: versionOfSource(source.from),
      needs: [],
      role: 'release',
      isBootstrap: false,
      values: [
        ...listOf(spec.valuesFrom).map((entry, index) => referenceLayer(entry, index, object, namespace)),
        {
          kind: 'helm-release',
          text: object.document.source.file.text.slice(object.document.source.start, object.document.source.end),
          firstLine: lineColumnAt(object.document.source.file.text, object.document.source.start).line,
          place: placeIn(object, 'spec', 'values'),
          ...(substitution === undefined ? {} : { substitution }),
        } satisfies ValuesLayer,
      ],
      crds: crdsOf(textOf(install.crds)),
      origin: { name: object.name, namespace },
      areHooksDisabled: install.disableHooks === true,
      timeoutMs: durationMs(textOf(install.timeout) ?? textOf(spec.timeout)) ?? defaultTimeoutMs,
      place: placeIn(object),
      hooks: [],
    },
  };

  function referenceLayer(entry: Fields, index: number, owner: TreeObject, ownNamespace: string): ValuesLayer {
    const targetPath = textOf(entry.targetPath);
    return {
      kind: 'reference',
      object: { kind: entry.kind === 'Secret' ? 'Secret' : 'ConfigMap', name: textOf(entry.name) ?? words, namespace: ownNamespace },
      key: textOf(entry.valuesKey) ?? 'values.yaml',
      ...(targetPath === undefined ? {} : { targetPath }),
      isOptional: entry.optional === true,
      isLiteral: entry.literal === true,
      place: placeIn(owner, 'spec', 'valuesFrom', index),
    };
  }
}

function sourceOf(
  object: TreeObject,
  spec: Fields,
  tree: FluxTree,
  repository: string,
): Failure | { readonly from: ChartSource; readonly chart: string } {
  const release = `${object.namespace ?? 'default'}/${object.name}`;
  const reference = fieldsOf(spec.chartRef);
  if (textOf(reference.name) !== undefined) {
    const found = referenced(reference, ['spec', 'chartRef']);
    if ('code' in found) return found;
    if (found.kind === 'OCIRepository') return ociSource(found);
    if (found.kind === 'HelmChart') return chartSource(found, fieldsOf(found.value.spec), ['spec']);
    return unsupported(String(reference.kind), 'a HelmRelease takes an OCIRepository or a HelmChart here');
  }
  const template = fieldsOf(fieldsOf(spec.chart).spec);
  if (textOf(template.chart) === undefined) {
    return releaseFailure(
      'release/malformed',
      { release, field: 'spec.chart', expected: 'chartRef or chart' },
      { where: placeIn(object, 'spec') },
    );
  }
  return chartSource(object, template, ['spec', 'chart', 'spec']);

  function referenced(wanted: Fields, at: readonly string[]): TreeObject | Failure {
    const kind = textOf(wanted.kind) ?? '';
    const name = textOf(wanted.name) ?? '';
    const namespace = textOf(wanted.namespace) ?? object.namespace ?? 'default';
    const found = tree.find(kind, name, namespace) ?? onlyOne(tree, kind, name);
    return found ?? releaseFailure('release/source-missing', { release, kind, name, namespace }, { where: placeIn(object, ...at) });
  }

  function chartSource(
    owner: TreeObject,
    chart: Fields,
    at: readonly string[],
  ): Failure | { readonly from: ChartSource; readonly chart: string } {
    const name = textOf(chart.chart) ?? '';
    const version = textOf(chart.version);
    const wanted = fieldsOf(chart.sourceRef);
    if (wanted.kind === 'GitRepository') {
      // Only this very repository lies here; whether the GitRepository means it cannot be told from its URL.
      if (name.startsWith('./') || name.startsWith('kubernetes/'))
        return { from: { kind: 'folder', path: posix.join(repository, name) }, chart: posix.basename(name) };
      return unsupported('GitRepository', 'its chart is not a folder of this repository');
    }
    const found = referenced(wanted, owner === object ? [...at, 'sourceRef'] : ['spec', 'chartRef']);
    if ('code' in found) return found;
    const repositorySpec = fieldsOf(found.value.spec);
    const url = textOf(repositorySpec.url) ?? '';
    if (found.kind !== 'HelmRepository') return unsupported(found.kind, 'it holds no charts');
    if (repositorySpec.type === 'oci' || url.startsWith('oci://')) {
      const path = `${url.replace(/^oci:\/\//, '').replace(/\/$/, '')}/${name}`;
      const isExact = version !== undefined && /^v?\d+\.\d+\.\d+[\w.+-]*$/.test(version);
      return {
        chart: name,
        from: { kind: 'oci', repository: path, ...(isExact ? { tag: version } : { range: version ?? '*' }), ...plainHttp(repositorySpec) },
      };
    }
    return { chart: name, from: { kind: 'index', url, chart: name, ...(version === undefined ? {} : { version }) } };
  }

  function ociSource(found: TreeObject): { readonly from: ChartSource; readonly chart: string } {
    const { url, ref, ...rest } = fieldsOf(found.value.spec);
    const path = String(url ?? '').replace(/^oci:\/\//, '');
    const { tag, semver, digest } = fieldsOf(ref);
    return {
      chart: posix.basename(path),
      from: {
        kind: 'oci',
        repository: path,
        ...(textOf(tag) === undefined ? {} : { tag: String(tag) }),
        ...(textOf(semver) === undefined ? {} : { range: String(semver) }),
        ...(textOf(digest) === undefined ? {} : { digest: String(digest) }),
        ...plainHttp(rest),
      },
    };
  }

  function unsupported(kind: string, reason: string): Failure {
    return releaseFailure('release/source-unsupported', { release, kind, reason }, { where: placeIn(object, 'spec') });
  }
}

const plainHttp = (spec: Fields): { readonly isPlainHttp?: true } => (spec.insecure === true ? { isPlainHttp: true } : {});

/** Sources are often named without a namespace and moved by a kustomization.yaml; a name that occurs once is enough. */
function onlyOne(tree: FluxTree, kind: string, name: string): TreeObject | undefined {
  const [found, ...others] = tree.objects.filter((object) => object.kind === kind && object.name === name);
  return others.length === 0 ? found : undefined;
}

/** Undefined when Flux substitutes nothing in this file. */
function substitutionOf(object: TreeObject, tree: FluxTree): Substitution | undefined {
  const owner = tree.kustomizationOf(object.path);
  const postBuild = fieldsOf(owner?.spec.postBuild);
  const metadata = fieldsOf(object.value.metadata);
  const isOff = [metadata.labels, metadata.annotations].some(
    (marks) => fieldsOf(marks)['kustomize.toolkit.fluxcd.io/substitute'] === 'disabled',
  );
  const substitute = fieldsOf(postBuild.substitute);
  const from = listOf(postBuild.substituteFrom);
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

export const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
export const listOf = (value: Json | undefined): readonly Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);
export const textsOf = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
