import type { Clock, HttpHandler, HttpServerRequest, HttpServerResponse, Json } from '../../base/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import type { SimFault } from '../kernel.ts';
import type { ChartFolder } from './chart-folder.ts';
import { packChart, simulatedCharts, standInFor } from './pack-chart.ts';

export interface RegistryOptions {
  readonly clock: Clock;
  /** `SimKernel.fault`; points `registry/manifest`, `registry/blob`, `registry/token`, `registry/index` with `{ repository, reference }`. */
  readonly fault?: (point: string, facts: { readonly [fact: string]: Json }) => SimFault | undefined;
  /** Archives of real charts, served in place of stand-ins. `chart`: `oci://ghcr.io/org/charts/web`, `https://charts.example/web`. */
  readonly cached?: (chart: string, version: string) => Promise<Uint8Array | undefined>;
  /** Further charts, or others of the same name. */
  readonly charts?: readonly ChartFolder[];
  /** What `index.yaml` and `tags/list` offer besides our own: any chart is there in any version, but a list must say so first. */
  readonly listed?: () => Promise<readonly { readonly chart: string; readonly version: string }[]>;
  /** Demanded from everybody; absent: anonymous tokens are given out. */
  readonly credential?: { readonly username: string; readonly password: string };
  /** `basic` asks for the credential itself at every request. Default: `token`. */
  readonly authentication?: 'token' | 'basic';
  /** A chart without an entry here is not stood in for: `chart/not-found`. Default: everything is. */
  readonly hasStandIns?: boolean;
}

export interface SimRegistry {
  /** Serves every host: a registry below `/v2/`, its tokens at `/token`, a classic repository everywhere else. */
  readonly handler: HttpHandler;
  /** Names of the charts that were stood in for, sorted. */
  standIns(): readonly string[];
  /** How many requests were answered, by kind: `manifest`, `blob`, `tags`, `token`, `index`, `archive`, `challenge`. */
  counts(): Readonly<Record<string, number>>;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const configType = 'application/vnd.cncf.helm.config.v1+json';
const layerType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
/** Where everybody asks for what is named `docker.io`. */
const dockerHost = 'registry-1.docker.io';
/** Larger than any chart, and than what fits into memory twice. */
const hugeBytes = 2 * 1024 * 1024 * 1024;

/**
 * An OCI registry with token authentication, and a classic chart repository, over small charts of our own.
 *
 * Shape: the last part of a repository's path is the chart's name; any version of it exists.
 * Source: OCI distribution specification 1.1, "Pull"; Docker registry token authentication; Helm's index.yaml.
 */
export function createRegistry(options: RegistryOptions): SimRegistry {
  const counts: Record<string, number> = {};
  const standIns = new Set<string>();
  const blobs = new Map<string, Uint8Array>();
  const own = new Map([...simulatedCharts, ...(options.charts ?? []).map((chart) => [chart.name, chart] as const)]);
  let pinned: ReturnType<NonNullable<RegistryOptions['listed']>> | undefined;
  const mayExist = (chart: string): boolean => options.hasStandIns !== false || own.has(chart);
  const count = (kind: string) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  const faultAt = (point: string, repository: string, reference: string) => options.fault?.(`registry/${point}`, { repository, reference });

  const folderOf = (repository: string): ChartFolder | undefined => {
    const name = nameOf(repository);
    const known = own.get(name);
    if (known !== undefined) return known;
    if (options.hasStandIns === false) return undefined;
    return standInFor(name);
  };

  const archiveOf = async (
    chart: string,
    version: string,
  ): Promise<{ readonly archive: Uint8Array; readonly config: Uint8Array } | undefined> => {
    const real = own.has(nameOf(chart)) ? undefined : await options.cached?.(chart, version);
    if (real !== undefined) return { archive: real, config: Buffer.from('{}') };
    const folder = folderOf(chart);
    if (folder !== undefined && !own.has(folder.name)) standIns.add(folder.name);
    return folder && packChart(folder, version);
  };

  const manifest = async (host: string, repository: string, reference: string): Promise<HttpServerResponse> => {
    const fault = faultAt('manifest', repository, reference);
    const kept = blobs.get(reference);
    if (kept !== undefined) return manifestReply(kept, reference);
    if (fault?.kind === 'missing-tag' || !/^[A-Za-z0-9_][\w.-]{0,127}$/.test(reference))
      return registryError(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    const packed = await archiveOf(`oci://${host === dockerHost ? 'docker.io' : host}/${repository}`, reference.replaceAll('_', '+'));
    if (packed === undefined) return registryError(404, 'NAME_UNKNOWN', 'repository name not known to registry');
    const layer = keep(packed.archive);
    const body = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: { mediaType: configType, digest: keep(packed.config), size: packed.config.length },
        layers: [{ mediaType: layerType, digest: layer, size: fault?.kind === 'huge-layer' ? hugeBytes : packed.archive.length }],
      }),
    );
    const digest = keep(body);
    return manifestReply(body, fault?.kind === 'wrong-digest' ? `sha256:${sha256Hex('another manifest')}` : digest);
  };

  const keep = (bytes: Uint8Array): string => {
    const digest = `sha256:${sha256Hex(bytes)}`;
    blobs.set(digest, bytes);
    return digest;
  };

  const blob = (repository: string, digest: string): HttpServerResponse => {
    const fault = faultAt('blob', repository, digest);
    const bytes = blobs.get(digest);
    if (bytes === undefined) return registryError(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    const body =
      fault?.kind === 'wrong-digest' ? Uint8Array.from(bytes, (byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte)) : bytes;
    return {
      status: 200,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(body.length), 'docker-content-digest': digest },
      body,
    };
  };

  const listed = async () => (await (pinned ??= options.listed?.() ?? Promise.resolve([]))).filter(({ chart }) => mayExist(chart));

  const tags = async (repository: string): Promise<HttpServerResponse> => {
    const folder = folderOf(repository);
    if (folder === undefined) return registryError(404, 'NAME_UNKNOWN', 'repository name not known to registry');
    const versions = [folder.version, ...(await listed()).filter(({ chart }) => chart === folder.name).map(({ version }) => version)];
    return json(200, { name: repository, tags: [...new Set(versions)].map((version) => version.replaceAll('+', '_')) });
  };

  const token = (request: HttpServerRequest, query: URLSearchParams): HttpServerResponse => {
    count('token');
    const fault = faultAt('token', query.get('scope') ?? '', '');
    const refused = options.credential !== undefined && request.headers.authorization !== basicOf(options.credential);
    if (refused || fault?.kind === 'unauthorized') return registryError(401, 'UNAUTHORIZED', 'authentication required');
    return json(200, { token: tokenFor(query.get('scope') ?? ''), expires_in: 300 });
  };

  const challenge = (host: string, repository: string): HttpServerResponse => {
    count('challenge');
    const reply = registryError(401, 'UNAUTHORIZED', 'authentication required');
    const how =
      options.authentication === 'basic'
        ? 'Basic realm="registry"'
        : `Bearer realm="https://${host}/token",service="${host}",scope="${scopeOf(repository)}"`;
    return { ...reply, headers: { ...reply.headers, 'www-authenticate': how } };
  };

  const v2 = async (request: HttpServerRequest, path: string): Promise<HttpServerResponse> => {
    const [, repository, kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(path) ?? [];
    if (repository === undefined) return path === '/v2/' ? json(200, {}) : registryError(404, 'NAME_INVALID', 'invalid repository name');
    const expected =
      options.authentication === 'basic' && options.credential ? basicOf(options.credential) : `Bearer ${tokenFor(scopeOf(repository))}`;
    if (request.headers.authorization !== expected) return challenge(request.headers.host ?? 'registry', repository);
    const fault = faultAt('request', repository, reference);
    if (fault?.kind === 'rate-limited')
      return {
        ...registryError(429, 'TOOMANYREQUESTS', 'too many requests'),
        headers: { 'retry-after': String(fault.facts.retryAfterSeconds ?? 2) },
      };
    if (fault?.kind === 'unavailable') return registryError(503, 'UNAVAILABLE', 'backend is down');
    if (fault?.kind === 'slow') await options.clock.sleep(Number(fault.facts.lateMs ?? 5000), request.signal);
    count(kind === 'manifests' ? 'manifest' : kind === 'blobs' ? 'blob' : 'tags');
    if (kind === 'manifests') return manifest(request.headers.host ?? 'registry', repository, reference);
    return kind === 'blobs' ? blob(repository, reference) : tags(repository);
  };

  const classic = async (request: HttpServerRequest, path: string): Promise<HttpServerResponse> => {
    if (options.credential !== undefined && request.headers.authorization !== basicOf(options.credential)) {
      return { ...text(401, 'unauthorized'), headers: { 'www-authenticate': 'Basic realm="charts"' } };
    }
    if (path.endsWith('/index.yaml')) {
      count('index');
      return text(200, await index());
    }
    const [, folder = '', name, version] = /^(.*\/)([\w.-]+?)-(v?\d+\.\d+\.\d+[\w.+-]*)\.tgz$/.exec(path) ?? [];
    if (name === undefined || version === undefined) return text(404, 'not found');
    count('archive');
    const packed = await archiveOf(`https://${request.headers.host ?? 'registry'}${folder}${name}`, version);
    if (packed === undefined) return text(404, 'not found');
    const fault = faultAt('archive', name, version);
    const body = fault?.kind === 'wrong-digest' ? Buffer.concat([packed.archive, Buffer.of(0)]) : packed.archive;
    return { status: 200, headers: { 'content-type': 'application/gzip', 'content-length': String(body.length) }, body };
  };

  const index = async (): Promise<string> => {
    const entries: Record<string, Json[]> = {};
    const add = (chart: string, version: string, facts: { readonly [fact: string]: Json }) => {
      entries[chart] = [...(entries[chart] ?? []), { apiVersion: 'v2', name: chart, version, urls: [`${chart}-${version}.tgz`], ...facts }];
    };
    for (const folder of own.values()) add(folder.name, folder.version, { digest: packChart(folder, folder.version).digest });
    // Without a digest: these are made when somebody takes them.
    for (const { chart, version } of await listed()) if (own.get(chart)?.version !== version) add(chart, version, {});
    return JSON.stringify({ apiVersion: 'v1', entries });
  };

  return {
    async handler(request) {
      const url = new URL(request.path, 'https://registry');
      if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'method not allowed');
      const path = decodeURIComponent(url.pathname);
      const reply = await (path === '/token'
        ? token(request, url.searchParams)
        : path.startsWith('/v2/')
          ? v2(request, path)
          : classic(request, path));
      return request.method === 'HEAD'
        ? { status: reply.status, ...(reply.headers === undefined ? {} : { headers: reply.headers }) }
        : reply;
    },
    standIns: () => [...standIns].sort(),
    counts: () => ({ ...counts }),
  };
}

/** The last part of a repository's path. */
const nameOf = (chart: string): string => chart.split('/').at(-1) ?? '';

const scopeOf = (repository: string): string => `repository:${repository}:pull`;
const tokenFor = (scope: string): string => `sim.${sha256Hex(scope).slice(0, 32)}`;
const basicOf = ({ username, password }: { readonly username: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

const json = (status: number, body: Json): HttpServerResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const text = (status: number, body: string): HttpServerResponse => ({ status, headers: { 'content-type': 'text/plain' }, body });
const registryError = (status: number, code: string, message: string): HttpServerResponse => json(status, { errors: [{ code, message }] });
const manifestReply = (body: Uint8Array, digest: string): HttpServerResponse => ({
  status: 200,
  headers: { 'content-type': manifestType, 'content-length': String(body.length), 'docker-content-digest': digest },
  body,
});
