import { posix } from 'node:path';
import type { Failure } from '../../base/index.ts';
import { releaseFailure } from './failures.ts';
import { type Fields, fieldsOf, textOf, textsOf } from './fields.ts';
import { type FluxTree, placeIn, type TreeObject } from './flux-tree.ts';
import { PatchError } from './kustomize-patches.ts';
import type { ReleasePlan } from './release-plan.ts';
import type { ChartSource, SourceAccess } from './source.ts';
import { substituteFields } from './substitute.ts';

export interface ReadSource {
  readonly from: ChartSource;
  /** The chart's name for people. */
  readonly chart: string;
  readonly valuesFiles?: NonNullable<ReleasePlan['valuesFiles']>;
}

export interface SourceQuestion {
  /** The HelmRelease. */
  readonly object: TreeObject;
  /** Its spec after patches and with known variables. */
  readonly spec: Fields;
  readonly tree: FluxTree;
  /** Absolute. */
  readonly repository: string;
  /** The release as people name it. */
  readonly release: string;
}

/**
 * Where a HelmRelease takes its chart from: through `chartRef` (OCIRepository, HelmChart) or `chart.spec` (HelmRepository,
 * GitRepository of this very repository).
 *
 * Failure: `release/malformed`, `release/patch`, `release/source-missing`, `release/source-unsupported`; each with its place.
 * Source: helm-controller api/v2, source-controller api/v1
 */
export function readChartSource(question: SourceQuestion): ReadSource | Failure {
  const { object, spec, release } = question;
  const reference = fieldsOf(spec.chartRef);
  try {
    if (textOf(reference.name) !== undefined) return fromReference(question, reference);
    const template = fieldsOf(fieldsOf(spec.chart).spec);
    if (textOf(template.chart) !== undefined) return fromTemplate(question, object, template, ['spec', 'chart', 'spec', 'sourceRef']);
  } catch (error) {
    if (error instanceof PatchError) return releaseFailure('release/patch', { release, reason: error.message }, { where: placeIn(object) });
    throw error;
  }
  return releaseFailure(
    'release/malformed',
    { release, field: 'spec.chart', expected: 'chartRef or chart' },
    { where: placeIn(object, 'spec') },
  );
}

function fromReference(question: SourceQuestion, reference: Fields): ReadSource | Failure {
  const found = findSource(question, reference, ['spec', 'chartRef']);
  if ('code' in found) return found;
  switch (found.object.kind) {
    case 'OCIRepository':
      return ociRepository(found);
    case 'HelmChart':
      return fromTemplate(question, found.object, found.spec, ['spec', 'chartRef']);
    default:
      return unsupported(question, String(reference.kind), 'a HelmRelease takes an OCIRepository or a HelmChart here');
  }
}

/** `owner` holds the template: the HelmRelease itself or a HelmChart. */
function fromTemplate(question: SourceQuestion, owner: TreeObject, chart: Fields, at: readonly string[]): ReadSource | Failure {
  const name = textOf(chart.chart) ?? '';
  const version = textOf(chart.version);
  const wanted = fieldsOf(chart.sourceRef);
  const paths = textsOf(chart.valuesFiles);
  const valuesFiles = paths.length === 0 ? {} : { valuesFiles: { paths, isMissingIgnored: chart.ignoreMissingValuesFiles === true } };
  if (wanted.kind === 'GitRepository' || wanted.kind === 'Bucket') {
    // Only this very repository lies here; whether the GitRepository means it cannot be told from its URL.
    if (wanted.kind === 'GitRepository' && (name.startsWith('./') || name.startsWith('kubernetes/')))
      return {
        from: { kind: 'folder', root: question.repository, path: posix.normalize(name) },
        chart: posix.basename(name),
        ...valuesFiles,
      };
    return unsupported(question, wanted.kind, 'its chart is not a folder of this repository');
  }
  const found = findSource(question, { namespace: owner.namespace, ...wanted }, at);
  if ('code' in found) return found;
  if (found.object.kind !== 'HelmRepository') return unsupported(question, found.object.kind, 'it holds no charts');
  const { spec } = found;
  const url = (textOf(spec.url) ?? '').replace(/\/$/, '');
  const access = accessOf(found);
  if (spec.type === 'oci' || url.startsWith('oci://')) {
    const repository = `${url.replace(/^oci:\/\//, '')}/${name}`;
    const isExact = version !== undefined && /^v?\d+\.\d+\.\d+[\w.+-]*$/.test(version);
    const which = isExact ? { tag: version } : { range: version ?? '*' };
    return { chart: name, from: { kind: 'oci', repository, ...which, ...plainHttp(spec), ...access }, ...valuesFiles };
  }
  return {
    chart: name,
    from: { kind: 'index', url, chart: name, ...(version === undefined ? {} : { version }), ...access },
    ...valuesFiles,
  };
}

function ociRepository(found: FoundSource): ReadSource {
  const { spec } = found;
  const repository = (textOf(spec.url) ?? '').replace(/^oci:\/\//, '').replace(/\/$/, '');
  const ref = fieldsOf(spec.ref);
  const [tag, semver, digest, filter] = [ref.tag, ref.semver, ref.digest, ref.semverFilter].map(textOf);
  const layer = textOf(fieldsOf(spec.layerSelector).mediaType);
  return {
    chart: posix.basename(repository),
    from: {
      kind: 'oci',
      repository,
      // Source-controller prefers digest, then semver, then tag, and takes `latest` when there is none.
      ...(digest === undefined ? {} : { digest }),
      ...(semver === undefined
        ? tag === undefined && digest === undefined
          ? { tag: 'latest' }
          : tag === undefined
            ? {}
            : { tag }
        : { range: semver }),
      ...(filter === undefined ? {} : { tagFilter: filter }),
      ...(layer === undefined ? {} : { layer }),
      ...plainHttp(spec),
      ...accessOf(found),
    },
  };
}

const plainHttp = (spec: Fields): { readonly isPlainHttp?: true } => (spec.insecure === true ? { isPlainHttp: true } : {});

function accessOf({ object, spec }: FoundSource): { readonly access?: SourceAccess } {
  const namespace = object.namespace ?? 'default';
  const login = textOf(fieldsOf(spec.secretRef).name);
  const trust = textOf(fieldsOf(spec.certSecretRef).name);
  if (login === undefined && trust === undefined) return {};
  return {
    access: {
      ...(login === undefined ? {} : { login: { name: login, namespace } }),
      ...(trust === undefined ? {} : { trust: { name: trust, namespace } }),
      ...(spec.passCredentials === true ? { isLoginForAllHosts: true } : {}),
    },
  };
}

interface FoundSource {
  readonly object: TreeObject;
  readonly spec: Fields;
}

function findSource({ object, tree, release }: SourceQuestion, wanted: Fields, at: readonly string[]): FoundSource | Failure {
  const kind = textOf(wanted.kind) ?? '';
  const name = textOf(wanted.name) ?? '';
  const namespace = textOf(wanted.namespace) ?? object.namespace ?? 'default';
  const found = tree.find(kind, name, namespace) ?? onlyOne(tree, kind, name);
  if (found === undefined)
    return releaseFailure('release/source-missing', { release, kind, name, namespace }, { where: placeIn(object, ...at) });
  const variables = fieldsOf(fieldsOf(tree.ownerOf(found)?.spec.postBuild).substitute);
  return { object: found, spec: substituteFields(fieldsOf((tree.patched(found) ?? found.value).spec), variables) };
}

const unsupported = ({ object, release }: SourceQuestion, kind: string, reason: string): Failure =>
  releaseFailure('release/source-unsupported', { release, kind, reason }, { where: placeIn(object, 'spec') });

/** Sources are often named without a namespace and moved by a kustomization.yaml; a name that occurs once is enough. */
function onlyOne(tree: FluxTree, kind: string, name: string): TreeObject | undefined {
  const [found, ...others] = tree.objects.filter((object) => object.kind === kind && object.name === name);
  return others.length === 0 ? found : undefined;
}
