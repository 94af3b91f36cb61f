import { posix } from 'node:path';
import { type Failure, type Files, type Json, type Place, TkError } from '../../base/index.ts';
import { commandNotRun } from '../../wasm/index.ts';
import { releaseFailure } from './failures.ts';
import { type Fields, fieldsOf, isFields, listOf, textOf, textsOf } from './fields.ts';
import { type HelmfileState, loadHelmfile, type WrittenRelease } from './helmfile-state.ts';
import { type HelmfilePorts, renderHelmfileTemplate } from './helmfile-template.ts';
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
  /** The release by itself, for one that has no HelmRelease. Failure: `release/helmfile-unsupported`, `release/helmfile-template`. */
  plan(): Promise<ReleasePlan>;
}

const homes = [
  '',
  'bootstrap',
  'kubernetes/bootstrap',
  'talos/bootstrap',
  'setup/bootstrap',
  'talos',
  'talos/integrations',
  'provision/talos',
];
const isHelmfile = (name: string): boolean => /^(?:[\w.-]*[-.])?helmfile(?:[-.][\w-]+)?\.ya?ml(?:\.gotmpl)?$/.test(name);
const folders = ['helmfile.d', 'helmfile'];
const folderOfApps = ['crds', 'apps'];
const defaultTimeoutSeconds = 300;

/**
 * Every helmfile that real repositories bootstrap from, definitions first, then in the order in which helmfile would run them.
 *
 * Shape: `tree` is the folder of the manifests; one that holds a single cluster of several has its bootstrap in it or beside it.
 */
export async function findHelmfiles(files: Files, repository: string, tree: string): Promise<readonly string[]> {
  const found: string[] = [];
  const ofTree = [tree, posix.dirname(tree)].flatMap((folder) => [posix.join(folder, 'bootstrap'), posix.join(folder, '.bootstrap')]);
  for (const home of new Set([...homes, ...ofTree])) {
    const filesIn = async (folder: string, isMeant: (name: string) => boolean) => {
      for (const { name, kind } of await files.list(posix.join(repository, home, folder)))
        if (kind === 'file' && isMeant(name)) found.push(posix.join(home, folder, name));
    };
    await filesIn('', isHelmfile);
    if (/(?:^|\/)\.?bootstrap$/.test(home)) {
      // `helmfile --file bootstrap/apps.yaml`: any name will do for those who give it.
      for (const { name, kind } of await files.list(posix.join(repository, home))) {
        if (kind !== 'file' || isHelmfile(name) || !/\.ya?ml(?:\.gotmpl)?$/.test(name)) continue;
        if (/^releases:/m.test((await files.readText(posix.join(repository, home, name))) ?? '')) found.push(posix.join(home, name));
      }
    }
    for (const folder of folderOfApps) await filesIn(folder, isHelmfile);
    for (const folder of folders) await filesIn(folder, (name) => /\.ya?ml(?:\.gotmpl)?$/.test(name));
  }
  const place = (path: string) => (isOfCrds(path) ? 0 : /\/helmfile\.ya?ml/.test(`/${path}`) ? 1 : 2);
  return [0, 1, 2].flatMap((which) => found.filter((path) => place(path) === which));
}

/** By its name, or its folder's. */
const isOfCrds = (path: string): boolean => /crds/.test(path.split('/').slice(-2).join('/'));

/**
 * Reads the releases of one helmfile and of those that it names below `helmfiles`. Templates of a release are rendered only when somebody
 * asks for its plan; those in its name, namespace and needs at once.
 *
 * Failure: `format/*`, `release/malformed`, `release/helmfile-template`, `release/helmfile-unsupported`; collected.
 * Source: helmfile docs/index.md, "Configuration"; pkg/state/state_exec_tmpl.go
 */
export async function readHelmfile(
  path: string,
  ports: HelmfilePorts,
): Promise<{ readonly releases: readonly HelmfileRelease[]; readonly failures: readonly Failure[] }> {
  const failures: Failure[] = [];
  const releases = await releasesOf(path, ports, failures, []);
  return { releases, failures };
}

async function releasesOf(
  path: string,
  ports: HelmfilePorts,
  failures: Failure[],
  within: readonly string[],
): Promise<readonly HelmfileRelease[]> {
  const state = await loadHelmfile(path, ports, failures);
  const releases: HelmfileRelease[] = [];
  // helmfile runs nested files first.
  for (const nested of state.helmfiles) {
    const name = typeof nested === 'string' ? nested : textOf(fieldsOf(nested).path);
    const file = name === undefined ? undefined : posix.join(posix.dirname(path), name);
    if (file === undefined || name?.includes('::') === true || within.includes(file)) continue;
    for (const one of await expand(file, ports)) releases.push(...(await releasesOf(one, ports, failures, [...within, path])));
  }
  for (const [index, written] of state.releases.entries()) {
    try {
      const release = await readRelease(written, index, state, ports);
      if (release !== undefined) releases.push(release);
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      failures.push(...error.failures);
    }
  }
  return releases;
}

/** A folder means its files, a `*` in the last part every file that fits. */
async function expand(path: string, { files, repository }: HelmfilePorts): Promise<readonly string[]> {
  const isFolder = (await files.stat(posix.join(repository, path)))?.kind === 'directory';
  if (!isFolder && !path.includes('*')) return [path];
  const folder = isFolder ? path : posix.dirname(path);
  const pattern = isFolder ? /\.ya?ml(?:\.gotmpl)?$/ : new RegExp(`^${posix.basename(path).replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
  const entries = await files.list(posix.join(repository, folder));
  return entries.filter(({ name, kind }) => kind === 'file' && pattern.test(name)).map(({ name }) => posix.join(folder, name));
}

async function readRelease(
  { fields, place }: WrittenRelease,
  index: number,
  state: HelmfileState,
  ports: HelmfilePorts,
): Promise<HelmfileRelease | undefined> {
  const malformed = (field: string, expected: string) =>
    new TkError(
      releaseFailure('release/malformed', { release: state.path, field: `releases[${index}]${field}`, expected }, { where: place }),
    );
  if (!isFields(fields)) throw malformed('', 'a mapping');
  const entry = inherited(fields, state);
  if (entry.installed === false || isOff(entry.condition, state)) return undefined;
  const work = new ReleaseReader(entry, place, state, ports);
  const name = await work.text(entry.name, 'name');
  if (name === undefined) throw malformed('.name', 'a name');
  const namespace = (await work.text(entry.namespace, 'namespace')) ?? textOf(state.helmDefaults.namespace) ?? 'default';
  const isCrds =
    isOfCrds(state.path) || textsOf(state.helmDefaults.args).includes('--include-crds') || takesOnlyDefinitions(entry, state.helmDefaults);
  return {
    name,
    namespace,
    needs: textsOf(entry.needs),
    role: isCrds ? 'crds' : 'release',
    hooks: listOf(entry.hooks).map((hook) =>
      [...textsOf(hook.events).map((event) => `${event}:`), String(hook.command ?? ''), ...textsOf(hook.args)].join(' '),
    ),
    place,
    plan: () => work.plan(name, namespace, isCrds ? 'crds' : 'release'),
  };
}

/** A post-renderer that lets only definitions through, as bootstraps write it: `yq 'select(.kind == "CustomResourceDefinition")'`. */
function takesOnlyDefinitions(entry: Fields, defaults: Fields): boolean {
  const { postRenderer, postRendererArgs } = entry.postRenderer === undefined ? defaults : entry;
  return postRenderer !== undefined && textsOf(postRendererArgs).some((text) => /select\(.*"CustomResourceDefinition"\)/.test(text));
}

/** `condition: foo.enabled` names a value. */
function isOff(condition: Json | undefined, { data }: HelmfileState): boolean {
  if (condition === undefined) return false;
  if (typeof condition === 'boolean') return !condition;
  const value = String(condition)
    .split('.')
    .reduce<Json | undefined>((inner, key) => fieldsOf(inner)[key], data.Values);
  return value === false || value === undefined;
}

/**
 * `defaultInherit` and `inherit: [{ template: name }]`: what comes later wins, the release last; lists grow.
 * Source: helmfile pkg/state/state_exec_tmpl.go releaseWithInheritedTemplate
 */
function inherited(entry: Fields, { templates, defaultInherit }: HelmfileState, within: readonly string[] = []): Fields {
  const own = listOf(entry.inherit);
  const named = own.map(({ template }) => String(template));
  const from = [
    ...(within.length === 0 ? defaultInherit.filter((name) => !named.includes(name)).map((template): Fields => ({ template })) : []),
    ...own,
  ];
  const { inherit: _inherit, ...rest } = entry;
  return [
    ...from.flatMap(({ template, except }) => {
      const name = String(template);
      if (within.includes(name) || !isFields(templates[name])) return [];
      const inner = inherited(fieldsOf(templates[name]), { templates, defaultInherit } as HelmfileState, [...within, name]);
      const left = textsOf(except);
      return [Object.fromEntries(Object.entries(inner).filter(([key]) => !left.includes(key)))];
    }),
    rest,
  ].reduce((into: Fields, next: Fields) => mergeGrowing(into, next), {});
}

function mergeGrowing(into: Fields, next: Fields): Fields {
  const merged: { [field: string]: Json | undefined } = { ...into };
  for (const [key, value] of Object.entries(next)) {
    const present = merged[key];
    if (Array.isArray(present) && Array.isArray(value)) merged[key] = [...present, ...value];
    else if (isFields(present) && isFields(value)) merged[key] = mergeGrowing(present, value) as Json;
    else if (value !== null && value !== '') merged[key] = value;
  }
  return merged;
}

/** One release with its templates. */
class ReleaseReader {
  readonly #entry: Fields;
  readonly #place: Place;
  readonly #state: HelmfileState;
  readonly #ports: HelmfilePorts;

  constructor(entry: Fields, place: Place, state: HelmfileState, ports: HelmfilePorts) {
    this.#entry = entry;
    this.#place = place;
    this.#state = state;
    this.#ports = ports;
  }

  get #folder(): string {
    return posix.dirname(this.#state.path);
  }

  async text(value: Json | undefined, field: string, release: Fields = this.#facts({})): Promise<string | undefined> {
    const written = typeof value === 'number' ? String(value) : textOf(value);
    if (written === undefined) return undefined;
    const rendered = await this.#render(`${this.#state.path} ${field}`, written, this.#folder, release);
    return textOf(rendered.trim());
  }

  /** Failure: `release/helmfile-unsupported`, `release/helmfile-template`, `release/file-missing`. */
  async plan(name: string, namespace: string, role: ReleasePlan['role']): Promise<ReleasePlan> {
    this.#refuseWhatIsRun(name, role);
    const facts = this.#facts({ Name: name, Namespace: namespace });
    const chart = await this.text(this.#entry.chart, 'chart', facts);
    const version = await this.text(this.#entry.version, 'version', this.#facts({ Name: name, Namespace: namespace, Chart: chart ?? '' }));
    const source = await this.#source(name, chart, version);
    const { helmDefaults } = this.#state;
    const wait = this.#entry.wait ?? helmDefaults.wait;
    const timeout = Number(this.#entry.timeout ?? helmDefaults.timeout ?? defaultTimeoutSeconds);
    return {
      name,
      namespace,
      storageNamespace: namespace,
      source,
      chart: 'chart' in source ? source.chart : posix.basename(source.kind === 'oci' ? source.repository : source.path),
      version: versionOfSource(source),
      needs: [],
      role,
      isBootstrap: role === 'release',
      values: await this.#values(name, facts),
      crds: (this.#entry.skipCRDs ?? helmDefaults.skipCRDs) === true ? 'skip' : 'create',
      areHooksDisabled: false,
      timeoutMs: (Number.isFinite(timeout) && timeout > 0 ? timeout : defaultTimeoutSeconds) * 1000,
      ...(wait === false ? { shouldWait: false } : {}),
      ...((this.#entry.skipSchemaValidation ?? helmDefaults.skipSchemaValidation) === true ? { isSchemaSkipped: true } : {}),
      place: this.#place,
      hooks: [],
    };
  }

  #facts(known: Fields): Fields {
    const { name, namespace, chart, labels, version } = this.#entry;
    const text = (value: Json | undefined) => (typeof value === 'string' ? value : '');
    return {
      Name: text(name),
      Namespace: text(namespace),
      Chart: text(chart),
      ChartVersion: text(version),
      KubeContext: '',
      Labels: fieldsOf(labels) as Json,
      ...known,
    };
  }

  #render(name: string, text: string, base: string, release: Fields): Promise<string> {
    const data = { ...this.#state.data, Release: release as Json };
    return renderHelmfileTemplate({ name, text, base, data: data as Json, place: this.#place }, this.#ports);
  }

  /** What would make other objects out of the chart than Helm does, and is a program. */
  #refuseWhatIsRun(name: string, role: ReleasePlan['role']): void {
    const command = commandNotRun(JSON.stringify(this.#entry));
    if (command !== undefined) throw this.#unsupported(name, `\`${command}\` is not run`);
    const { helmDefaults } = this.#state;
    const renderer = textOf(this.#entry.postRenderer) ?? textOf(helmDefaults.postRenderer);
    // Of one that lets only definitions through only definitions are taken anyway.
    if (renderer !== undefined && role === 'release') throw this.#unsupported(`${name}.postRenderer`, `\`${renderer}\` is not run`);
    for (const field of ['strategicMergePatches', 'jsonPatches', 'transformers', 'dependencies'] as const)
      if (listOf(this.#entry[field]).length > 0)
        throw this.#unsupported(`${name}.${field}`, 'helmfile makes another chart of it with kustomize');
  }

  #unsupported(field: string, reason: string): TkError {
    return new TkError(releaseFailure('release/helmfile-unsupported', { field, reason }, { where: this.#place }));
  }

  #missing(release: string, field: string, path: string): TkError {
    return new TkError(releaseFailure('release/file-missing', { release, field, path }, { where: this.#place }));
  }

  async #source(name: string, chart: string | undefined, version: string | undefined): Promise<ChartSource> {
    if (chart === undefined) throw this.#unsupported(`${name}.chart`, 'there is none');
    const { repositories } = this.#state;
    const { repository: root, files } = this.#ports;
    const isPlainHttp = (this.#entry.plainHttp ?? this.#state.helmDefaults.plainHttp) === true;
    const oci = (text: string): ChartSource => {
      const [repository = '', tag] = text.split(/:(?=[^/]*$)/);
      const wanted = version ?? tag;
      const isRange = wanted !== undefined && !/^v?\d+\.\d+\.\d+[\w.+-]*$/.test(wanted);
      return {
        kind: 'oci',
        repository,
        ...(wanted === undefined ? { range: '*' } : isRange ? { range: wanted } : { tag: wanted }),
        ...(isPlainHttp ? { isPlainHttp } : {}),
      };
    };
    if (chart.startsWith('oci://')) return oci(chart.slice('oci://'.length));
    const local = chart.startsWith('/') ? posix.relative(root, chart) : posix.join(this.#folder, chart);
    if (/^\.{0,2}\//.test(chart) || (await files.stat(posix.join(root, local, 'Chart.yaml'))) !== undefined)
      return { kind: 'folder', root, path: local };
    const slash = chart.indexOf('/');
    const found = repositories.find((candidate) => candidate.name === chart.slice(0, slash));
    const url = textOf(found?.url);
    if (url === undefined) throw this.#unsupported(`${name}.chart`, `\`${chart}\` names no repository of this file`);
    const own = chart.slice(slash + 1);
    if (found?.oci === true || url.startsWith('oci://')) return oci(`${url.replace(/^oci:\/\//, '').replace(/\/$/, '')}/${own}`);
    return { kind: 'index', url, chart: own, ...(version === undefined ? {} : { version }) };
  }

  async #values(name: string, facts: Fields): Promise<readonly ValuesLayer[]> {
    const layers: ValuesLayer[] = [];
    for (const field of ['valuesTemplate', 'values'] as const) {
      const entries = this.#entry[field];
      for (const [index, entry] of (Array.isArray(entries) ? (entries as readonly Json[]) : []).entries()) {
        if (typeof entry === 'string') layers.push(...(await this.#valuesFile(name, entry, facts)));
        else if (isFields(entry)) {
          const text = JSON.stringify(entry);
          // Only `valuesTemplate` holds templates; braces in `values` are meant for the chart.
          layers.push(
            field === 'values'
              ? { kind: 'inline', origin: this.#state.path, values: entry }
              : {
                  kind: 'file',
                  path: `${this.#state.path} valuesTemplate[${index}]`,
                  text: await this.#render(this.#state.path, text, this.#folder, facts),
                },
          );
        }
      }
    }
    for (const written of textsOf(this.#entry.secrets)) layers.push(...(await this.#secretFile(name, written, facts)));
    for (const field of ['setTemplate', 'set', 'setString'] as const) layers.push(...(await this.#setValues(name, field, facts)));
    return layers;
  }

  async #valuesFile(name: string, written: string, facts: Fields): Promise<readonly ValuesLayer[]> {
    const rendered = (await this.#render(`${this.#state.path} values`, written, this.#folder, facts)).trim();
    const { repository: root, files } = this.#ports;
    const path = rendered.startsWith(`${root}/`) ? rendered.slice(root.length + 1) : posix.join(this.#folder, rendered);
    const text = await files.readText(posix.join(root, path));
    if (text === undefined) {
      if (['Warn', 'Info', 'Debug'].includes(textOf(this.#entry.missingFileHandler) ?? '')) return [];
      throw this.#missing(name, 'values', path);
    }
    const content = path.endsWith('.gotmpl') ? await this.#render(path, text, posix.dirname(path), facts) : text;
    return [{ kind: 'file', path, text: content }];
  }

  /** `secrets:` are values files that SOPS has encrypted. Failure: `secrets/*`. */
  async #secretFile(name: string, written: string, facts: Fields): Promise<readonly ValuesLayer[]> {
    const { decrypt } = this.#ports;
    if (decrypt === undefined) throw this.#unsupported(`${name}.secrets`, 'helmfile decrypts them with a plugin of helm');
    const layers = await this.#valuesFile(name, written, facts);
    return Promise.all(layers.map(async (layer) => (layer.kind === 'file' ? { ...layer, text: (await decrypt(layer)).reveal() } : layer)));
  }

  async #setValues(name: string, field: 'set' | 'setString' | 'setTemplate', facts: Fields): Promise<readonly ValuesLayer[]> {
    const layers: ValuesLayer[] = [];
    for (const [index, entry] of listOf(this.#entry[field]).entries()) {
      const render = async (value: Json | undefined) =>
        field === 'setTemplate'
          ? this.#render(`${this.#state.path} ${field}`, String(value ?? ''), this.#folder, facts)
          : String(value ?? '');
      const targetPath = textOf(await render(entry.name));
      if (targetPath === undefined) throw this.#unsupported(`${name}.${field}[${index}]`, 'it has no name');
      const isLiteral = field === 'setString';
      const set = (text: string): ValuesLayer => ({ kind: 'set', origin: this.#state.path, targetPath, text, isLiteral });
      if (Array.isArray(entry.values))
        layers.push(set(`{${(await Promise.all(entry.values.map((value: Json) => render(value)))).map(escaped).join(',')}}`));
      else if (textOf(entry.file) !== undefined) {
        const path = posix.join(this.#folder, await render(entry.file));
        const text = await this.#ports.files.readText(posix.join(this.#ports.repository, path));
        if (text === undefined) throw this.#missing(name, `${field}[${index}]`, path);
        layers.push({ kind: 'set', origin: path, targetPath, text, isLiteral: true });
      } else layers.push(set(isLiteral ? await render(entry.value) : escaped(await render(entry.value))));
    }
    return layers;
  }
}

/** A value of `set` is one value, whatever marks it holds. */
const escaped = (text: string): string => text.replace(/[{},]/g, '\\$&');
