import { TkError } from '../../base/index.ts';
import { newestInRange } from '../../format/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import type { RegistryCredentials } from './credentials.ts';
import { type Downloaded, type DownloadPorts, download } from './download.ts';
import { chartSourceFailure } from './failures.ts';
import { type ChartSource, describeSource } from './source.ts';

export type OciSource = Extract<ChartSource, { kind: 'oci' }>;

export interface OciPorts extends DownloadPorts {
  readonly credentials: RegistryCredentials;
  /** The registry makes its charts up, so that no digest of a real one is theirs: what a digest names is asked for by tag. Default: false. */
  readonly areChartsMadeUp?: boolean;
}

export interface PulledChart {
  readonly bytes: Uint8Array;
  /** Of the archive: `sha256:…`. */
  readonly digest: string;
  /** The tag or index version that was taken; the chart's own version where a digest was asked for is not known here. */
  readonly version: string;
}

const chartLayer = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
/** What Helm 3.0 wrote. */
const oldChartLayer = 'application/tar+gzip';
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const manifestLimitBytes = 4 * 1024 * 1024;
const tagPages = 20;
/** More than ten times the largest chart that is known; Helm's own limit for what it unpacks to is 100 MiB. */
export const archiveLimitBytes = 64 * 1024 * 1024;

interface Descriptor {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
}

/**
 * Pulls the chart layer of an OCI artifact; every digest and size on the way is checked.
 *
 * Failure: each of `ChartSourceFailures`.
 * Source: OCI distribution specification 1.1, Docker token authentication.
 */
export async function pullFromRegistry(source: OciSource, ports: OciPorts, signal: AbortSignal): Promise<PulledChart> {
  const registry = new Registry(source, ports, signal);
  const digest = ports.areChartsMadeUp === true ? undefined : source.digest;
  const reference =
    digest ?? (source.tag === undefined ? await registry.newestTag(source.range ?? '*', source.tagFilter) : tagOf(source.tag));
  const manifest = await registry.manifest(reference);
  const layers = manifest.layers ?? [];
  const wanted = source.layer === undefined ? [chartLayer, oldChartLayer] : [source.layer];
  const layer = wanted.flatMap((type) => layers.find(({ mediaType }) => mediaType === type) ?? [])[0] ?? loneLayer(layers, source);
  if (layer?.digest === undefined || layer.size === undefined) {
    throw registry.malformed('manifest', `no layer of type ${wanted[0]} among ${layers.length}`);
  }
  if (layer.size > archiveLimitBytes) {
    throw new TkError(
      chartSourceFailure('chart/too-large', { source: registry.source, sizeBytes: layer.size, limitBytes: archiveLimitBytes }),
    );
  }
  const { body } = await registry.get(`blobs/${layer.digest}`, {}, layer.size);
  registry.check('chart archive', layer.digest, body, layer.size);
  return { bytes: body, digest: layer.digest, version: digest === undefined ? versionOfTag(reference) : (source.tag ?? reference) };
}

/** What was pushed as a plain artifact has one layer of whatever type; Flux takes the first when it is told of none. */
const loneLayer = (layers: readonly Descriptor[], { layer }: OciSource): Descriptor | undefined =>
  layer === undefined && layers.length === 1 ? layers[0] : undefined;

/** `+` may not stand in a tag. */
export const tagOf = (version: string): string => version.replaceAll('+', '_');
const versionOfTag = (tag: string): string => tag.replaceAll('_', '+');

class Registry {
  readonly source: string;
  readonly #host: string;
  readonly #base: string;
  readonly #ports: OciPorts;
  readonly #signal: AbortSignal;
  #authorization: string | undefined;

  constructor(source: OciSource, ports: OciPorts, signal: AbortSignal) {
    const [first = '', ...path] = source.repository.split('/');
    this.source = describeSource(source);
    this.#host = first;
    const host = first === 'docker.io' ? 'registry-1.docker.io' : first;
    const name = first === 'docker.io' && path.length === 1 ? `library/${path.join('/')}` : path.join('/');
    this.#base = `${source.isPlainHttp === true ? 'http' : 'https'}://${host}/v2/${name}`;
    this.#ports = ports;
    this.#signal = signal;
  }

  async manifest(reference: string): Promise<{ readonly layers?: readonly Descriptor[] }> {
    const { body, headers } = await this.get(`manifests/${reference}`, { accept: manifestTypes.join(', ') }, manifestLimitBytes, reference);
    const named = reference.startsWith('sha256:') ? reference : headers['docker-content-digest'];
    if (named !== undefined) this.check('manifest', named, body);
    const manifest = this.json<{ layers?: readonly Descriptor[]; manifests?: readonly Descriptor[] }>('manifest', body);
    const [inner] = manifest.manifests ?? [];
    return manifest.layers === undefined && inner?.digest !== undefined ? this.manifest(inner.digest) : manifest;
  }

  async newestTag(range: string, filter?: string): Promise<string> {
    const versions: string[] = [];
    let path: string | undefined = 'tags/list?n=1000';
    for (let page = 0; path !== undefined && page < tagPages; page += 1) {
      const { body, headers }: Downloaded = await this.get(path, {}, manifestLimitBytes);
      versions.push(...(this.json<{ tags?: readonly string[] | null }>('list of tags', body).tags ?? []).map(versionOfTag));
      const next: string | undefined = /<[^>]*\/(tags\/list[^>]*)>;\s*rel="?next/.exec(headers.link ?? '')?.[1];
      path = next;
    }
    const allowed = filter === undefined ? versions : versions.filter((version) => new RegExp(filter).test(version));
    const newest = newestInRange(allowed, rangeOf(range));
    if (newest === undefined) throw this.#versionNotFound(range, versions);
    return tagOf(newest);
  }

  async get(path: string, headers: Readonly<Record<string, string>>, limitBytes: number, reference?: string): Promise<Downloaded> {
    const ask = () =>
      download(
        {
          url: `${this.#base}/${path}`,
          headers: this.#authorization === undefined ? headers : { ...headers, authorization: this.#authorization },
          source: this.source,
          limitBytes,
        },
        this.#ports,
        this.#signal,
      );
    let answer = await ask();
    if (answer.status === 401) {
      await this.#authenticate(answer.headers['www-authenticate'] ?? '');
      answer = await ask();
    }
    if (answer.status === 401 || answer.status === 403) throw await this.#unauthorized(answer.status, answer.host);
    if (answer.status === 404) throw reference === undefined ? this.#notFound() : await this.#missingVersion(reference);
    if (answer.status !== 200) throw this.malformed(path, `status ${answer.status}`);
    return answer;
  }

  check(what: string, expected: string, body: Uint8Array, size = body.length): void {
    const actual = `sha256:${sha256Hex(body)}`;
    if (actual === expected && body.length === size) return;
    throw new TkError(chartSourceFailure('chart/digest-mismatch', { source: this.source, what, expected, actual }));
  }

  json<T>(what: string, body: Uint8Array): T {
    try {
      const value: unknown = JSON.parse(Buffer.from(body).toString());
      if (typeof value === 'object' && value !== null) return value as T;
    } catch {
      // Falls through to the one way out for everything that is not an object.
    }
    throw this.malformed(what, 'not a JSON object');
  }

  malformed(what: string, reason: string): TkError {
    return new TkError(chartSourceFailure('chart/malformed-answer', { source: this.source, what, reason }));
  }

  /** Anonymous callers need a token too where the registry hands them out. */
  async #authenticate(challenge: string): Promise<void> {
    const credential = await this.#ports.credentials.of(this.#host, this.#signal);
    const basic = credential && `Basic ${Buffer.from(`${credential.username}:${credential.password.reveal()}`).toString('base64')}`;
    const parameters = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name.toLowerCase(), value]));
    const realm = parameters.get('realm');
    if (/^basic\b/i.test(challenge)) {
      if (basic === undefined) throw await this.#unauthorized(401, this.#host);
      this.#authorization = basic;
      return;
    }
    if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) {
      throw this.malformed('www-authenticate header', 'neither a bearer nor a basic challenge');
    }
    const url = new URL(realm);
    for (const name of ['service', 'scope']) {
      const value = parameters.get(name);
      if (value !== undefined) url.searchParams.append(name, value);
    }
    const headers = basic === undefined ? {} : { authorization: basic };
    const answer = await download(
      { url: url.href, headers, source: this.source, limitBytes: manifestLimitBytes },
      this.#ports,
      this.#signal,
    );
    if (answer.status !== 200) throw await this.#unauthorized(answer.status, answer.host);
    const { token, access_token } = this.json<{ token?: string; access_token?: string }>('token', answer.body);
    const given = token ?? access_token;
    if (typeof given !== 'string') throw this.malformed('token', 'no token in it');
    this.#authorization = `Bearer ${given}`;
  }

  async #unauthorized(status: number, host: string): Promise<TkError> {
    const credentials = (await this.#ports.credentials.of(this.#host, this.#signal))?.from ?? 'none';
    return new TkError(chartSourceFailure('chart/unauthorized', { source: this.source, host, status, credentials }));
  }

  #notFound(): TkError {
    return new TkError(chartSourceFailure('chart/not-found', { source: this.source }));
  }

  /** Tells a missing chart from a missing version of it. */
  async #missingVersion(reference: string): Promise<TkError> {
    try {
      const { body } = await this.get('tags/list?n=1000', {}, manifestLimitBytes);
      return this.#versionNotFound(
        reference,
        (this.json<{ tags?: readonly string[] | null }>('list of tags', body).tags ?? []).map(versionOfTag),
      );
    } catch (error) {
      if (error instanceof TkError && error.failure.code === 'chart/not-found') return error;
      return new TkError(chartSourceFailure('chart/not-found', { source: this.source, version: reference }));
    }
  }

  #versionNotFound(wanted: string, versions: readonly string[]): TkError {
    return new TkError(
      chartSourceFailure('chart/version-not-found', {
        source: this.source,
        wanted,
        available: newestOf(versions.filter((version) => version !== wanted)),
      }),
    );
  }
}

/** Helm joins conditions with commas, npm's semver with spaces. */
export const rangeOf = (range: string): string => range.replaceAll(',', ' ');

/** The newest five, newest first. */
export function newestOf(versions: readonly string[]): readonly string[] {
  const newest: string[] = [];
  let rest = [...new Set(versions)];
  while (newest.length < 5) {
    const next = newestInRange(rest, '*');
    if (next === undefined) break;
    newest.push(next);
    rest = rest.filter((version) => version !== next);
  }
  return newest;
}
