import { posix } from 'node:path';
import { type Failure, type Json, type Place, placeOf, TkError } from '../../base/index.ts';
import { type DataDocument, parseYaml } from '../../format/index.ts';
import { releaseFailure } from './failures.ts';
import { type Fields, fieldsOf, isFields, listOf, textOf, textsOf } from './fields.ts';
import { type HelmfilePorts, renderHelmfileTemplate } from './helmfile-template.ts';

/** A release as it is written, before templates of it are put together. */
export interface WrittenRelease {
  readonly fields: Json;
  readonly place: Place;
}

/** What a helmfile with its bases says. */
export interface HelmfileState {
  /** Relative to the repository. */
  readonly path: string;
  readonly releases: readonly WrittenRelease[];
  readonly repositories: readonly Fields[];
  readonly templates: Fields;
  readonly helmDefaults: Fields;
  readonly defaultInherit: readonly string[];
  /** What `.Values` and `.Environment` are in its templates. */
  readonly data: { readonly [name: string]: Json };
  readonly helmfiles: readonly Json[];
}

/** The environment that helmfile takes without `--environment`. */
const environment = 'default';

/**
 * Reads a helmfile as helmfile does: parts between `---` one after the other, each with the values of those before it; bases under it;
 * the default environment.
 *
 * Shape: failures of one part do not hide the others. Failure: `format/*`, `release/helmfile-template`, `release/helmfile-unsupported`.
 * Source: helmfile pkg/app/desired_state_file_loader.go, pkg/state/create.go
 */
export async function loadHelmfile(path: string, ports: HelmfilePorts, failures: Failure[], isBase = false): Promise<HelmfileState> {
  const text = ((await ports.files.readText(posix.join(ports.repository, path))) ?? '').replaceAll('\r\n', '\n');
  let state: HelmfileState = emptyState(path);
  for (const part of await partsOf(path, text, ports, state, failures)) {
    const document = await part(state);
    if (document === undefined) continue;
    const own = fieldsOf(document.value as Json);
    let under = state;
    if (!isBase) {
      for (const base of textsOf(own.bases)) {
        under = merged(under, await loadHelmfile(posix.join(posix.dirname(path), base), ports, failures, true));
      }
    }
    state = merged(under, await stateOf(document, path, under, ports, failures));
  }
  return { ...state, path };
}

const emptyState = (path: string): HelmfileState => ({
  path,
  releases: [],
  repositories: [],
  templates: {},
  helmDefaults: {},
  defaultInherit: [],
  data: dataOf({}),
  helmfiles: [],
});

const dataOf = (values: Fields): { readonly [name: string]: Json } => ({
  Environment: { Name: environment, KubeContext: '', Values: values as Json },
  Values: values as Json,
  StateValues: values as Json,
  Namespace: '',
  KubeContext: '',
  Chart: '',
});

type Part = (before: HelmfileState) => Promise<DataDocument | undefined>;

/** A plain file is read at once; parts of a template are rendered one after the other, each with what those before it said. */
async function partsOf(
  path: string,
  text: string,
  ports: HelmfilePorts,
  start: HelmfileState,
  failures: Failure[],
): Promise<readonly Part[]> {
  if (!path.endsWith('.gotmpl')) {
    const parsed = parseYaml({ path, text }, { version: 'kubernetes' });
    failures.push(...parsed.failures);
    return parsed.documents.map((document) => () => Promise.resolve(document));
  }
  const place: Place = { kind: 'file', path, line: 1, column: 1 };
  return text.split('\n---\n').map((part) => async (before) => {
    const data = before === start ? start.data : before.data;
    try {
      const rendered = await renderHelmfileTemplate(
        // What a command would say may belong to a release that has a HelmRelease, and then nobody needs it.
        { name: path, text: part, base: posix.dirname(path), data: data as Json, place, areCommandsDeferred: true },
        ports,
      );
      const parsed = parseYaml({ path, text: rendered }, { version: 'kubernetes', confidential: true });
      failures.push(...parsed.failures.map((failure) => ({ ...failure, where: place })));
      return parsed.documents[0];
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      failures.push(...error.failures);
      return undefined;
    }
  });
}

async function stateOf(
  document: DataDocument,
  path: string,
  before: HelmfileState,
  ports: HelmfilePorts,
  failures: Failure[],
): Promise<HelmfileState> {
  const own = fieldsOf(document.value as Json);
  const isTemplate = path.endsWith('.gotmpl');
  const placeAt = (index: number): Place =>
    isTemplate ? { kind: 'file', path, line: 1, column: 1 } : placeOf(document.spanOf(['releases', index]));
  const releases = Array.isArray(own.releases) ? (own.releases as readonly Json[]) : [];
  const values = await valuesOf(own, path, before, ports, failures);
  return {
    path,
    releases: releases.map((fields, index) => ({ fields, place: placeAt(index) })),
    repositories: listOf(own.repositories),
    templates: fieldsOf(own.templates),
    helmDefaults: fieldsOf(own.helmDefaults),
    defaultInherit: typeof own.defaultInherit === 'string' ? [own.defaultInherit] : textsOf(own.defaultInherit),
    data: dataOf(values),
    helmfiles: Array.isArray(own.helmfiles) ? (own.helmfiles as readonly Json[]) : [],
  };
}

/** `values` of the file under those of its default environment; names of files or mappings. */
async function valuesOf(own: Fields, path: string, before: HelmfileState, ports: HelmfilePorts, failures: Failure[]): Promise<Fields> {
  const chosen = fieldsOf(fieldsOf(own.environments)[environment]);
  const entries = [
    ...(Array.isArray(own.values) ? own.values : []),
    ...(Array.isArray(chosen.values) ? chosen.values : []),
  ] as readonly Json[];
  let values = fieldsOf(before.data.Values);
  const place: Place = { kind: 'file', path, line: 1, column: 1 };
  const unsupported = (field: string, reason: string) =>
    failures.push(releaseFailure('release/helmfile-unsupported', { field, reason }, { where: place }));
  if (textsOf(chosen.secrets).length > 0) unsupported('environments.default.secrets', 'helmfile decrypts them with a plugin of helm');
  const isMissingAllowed = (textOf(chosen.missingFileHandler) ?? textOf(own.missingFileHandler) ?? 'Error') !== 'Error';
  for (const entry of entries) {
    if (isFields(entry)) {
      values = mergeOver(values, entry);
      continue;
    }
    if (typeof entry !== 'string') continue;
    const file = posix.join(posix.dirname(path), entry);
    const found = await ports.files.readText(posix.join(ports.repository, file));
    if (found === undefined) {
      if (!isMissingAllowed) unsupported('environments.default.values', `\`${file}\` does not exist`);
      continue;
    }
    const text = entry.endsWith('.gotmpl')
      ? await renderHelmfileTemplate({ name: file, text: found, base: posix.dirname(file), data: dataOf(values) as Json, place }, ports)
      : found;
    const parsed = parseYaml({ path: file, text }, { version: 'kubernetes' });
    failures.push(...parsed.failures);
    values = mergeOver(values, fieldsOf(parsed.documents[0]?.value as Json));
  }
  return values;
}

/** Later parts win; lists of releases and repositories grow. */
function merged(under: HelmfileState, over: HelmfileState): HelmfileState {
  return {
    path: over.path,
    releases: [...under.releases, ...over.releases],
    repositories: [...under.repositories, ...over.repositories],
    templates: { ...under.templates, ...over.templates },
    helmDefaults: mergeOver(under.helmDefaults, over.helmDefaults),
    defaultInherit: [...new Set([...under.defaultInherit, ...over.defaultInherit])],
    data: dataOf(mergeOver(fieldsOf(under.data.Values), fieldsOf(over.data.Values))),
    helmfiles: [...under.helmfiles, ...over.helmfiles],
  };
}

/** Mappings are merged, everything else is replaced. */
export function mergeOver(under: Fields, over: Fields): Fields {
  const merged: { [field: string]: Json | undefined } = { ...under };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = isFields(value) && isFields(merged[key]) ? (mergeOver(fieldsOf(merged[key]), value) as Json) : value;
  }
  return merged;
}
