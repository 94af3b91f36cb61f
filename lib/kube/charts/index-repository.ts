import { TkError } from '../../base/index.ts';
import { newestInRange, parseYamlBulk } from '../../format/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import { type Downloaded, download } from './download.ts';
import { chartSourceFailure } from './failures.ts';
import { archiveLimitBytes, newestOf, type OciPorts, type PulledChart, pullFromRegistry, rangeOf } from './oci.ts';
import { type ChartSource, describeSource } from './source.ts';

type IndexSource = Extract<ChartSource, { kind: 'index' }>;

const indexLimitBytes = 48 * 1024 * 1024;

interface Entry {
  readonly version?: unknown;
  readonly urls?: unknown;
  readonly digest?: unknown;
}

/**
 * A classic repository: `index.yaml` names archives and their SHA-256.
 *
 * Failure: each of `ChartSourceFailures`.
 * Source: Helm's chart repository guide, pkg/repo/v1/index.go.
 */
export async function pullFromIndex(source: IndexSource, ports: OciPorts, signal: AbortSignal): Promise<PulledChart> {
  const base = `${source.url.replace(/\/$/, '')}/`;
  const words = describeSource(source);
  const index = await get(`${base}index.yaml`, words, indexLimitBytes, ports, signal);
  const entries = entriesOf(index, source.chart, words);
  const versions = entries.map(({ version }) => String(version));
  const wanted = source.version ?? '*';
  const version = versions.includes(wanted) ? wanted : newestInRange(versions, rangeOf(wanted));
  const entry = entries.find((candidate) => candidate.version === version);
  if (version === undefined || entry === undefined) {
    throw new TkError(chartSourceFailure('chart/version-not-found', { source: words, wanted, available: newestOf(versions) }));
  }
  const url: unknown = Array.isArray(entry.urls) ? entry.urls[0] : undefined;
  if (typeof url !== 'string' || !URL.canParse(url, base)) {
    throw new TkError(
      chartSourceFailure('chart/malformed-answer', { source: words, what: 'index.yaml', reason: `no address for ${version}` }),
    );
  }
  if (url.startsWith('oci://')) return pullFromRegistry(ociSource(url, version), ports, signal);
  const { body } = await get(new URL(url, base).href, words, archiveLimitBytes, ports, signal);
  const digest = sha256Hex(body);
  const expected = typeof entry.digest === 'string' ? entry.digest.replace(/^sha256:/, '') : digest;
  if (expected !== digest) {
    const facts = { source: words, what: 'chart archive', expected: `sha256:${expected}`, actual: `sha256:${digest}` };
    throw new TkError(chartSourceFailure('chart/digest-mismatch', facts));
  }
  return { bytes: body, digest: `sha256:${digest}`, version };
}

function ociSource(url: string, version: string): Extract<ChartSource, { kind: 'oci' }> {
  const [repository = '', tag] = url.slice('oci://'.length).split(/:(?=[^/]*$)/);
  return { kind: 'oci', repository, tag: tag ?? version };
}

function entriesOf(index: Downloaded, chart: string, source: string): readonly Entry[] {
  const malformed = (reason: string) => new TkError(chartSourceFailure('chart/malformed-answer', { source, what: 'index.yaml', reason }));
  let value: unknown;
  try {
    [value] = parseYamlBulk(Buffer.from(index.body).toString());
  } catch {
    throw malformed('not YAML');
  }
  const entries = isObject(value) ? value.entries : undefined;
  if (!isObject(entries)) throw malformed('no entries');
  const of = entries[chart];
  if (!Array.isArray(of)) throw new TkError(chartSourceFailure('chart/not-found', { source }));
  return of.filter(isObject);
}

async function get(url: string, source: string, limitBytes: number, ports: OciPorts, signal: AbortSignal): Promise<Downloaded> {
  const { host } = new URL(url);
  const credential = await ports.credentials.of(host, signal);
  const headers: Record<string, string> =
    credential === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${credential.username}:${credential.password.reveal()}`).toString('base64')}` };
  const answer = await download({ url, headers, source, limitBytes }, ports, signal);
  switch (answer.status) {
    case 200:
      return answer;
    case 401:
    case 403:
      throw new TkError(
        chartSourceFailure('chart/unauthorized', {
          source,
          host: answer.host,
          status: answer.status,
          credentials: credential?.from ?? 'none',
        }),
      );
    case 404:
      throw new TkError(chartSourceFailure('chart/not-found', { source }));
    default:
      throw new TkError(chartSourceFailure('chart/malformed-answer', { source, what: url, reason: `status ${answer.status}` }));
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
