import { posix } from 'node:path';
import { type Failure, type Files, type Json, type Place, placeOf, TkError } from '../../base/index.ts';
import { type DataDocument, parseYaml } from '../../format/index.ts';
import { releaseFailure } from './failures.ts';
import { type Fields, fieldsOf, isFields, mergePatch } from './flux-tree.ts';
import { listOf, textOf, textsOf } from './helm-release.ts';
import type { ReleasePlan, ValuesLayer } from './release-plan.ts';
import { type ChartSource, versionOfSource } from './source.ts';

/** A release as a helmfile declares it. */
export interface HelmfileRelease {
  readonly name: string;
  readonly namespace: string;
  /** `namespace/name` or `name`, as written. */
  readonly needs: readonly string[];
  readonly role: ReleasePlan['role'];
  readonly hooks: readonly string[];
  readonly place: Place;
  /** What it would install by itself. Failures when that takes helmfile's own templates; a HelmRelease of the same name does not need it. */
  readonly own: { readonly source: ChartSource; readonly values: readonly ValuesLayer[] } | { readonly failures: readonly Failure[] };
}

const known = [
  'bootstrap/helmfile.yaml',
  'bootstrap/helmfile.yaml.gotmpl',
  'kubernetes/bootstrap/helmfile.yaml',
  'kubernetes/bootstrap/apps/helmfile.yaml',
  'helmfile.yaml',
];
const folders = ['bootstrap/helmfile.d', 'bootstrap/helmfile'];
const defaultTimeoutSeconds = 300;

/** Every helmfile that real repositories bootstrap from, in the order in which helmfile would run them. */
export async function findHelmfiles(files: Files, repository: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of known) if ((await files.stat(posix.join(repository, path)))?.kind === 'file') found.push(path);
  for (const folder of folders) {
    for (const { name, kind } of await files.list(posix.join(repository, folder))) {
      if (kind === 'file' && /\.ya?ml(?:\.gotmpl)?$/.test(name)) found.push(posix.join(folder, name));
    }
  }
  return found;
}

/**
 * Reads `releases`, `repositories`, `helmDefaults` and `templates` of one helmfile; environments, selectors and remote states are
 * helmfile's own business.
 *
 * Failure: `format/*`, `release/malformed`, `release/helmfile-unsupported`; collected.
 * Source: helmfile docs/index.md, "Configuration".
 */
export async function readHelmfile(
  path: string,
  files: Files,
  repository: string,
): Promise<{ readonly releases: readonly HelmfileRelease[]; readonly failures: readonly Failure[] }> {
  const text = (await files.readText(posix.join(repository, path))) ?? '';
  const parsed = parseYaml({ path, text }, { version: 'kubernetes' });
  const failures: Failure[] = [...parsed.failures];
  const releases: HelmfileRelease[] = [];
  let templates: Fields = {};
  let repositories: readonly Fields[] = [];
  // Parts between `---` are states of their own to helmfile, but templates and repositories of the first are meant for all.
  for (const document of parsed.documents) {
    const state = fieldsOf(document.value as Json);
    templates = { ...templates, ...fieldsOf(state.templates) };
    repositories = [...repositories, ...listOf(state.repositories)];
    const entries = Array.isArray(state.releases) ? state.releases : [];
    for (const [index, entry] of entries.entries()) {
      const place = placeOf(document.spanOf(['releases', index]));
      if (!isFields(entry)) {
        failures.push(
          releaseFailure('release/malformed', { release: path, field: `releases[${index}]`, expected: 'a mapping' }, { where: place }),
        );
        continue;
      }
      const merged = inherited(entry, templates);
      if (merged.installed === false || merged.condition === false) continue;
      const release = await readRelease(
        merged,
        { path, index, place, document, repositories, isCrds: /crds/.test(posix.basename(path)) },
        files,
        repository,
      );
      if ('code' in release) failures.push(release);
      else releases.push(release);
    }
  }
  return { releases, failures };
}

/** `inherit: [{ template: name }]` and the older `<<: *anchor`, which the YAML reader has merged already. */
function inherited(entry: Fields, templates: Fields): Fields {
  const from = listOf(entry.inherit).map(({ template }) => fieldsOf(templates[String(template)]));
  return mergePatch(
    from.reduce((into, template) => mergePatch(into, template), {}),
    entry,
  );
}

interface Surroundings {
  readonly path: string;
  readonly index: number;
  readonly place: Place;
  readonly document: DataDocument;
  readonly repositories: readonly Fields[];
  readonly isCrds: boolean;
}

async function readRelease(entry: Fields, around: Surroundings, files: Files, repository: string): Promise<HelmfileRelease | Failure> {
  const name = textOf(entry.name);
  if (name === undefined) {
    return releaseFailure(
      'release/malformed',
      { release: around.path, field: `releases[${around.index}].name`, expected: 'a name' },
      { where: around.place },
    );
  }
  return {
    name,
    namespace: textOf(entry.namespace) ?? 'default',
    needs: textsOf(entry.needs),
    role: around.isCrds ? 'crds' : 'release',
    hooks: listOf(entry.hooks).map((hook) =>
      [...textsOf(hook.events).map((event) => `${event}:`), String(hook.command ?? ''), ...textsOf(hook.args)].join(' '),
    ),
    place: around.place,
    own: await ownPlan(entry, name, around, files, repository),
  };
}

async function ownPlan(
  entry: Fields,
  name: string,
  around: Surroundings,
  files: Files,
  repository: string,
): Promise<HelmfileRelease['own']> {
  const failures: Failure[] = [];
  const unsupported = (field: string, reason: string) =>
    failures.push(releaseFailure('release/helmfile-unsupported', { field, reason }, { where: around.place }));
  const source = sourceOf(entry, around, repository);
  if (source === undefined) unsupported(`${name}.chart`, `\`${String(entry.chart ?? '')}\` names no repository of this file`);
  const values: ValuesLayer[] = [];
  for (const layer of Array.isArray(entry.values) ? entry.values : []) {
    if (isFields(layer)) values.push({ kind: 'inline', origin: around.path, values: layer });
    else if (typeof layer === 'string' && !layer.includes('{{') && !layer.endsWith('.gotmpl')) {
      const path = posix.join(posix.dirname(around.path), layer);
      const text = await files.readText(posix.join(repository, path));
      if (text === undefined) unsupported(`${name}.values`, `\`${path}\` does not exist`);
      else values.push({ kind: 'file', path, text });
    } else unsupported(`${name}.values`, `\`${String(layer)}\` is a template of helmfile`);
  }
  if (entry.set !== undefined) unsupported(`${name}.set`, 'values belong into `values`');
  return source === undefined || failures.length > 0 ? { failures } : { source, values };
}

function sourceOf(entry: Fields, { repositories, path }: Surroundings, repository: string): ChartSource | undefined {
  const chart = textOf(entry.chart) ?? '';
  const version = textOf(entry.version);
  if (chart.includes('{{') || version?.includes('{{') === true) return undefined;
  if (chart.startsWith('oci://')) return ociSource(chart.slice('oci://'.length), version);
  if (chart.startsWith('.')) return { kind: 'folder', path: posix.join(repository, posix.dirname(path), chart) };
  const slash = chart.indexOf('/');
  const found = repositories.find((candidate) => candidate.name === chart.slice(0, slash));
  const url = textOf(found?.url);
  if (url === undefined) return undefined;
  const name = chart.slice(slash + 1);
  if (found?.oci === true) return ociSource(`${url.replace(/^oci:\/\//, '')}/${name}`, version);
  return { kind: 'index', url, chart: name, ...(version === undefined ? {} : { version }) };
}

function ociSource(text: string, version: string | undefined): ChartSource {
  const [repository = '', tag] = text.split(/:(?=[^/]*$)/);
  const wanted = version ?? tag;
  return { kind: 'oci', repository, ...(wanted === undefined ? {} : { tag: wanted }) };
}

/** A plan for a release that only the helmfile knows. Failure: `release/helmfile-unsupported`. */
export function planOfHelmfile(release: HelmfileRelease): ReleasePlan {
  const { own, name, namespace, role, place, hooks } = release;
  if ('failures' in own) {
    const [first, ...rest] = own.failures;
    throw new TkError(
      first ?? releaseFailure('release/helmfile-unsupported', { field: name, reason: 'nothing in it can be read' }, { where: place }),
      ...rest,
    );
  }
  return {
    name,
    namespace,
    storageNamespace: namespace,
    source: own.source,
    chart:
      own.source.kind === 'index' ? own.source.chart : posix.basename(own.source.kind === 'oci' ? own.source.repository : own.source.path),
    version: versionOfSource(own.source),
    needs: [],
    role,
    isBootstrap: true,
    values: own.values,
    crds: 'create',
    areHooksDisabled: false,
    timeoutMs: defaultTimeoutSeconds * 1000,
    place,
    hooks,
  };
}
