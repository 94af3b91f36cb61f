import {
  type Clock,
  type Dial,
  type Failure,
  failureOf,
  type HttpResponse,
  type HttpTarget,
  type Secret,
  TkError,
} from '../../base/index.ts';
import { chartSourceFailure } from './failures.ts';

export interface DownloadPorts {
  readonly dial: Dial;
  readonly clock: Clock;
  /** PEM, for sources that are not known to the system. */
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: Secret<string> };
}

export interface Download {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The chart in people's words, for failures. */
  readonly source: string;
  readonly limitBytes: number;
  /** For one attempt with its whole body. Default: 60 s. */
  readonly timeoutMs?: number;
}

export interface Downloaded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Of the last hop. */
  readonly host: string;
}

/** Why a request is worth repeating. Everything else is an answer. */
const retries: Readonly<Record<string, string>> = {
  '429': 'the registry counts pulls per address; it says how long to wait',
  '500': 'storage behind the registry hiccups',
  '502': 'a proxy lost its backend',
  '503': 'the registry restarts',
  '504': 'a proxy gave up on its backend',
  reset: 'a proxy closed an idle connection',
  timeout: 'a lost packet',
};
const attempts = 5;
const longestPauseMs = 30_000;
const redirectLimit = 8;

/**
 * One GET with redirects, retries by table, a deadline for each attempt and a limit on what is read.
 *
 * Shape: statuses below 500 but 429 come back as they are.
 * Failure: `chart/source-unreachable`, `chart/rate-limited`, `chart/server-error`, `chart/too-large`.
 */
export async function download(request: Download, ports: DownloadPorts, signal: AbortSignal): Promise<Downloaded> {
  let waitedMs = 0;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await tryOnce(request, ports, signal);
    if ('answer' in outcome && outcome.answer.status !== 429 && outcome.answer.status < 500) return outcome.answer;
    const reason = 'answer' in outcome ? String(outcome.answer.status) : outcome.reason;
    if (retries[reason] === undefined || attempt === attempts) throw new TkError(lastFailure(request, outcome, waitedMs));
    const asked = 'answer' in outcome ? Number(outcome.answer.headers['retry-after']) * 1000 : Number.NaN;
    const pauseMs = Math.min(longestPauseMs, Number.isNaN(asked) ? 500 * 2 ** (attempt - 1) : asked);
    waitedMs += pauseMs;
    await ports.clock.sleep(pauseMs, signal);
  }
}

type Outcome = { readonly answer: Downloaded } | { readonly host: string; readonly reason: string; readonly cause?: Failure };

function lastFailure({ source }: Download, outcome: Outcome, waitedMs: number): Failure {
  if (!('answer' in outcome)) {
    const { host, reason, cause } = outcome;
    return chartSourceFailure('chart/source-unreachable', { source, host, reason }, cause === undefined ? {} : { cause });
  }
  const { host, status } = outcome.answer;
  return status === 429
    ? chartSourceFailure('chart/rate-limited', { source, host, waitedMs })
    : chartSourceFailure('chart/server-error', { source, host, status });
}

async function tryOnce(request: Download, { dial, clock, tls }: DownloadPorts, signal: AbortSignal): Promise<Outcome> {
  const cutOff = new AbortController();
  const timer = new AbortController();
  clock.sleep(request.timeoutMs ?? 60_000, timer.signal).then(
    () => cutOff.abort(),
    () => {},
  );
  const both = AbortSignal.any([signal, cutOff.signal]);
  let url = new URL(request.url);
  let headers = request.headers ?? {};
  try {
    for (let hop = 0; hop <= redirectLimit; hop += 1) {
      const response = await dial.http({
        target: { ...targetOf(url), ...(tls === undefined ? {} : { tls }) },
        method: 'GET',
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, 'user-agent': 'talos-tk', ...headers },
        signal: both,
      });
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) {
        return { answer: { status: response.status, headers: response.headers, host: url.host, body: await read(response, request) } };
      }
      const next = new URL(location, url);
      // Blob stores behind a registry sign their URLs and refuse a second way to authenticate; nobody else may see the token either.
      if (next.host !== url.host) headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization'));
      url = next;
    }
    return { host: url.host, reason: 'redirect-loop' };
  } catch (error) {
    if (signal.aborted) throw error;
    if (cutOff.signal.aborted) return { host: url.host, reason: 'timeout' };
    const cause = failureOf(error);
    if (cause.code !== 'host/dial') throw error;
    return { host: url.host, reason: String(cause.facts.reason), cause };
  } finally {
    timer.abort();
  }
}

function targetOf(url: URL): HttpTarget {
  const protocol = url.protocol === 'http:' ? 'http' : 'https';
  return { protocol, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || (protocol === 'http' ? 80 : 443) };
}

async function read(response: HttpResponse, { source, limitBytes }: Download): Promise<Uint8Array> {
  const announced = Number(response.headers['content-length'] ?? 0);
  if (announced > limitBytes) throw new TkError(chartSourceFailure('chart/too-large', { source, sizeBytes: announced, limitBytes }));
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of response.body) {
    sizeBytes += part.length;
    if (sizeBytes > limitBytes) throw new TkError(chartSourceFailure('chart/too-large', { source, sizeBytes, limitBytes }));
    parts.push(part);
  }
  return Buffer.concat(parts);
}
