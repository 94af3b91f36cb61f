import type { Clock, Compute, Json, Random } from '../base/index.ts';
import { TkError } from '../base/index.ts';
import { compiledModule } from './compiled-module.ts';
import { wasmFailure } from './failures.ts';
import { type EngineFailure, failureFrom, goTemplateFailure } from './helm-errors.ts';
import type { HelmJob, HelmJobOutcome } from './helm-job.ts';

export type JsonObject = { readonly [key: string]: Json | undefined };

/** A packed chart. `digest` (`sha256:…`) names its content; equal digests are rendered once where a memo is given. */
export interface ChartArchive {
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** Packed from a folder, so its .helmignore counts. Default: false. */
  readonly isFolder?: boolean;
}

export interface Lookup {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty: all of them. */
  readonly namespace: string;
  /** Empty: a list is wanted. */
  readonly name: string;
}

export interface RenderRequest {
  readonly archive: ChartArchive;
  readonly release: {
    readonly name: string;
    readonly namespace: string;
    /** Default: 1. */
    readonly revision?: number;
    /** Default: false, an install. */
    readonly isUpgrade?: boolean;
  };
  /** Texts of values files, merged in order as `helm -f` does. */
  readonly valuesTexts?: readonly string[];
  /** Over the texts. */
  readonly values?: JsonObject;
  /** Absent: the built-in ones of `helm template`. `onlyThese`: the cluster's discovery list takes the place of the built-in one. */
  readonly capabilities?: { readonly kubeVersion?: string; readonly apiVersions?: readonly string[]; readonly onlyThese?: boolean };
  /** CRDs of the chart's `crds/` folder come first in the manifest. Default: false. */
  readonly includeCrds?: boolean;
  /** Default: the chart's values.yaml. */
  readonly valuesFiles?: ValuesFiles;
  /** Values are not held against the chart's schema. Default: false. */
  readonly skipSchema?: boolean;
  /** Brings a document that a values schema refers to on the web; undefined: it cannot be had. Absent: such a schema is refused. */
  readonly fetchSchema?: (url: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Answers `lookup`; undefined: there is no such object. Absent: every look-up finds nothing, as in `helm template`. */
  readonly lookup?: (asked: Lookup, signal: AbortSignal) => Promise<Json | undefined>;
}

/** Files of the chart that are its default values, in place of values.yaml; later ones win. */
export interface ValuesFiles {
  readonly paths: readonly string[];
  /** Default: false, a file that is not there is a failure. */
  readonly ignoreMissing?: boolean;
}

/** One Kubernetes object as Kubernetes' own YAML reader sees it, and the template that it came from. */
export interface RenderedObject {
  readonly source: string;
  readonly object: JsonObject;
}

export interface HookExecution {
  readonly started_at?: string;
  readonly completed_at?: string;
  readonly phase: string;
}

/** Field names and values are those of Helm's release record. */
export interface HelmHook {
  readonly name: string;
  readonly kind: string;
  readonly path: string;
  readonly manifest: string;
  readonly events: readonly string[];
  readonly weight?: number;
  readonly delete_policies?: readonly string[];
  readonly output_log_policies?: readonly string[];
  readonly last_run: HookExecution;
}

export interface RenderedHook extends HelmHook {
  readonly objects: readonly RenderedObject[];
}

export interface ChartMetadata {
  readonly apiVersion?: string;
  readonly name: string;
  readonly version: string;
  readonly appVersion?: string;
  readonly kubeVersion?: string;
  readonly description?: string;
  readonly type?: string;
  readonly dependencies?: readonly {
    readonly name: string;
    readonly version?: string;
    readonly repository?: string;
    readonly alias?: string;
  }[];
}

export interface Rendering {
  readonly chart: ChartMetadata;
  /** As given, before the chart's own: what the release record keeps as `config`. */
  readonly values: JsonObject;
  /** What `helm template` prints, hooks apart. */
  readonly manifest: string;
  /** In Helm's order of kinds; whoever runs them sorts by weight. */
  readonly hooks: readonly RenderedHook[];
  readonly notes: string;
  /** In the order in which Helm applies them. */
  readonly objects: readonly RenderedObject[];
  readonly crds: readonly RenderedObject[];
  /** Lines that Helm logged. */
  readonly warnings: readonly string[];
}

export interface ChartDescription {
  readonly metadata: ChartMetadata;
  readonly values: JsonObject | null;
  /** `values.yaml` as it is, with its comments. */
  readonly valuesText?: string;
  readonly schema?: string;
  readonly files: readonly string[];
  readonly dependencies: readonly string[];
  readonly crds: readonly RenderedObject[];
}

export interface RecordInfo {
  readonly first_deployed?: string;
  readonly last_deployed?: string;
  readonly description?: string;
  readonly status: string;
  readonly notes?: string;
}

/** One revision of a release, as Helm keeps it. */
export interface ReleaseRecord {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly info: RecordInfo;
  readonly config: JsonObject | null;
  readonly manifest: string;
  readonly hooks: readonly HelmHook[] | null;
  /** As it was rendered. */
  readonly valuesFiles?: ValuesFiles;
}

export interface DecodedRecord extends ReleaseRecord {
  readonly chart: ChartMetadata | null;
  readonly applyMethod: string;
  readonly objects: readonly RenderedObject[];
}

export interface ValuesRequest {
  /** In the order of `valuesFrom`. With a `targetPath` the text is one value for that place, in the syntax of `--set`. */
  readonly layers: readonly { readonly text: string; readonly targetPath?: string; readonly literal?: boolean }[];
  /** `spec.values`, which wins over the layers. */
  readonly values: JsonObject;
}

export interface GoTemplateRequest {
  readonly name: string;
  readonly text: string;
  /** Whole numbers arrive as integers. */
  readonly data: Json;
  readonly partials?: Readonly<Record<string, string>>;
  /** What `env` and `expandenv` see. Default: nothing. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: `default`, which prints `<no value>`. */
  readonly missingKey?: 'default' | 'zero' | 'error';
  /** Default: `{{` and `}}`. */
  readonly delimiters?: readonly [left: string, right: string];
  /**
   * helmfile's functions take the place of Helm's, and files are read through this; undefined: there is nothing. Paths are joined to
   * `base`. Absent: a template sees no files.
   */
  readonly files?: { readonly base: string; readonly read: (path: string, signal: AbortSignal) => Promise<TemplateFile | undefined> };
  /** A command, which is never run, becomes a word that `commandNotRun` reads, in place of a failure. Default: false. */
  readonly areCommandsDeferred?: boolean;
}

/** The first command, as it is written, that this text has in place of what it would print. */
export function commandNotRun(text: string): string | undefined {
  const [, word] = /\bcommand-not-run-((?:[0-9a-f]{2})+)/.exec(text) ?? [];
  return word === undefined ? undefined : Buffer.from(word, 'hex').toString();
}

/** What lies at a path: a file's text, or what a folder holds. */
export type TemplateFile =
  | { readonly text: string }
  | { readonly entries: readonly { readonly name: string; readonly directory: boolean }[] };

/** Helm's own engine. Loaded at the first call, away from the main thread. */
export interface HelmEngine {
  /** Failure: `chart/archive`, `chart/invalid`. */
  inspect(archive: ChartArchive, signal: AbortSignal): Promise<ChartDescription>;
  /** Failure: each `chart/*` of `WasmFailures`, and what `lookup` throws. */
  render(request: RenderRequest, signal: AbortSignal): Promise<Rendering>;
  /** What stands in `data.release` of the secret, before Kubernetes' own base64. */
  encodeRecord(record: ReleaseRecord, archive: ChartArchive, signal: AbortSignal): Promise<string>;
  /** Failure: `chart/record`. */
  decodeRecord(data: string, signal: AbortSignal): Promise<DecodedRecord>;
  /** The same record with another status. Failure: `chart/record`. */
  restatusRecord(data: string, status: string, description: string, signal: AbortSignal): Promise<string>;
  /** text/template with sprig. Failure: `go-template/failed`, and what reading a file throws. */
  renderGoTemplate(request: GoTemplateRequest, signal: AbortSignal): Promise<string>;
  /** YAML as Kubernetes and Helm read it (sigs.k8s.io/yaml): `0400` is 256, `yes` is true. Empty documents are left out. Failure: `chart/values`. */
  parseYaml(text: string, signal: AbortSignal): Promise<readonly Json[]>;
  /** Values of a HelmRelease, put together as Flux does. Failure: `chart/values-layer` with the index of the layer. */
  mergeValues(request: ValuesRequest, signal: AbortSignal): Promise<JsonObject>;
  /** Each object as Kubernetes' own writer puts it, in the same order. */
  toYaml(objects: readonly Json[], signal: AbortSignal): Promise<readonly string[]>;
  /** The same documents with sorted keys and quotes only where they are needed, as Flux writes them before it substitutes variables. */
  normalizeYaml(text: string, signal: AbortSignal): Promise<string>;
}

export interface HelmEngineOptions {
  readonly compute: Compute;
  readonly random: Random;
  readonly clock: Clock;
  /** The compressed module, read when it is first needed. */
  readonly moduleBytes: () => Promise<Uint8Array>;
  /** For one call. Default: 120 s. */
  readonly timeoutMs?: number;
  /** Answers of earlier equal calls, random functions included. For runs that must be fast rather than fresh. */
  readonly memo?: Map<string, Promise<string>>;
}

/** A chart that asks anew after this many rounds will never stop. */
const lookupRounds = 12;

const jobModule = new URL(new URL(import.meta.url).pathname.endsWith('.ts') ? './helm-job.ts' : './helm-job.js', import.meta.url).href;

export function createHelmEngine({ compute, random, clock, moduleBytes, timeoutMs = 120_000, memo }: HelmEngineOptions): HelmEngine {
  async function run(job: HelmJob, during: string, signal: AbortSignal): Promise<string> {
    // The module is unpacked while the worker starts. Whoever waits for it below is told when that fails.
    const module = compiledModule(moduleBytes);
    module.catch(() => {});
    const outcome = await compute.run<HelmJob, HelmJobOutcome>(jobModule, job, { signal, timeoutMs });
    switch (outcome.state) {
      case 'answered':
        return outcome.answer;
      case 'trapped':
        throw new TkError(wasmFailure('chart/engine-trapped', { during, reason: outcome.reason }));
      case 'needs-module':
        return run({ ...job, module: await module }, during, signal);
      default:
        return outcome satisfies never;
    }
  }

  async function call<T>(
    op: string,
    body: object,
    archive: ChartArchive | undefined,
    signal: AbortSignal,
  ): Promise<{ result: T; warnings: readonly string[] }> {
    const request = JSON.stringify({ op, ...body });
    const job = (): HelmJob => ({
      request,
      ...(archive === undefined ? {} : { archive: archive.bytes }),
      seed: random.bytes(32),
      nowMs: clock.now(),
    });
    const work = () => clock.whileBusy(() => run(job(), op, signal));
    const answer = memo === undefined ? await work() : await remembered(memo, `${archive?.digest ?? ''} ${request}`, work);
    const { result, failure, warnings = [] } = JSON.parse(answer) as { result?: T; failure?: EngineFailure; warnings?: readonly string[] };
    if (failure !== undefined) throw new EngineRefusal(failure, op);
    return { result: result as T, warnings };
  }

  const plainly = async <T>(op: string, body: object, archive: ChartArchive | undefined, signal: AbortSignal) =>
    (await call<T>(op, body, archive, signal)).result;

  return {
    inspect: (archive, signal) => asFailures(() => plainly('inspect', {}, archive, signal)),
    render: (request, signal) =>
      asFailures(async () => {
        const answers: Record<string, Json> = {};
        const schemas: Record<string, string | null> = {};
        for (let round = 0; ; round += 1) {
          const render = renderBody(request, answers, schemas);
          const { result, warnings } = await call<Rendering & { unanswered: readonly Lookup[]; unansweredSchemas?: readonly string[] }>(
            'render',
            { render },
            request.archive,
            signal,
          );
          const { unanswered, unansweredSchemas = [], ...rendering } = result;
          for (const url of unansweredSchemas) schemas[url] = (await request.fetchSchema?.(url, signal)) ?? null;
          if (unansweredSchemas.length > 0 && round < lookupRounds) continue;
          if (unanswered.length === 0 || request.lookup === undefined) return { ...rendering, warnings };
          if (round >= lookupRounds)
            throw new TkError(wasmFailure('chart/lookup-endless', { kinds: [...new Set(unanswered.map(({ kind }) => kind))] }));
          for (const asked of unanswered) answers[lookupKey(asked)] = (await request.lookup(asked, signal)) ?? null;
        }
      }),
    encodeRecord: (record, archive, signal) =>
      asFailures(async () => {
        const body = { record: { ...record, folder: archive.isFolder ?? false } };
        return (await plainly<{ data: string }>('encode-record', body, archive, signal)).data;
      }),
    restatusRecord: (data, status, description, signal) =>
      asFailures(
        async () => (await plainly<{ data: string }>('restatus-record', { status: { data, status, description } }, undefined, signal)).data,
      ),
    decodeRecord: (data, signal) => asFailures(() => plainly('decode-record', { data }, undefined, signal)),
    renderGoTemplate: async ({ delimiters = ['', ''], files, areCommandsDeferred = false, ...template }, signal) => {
      const goTemplate = { ...template, left: delimiters[0], right: delimiters[1], deferred: areCommandsDeferred };
      const known: Record<string, Json> = {};
      try {
        for (;;) {
          const from = files === undefined ? {} : { base: files.base, files: known };
          const body = { goTemplate: { ...goTemplate, ...from } };
          const { text, missing } = await plainly<{ text: string; missing?: string }>('go-template', body, undefined, signal);
          if (missing === undefined || files === undefined) return text;
          known[missing] = ((await files.read(missing, signal)) ?? null) as unknown as Json;
        }
      } catch (error) {
        throw error instanceof EngineRefusal ? new TkError(goTemplateFailure(template.name, error.failure.message)) : error;
      }
    },
    mergeValues: (values, signal) =>
      asFailures(async () => (await plainly<{ values: JsonObject }>('values', { values }, undefined, signal)).values),
    toYaml: (documents, signal) =>
      documents.length === 0
        ? Promise.resolve([])
        : asFailures(async () => (await plainly<{ texts: readonly string[] }>('to-yaml', { documents }, undefined, signal)).texts),
    normalizeYaml: (text, signal) =>
      asFailures(async () => (await plainly<{ text: string }>('normal-yaml', { text }, undefined, signal)).text),
    parseYaml: (text, signal) =>
      asFailures(async () => (await plainly<{ documents: readonly Json[] }>('yaml', { text }, undefined, signal)).documents),
  };
}

class EngineRefusal extends Error {
  readonly failure: EngineFailure;
  readonly during: string;

  constructor(failure: EngineFailure, during: string) {
    super(failure.message);
    this.failure = failure;
    this.during = during;
  }
}

async function asFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof EngineRefusal ? new TkError(failureFrom(error.failure, error.during)) : error;
  }
}

function renderBody(request: RenderRequest, answers: Readonly<Record<string, Json>>, schemas: Readonly<Record<string, string | null>>) {
  const { archive, release, valuesTexts, values, capabilities, includeCrds, lookup, valuesFiles, skipSchema } = request;
  return {
    release,
    ...(valuesTexts === undefined ? {} : { valuesTexts }),
    values: values ?? {},
    ...(capabilities === undefined ? {} : { capabilities }),
    includeCrds: includeCrds ?? false,
    folder: archive.isFolder ?? false,
    ...(valuesFiles === undefined ? {} : { valuesFiles }),
    ...(skipSchema === true ? { skipSchema } : {}),
    // Always: the module would look for the host of a schema for minutes, on a network that is not there.
    schemas,
    ...(lookup === undefined ? {} : { lookups: answers }),
  };
}

const lookupKey = ({ apiVersion, kind, namespace, name }: Lookup): string => [apiVersion, kind, namespace, name].join('|');

async function remembered(memo: Map<string, Promise<string>>, key: string, work: () => Promise<string>): Promise<string> {
  const known = memo.get(key) ?? work();
  memo.set(key, known);
  try {
    return await known;
  } catch (error) {
    memo.delete(key);
    throw error;
  }
}
