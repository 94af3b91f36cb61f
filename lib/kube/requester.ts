import {
  baseFailure,
  type Clock,
  type Dial,
  type Failure,
  failureOf,
  type HttpResponse,
  type HttpTarget,
  type Json,
  limitOf,
  throwIfAborted,
  TkError,
} from '../base/index.ts';
import type { RetryObserver } from './client.ts';
import { kubeFailure, type RequestFacts } from './failures.ts';
import { pauseMs, retryRuleOf } from './retry.ts';
import { failureOfStatus, isUnknownPath, retryAfterMs } from './status.ts';

export interface RequesterOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly target: HttpTarget;
  /** Value of the `authorization` header. */
  readonly authorization?: () => string;
  /** For one request with its whole answer. Default 15 s. */
  readonly requestTimeoutMs?: number;
  /** Ends the repetitions of one call earlier than the table of retries would; 0: never repeat. */
  readonly retryForMs?: number;
  readonly onRetry?: RetryObserver;
}

export interface Request {
  readonly facts: Omit<RequestFacts, 'server'>;
  readonly method: string;
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: Json;
  /**
   * `always`: the same request twice does no harm. `not-sent`: only when it surely had no effect. `never`: the caller polls.
   */
  readonly repeat: 'always' | 'not-sent' | 'never';
  /** What to say when the path is unknown to this server. */
  readonly unknownPath?: Failure;
}

export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

export interface Requester {
  readonly server: string;
  /** Any 2xx. Failure: `kube/*`, `run/aborted`. */
  send(request: Request, signal: AbortSignal): Promise<Answer>;
  json(request: Request, signal: AbortSignal): Promise<Json>;
  /** Opens a stream; the deadline is for its headers only. */
  open(request: Request, signal: AbortSignal): Promise<HttpResponse>;
}

const defaultTimeoutMs = 15_000;

export function serverOf(target: HttpTarget): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${target.protocol}://${host}:${target.port}`;
}

export function createRequester(options: RequesterOptions): Requester {
  const { dial, clock, target } = options;
  const server = serverOf(target);
  const timeoutMs = options.requestTimeoutMs ?? defaultTimeoutMs;

  const open = async (request: Request, signal: AbortSignal): Promise<HttpResponse> => {
    try {
      return await dial.http({
        target,
        method: request.method,
        path: request.path,
        headers: {
          accept: request.accept ?? 'application/json',
          'user-agent': 'tk',
          ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
          ...(options.authorization === undefined ? {} : { authorization: options.authorization() }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        signal,
      });
    } catch (error) {
      throw unreachable(request, error, signal);
    }
  };

  const unreachable = (request: Request, error: unknown, signal: AbortSignal): unknown => {
    if (signal.aborted) return error;
    const failure = failureOf(error);
    if (failure.code !== 'host/dial') return error;
    return new TkError(
      kubeFailure('kube/unreachable', { ...request.facts, server, reason: String(failure.facts.reason) }, { cause: failure }),
    );
  };

  const readAll = async (request: Request, response: HttpResponse, signal: AbortSignal): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of response.body) chunks.push(chunk);
    } catch (error) {
      throw unreachable(request, error, signal);
    }
    const [only] = chunks;
    return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
  };

  /** Runs `work` under the deadline: a connection that hangs is let go, whether or not it listens to its signal. */
  const within = async <T>(request: Request, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    throwIfAborted(signal, `${request.facts.verb} ${request.facts.kind}`);
    const limit = limitOf(clock, timeoutMs, signal, (isLate) =>
      isLate
        ? new TkError(kubeFailure('kube/no-answer', { ...request.facts, server, timeoutMs }))
        : new TkError(baseFailure('run/aborted', { during: `${request.facts.verb} ${request.facts.kind}` })),
    );
    const working = work(limit.signal);
    working.catch(() => {});
    try {
      return await Promise.race([working, limit.expired]);
    } catch (error) {
      throwIfAborted(signal, `${request.facts.verb} ${request.facts.kind}`);
      if (limit.hasExpired()) throw new TkError(kubeFailure('kube/no-answer', { ...request.facts, server, timeoutMs }));
      throw error;
    } finally {
      limit.stop();
    }
  };

  const once = (request: Request, signal: AbortSignal): Promise<Answer & { failure?: Failure; afterMs?: number }> =>
    within(request, signal, async (inner) => {
      const response = await open(request, inner);
      const body = await readAll(request, response, inner);
      if (response.status >= 200 && response.status < 300) return { status: response.status, body };
      const said = jsonOrText(body);
      const failure =
        request.unknownPath && isUnknownPath(response.status, said)
          ? request.unknownPath
          : failureOfStatus({ ...request.facts, server }, response.status, said);
      const afterMs = retryAfterMs(response.headers, said);
      return { status: response.status, body, failure, ...(afterMs === undefined ? {} : { afterMs }) };
    });

  const send = async (request: Request, signal: AbortSignal): Promise<Answer> => {
    const startedMs = clock.monotonicMs();
    for (let attempt = 1; ; attempt += 1) {
      let failed: TkError;
      let afterMs = 0;
      try {
        const answer = await once(request, signal);
        if (!answer.failure) return answer;
        failed = new TkError(answer.failure);
        afterMs = answer.afterMs ?? 0;
      } catch (error) {
        if (!(error instanceof TkError)) throw error;
        failed = error;
      }
      const rule = retryRuleOf(failed.failure);
      if (!rule || request.repeat === 'never' || (rule.outcome === 'unknown' && request.repeat !== 'always')) throw failed;
      const pause = Math.max(pauseMs(attempt), afterMs);
      if (clock.monotonicMs() - startedMs + pause > Math.min(rule.forMs, options.retryForMs ?? Infinity)) throw failed;
      options.onRetry?.({ because: failed, attempt, pauseMs: pause });
      await clock.sleep(pause, signal);
    }
  };

  return {
    server,
    send,
    async json(request, signal) {
      const { body, status } = await send(request, signal);
      const parsed = jsonOrText(body);
      if (typeof parsed !== 'string') return parsed;
      throw new TkError(kubeFailure('kube/malformed-answer', { server, path: request.path, status, reason: 'the body is not JSON' }));
    },
    async open(request, signal) {
      const response = await within(request, signal, async () => open(request, signal));
      if (response.status === 200) return response;
      const body = jsonOrText(await within(request, signal, (inner) => readAll(request, response, inner)));
      if (request.unknownPath && isUnknownPath(response.status, body)) throw new TkError(request.unknownPath);
      throw new TkError(failureOfStatus({ ...request.facts, server }, response.status, body));
    },
  };
}

export const textIn = (body: Uint8Array): string => Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');

/** A server in memory gives the very same bytes as long as nothing has changed. Nobody changes what was parsed. */
const parsedBefore = new WeakMap<Uint8Array, Json>();

function jsonOrText(body: Uint8Array): Json | string {
  const known = parsedBefore.get(body);
  if (known !== undefined) return known;
  const text = textIn(body);
  try {
    const value = JSON.parse(text) as Json;
    parsedBefore.set(body, value);
    return value;
  } catch {
    return text;
  }
}
