import {
  createRedactor,
  type Dial,
  failureOf,
  GrpcError,
  type GrpcCall,
  type Redactor,
  type TalosConnection,
  type TalosTarget,
} from '../../base/index.ts';
import { type DescMessage, type DescMethod, fromBinary, type Message, methodPath, talosServices, toBinary } from '../../upstream/index.ts';
import type { RecordedExchange, RecordedHttpCall, RecordedMessage, RecordedTalosCall } from './recording.ts';
import { cleaned, redactMessage } from './redact-call.ts';
import { redactBody, redactHeaders, redactPath } from './redact-http.ts';

export interface RecordingOptions {
  /** Takes one exchange, redacted. Never fails the call that it is about. */
  readonly write: (exchange: RecordedExchange) => void;
  /** Milliseconds since the recording began. */
  readonly elapsedMs: () => number;
  /** Every key that is known by now. Asked for each exchange: a run may make new ones. */
  readonly secrets: () => Promise<readonly string[]>;
}

const methods: ReadonlyMap<string, DescMethod> = new Map(
  [...talosServices('1.12'), ...talosServices('1.14')].flatMap((service) =>
    service.methods.map((method) => [methodPath(method), method] as const),
  ),
);
/** A followed log would fill the disk. */
const mostReplies = 500;

/** Says and hears the same as the one below it, and notes every exchange without its keys. */
export function recordingDial(dial: Dial, options: RecordingOptions): Dial {
  let sequence = 0;
  const redactorNow = async (): Promise<Redactor> => {
    const redactor = createRedactor();
    for (const secret of await options.secrets().catch(() => [])) redactor.add(secret);
    return redactor;
  };
  return {
    async talos(target, signal) {
      const connection = await dial.talos(target, signal);
      return {
        ...connection,
        isOpen: () => connection.isOpen(),
        close: () => connection.close(),
        call: (call) => recorded(connection, target, call),
      };
    },
    async http(request) {
      sequence += 1;
      const base = { kind: 'http' as const, sequence, atMs: options.elapsedMs() };
      const { protocol, host, port } = request.target;
      const note = async (
        end:
          | Pick<RecordedHttpCall, 'failure'>
          | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array },
      ) => {
        const redactor = await redactorNow();
        const body = typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? new Uint8Array());
        options.write({
          ...base,
          endMs: options.elapsedMs(),
          server: `${protocol}://${host}:${port}`,
          method: request.method,
          path: redactPath(request.path, redactor),
          headers: redactHeaders(request.headers, redactor),
          body: redactBody(body, redactor),
          ...('status' in end
            ? { response: { status: end.status, headers: redactHeaders(end.headers, redactor), body: redactBody(end.body, redactor) } }
            : end),
        });
      };
      try {
        const response = await dial.http(request);
        return { ...response, body: heard(response.body, (body) => note({ ...response, body })) };
      } catch (error) {
        await note({ failure: failureOf(error).code });
        throw error;
      }
    },
  };

  async function* recorded(connection: TalosConnection, { host, trust }: TalosTarget, call: GrpcCall): AsyncGenerator<Uint8Array> {
    sequence += 1;
    const base = {
      kind: 'talos' as const,
      sequence,
      atMs: options.elapsedMs(),
      host,
      isInsecure: trust.kind === 'insecure',
      path: call.path,
    };
    const requests: Uint8Array[] = [];
    const replies: Uint8Array[] = [];
    let status: RecordedTalosCall['status'];
    const sent = async function* () {
      for await (const request of call.requests) {
        requests.push(request);
        yield request;
      }
    };
    try {
      for await (const reply of connection.call({ ...call, requests: sent() })) {
        if (replies.length < mostReplies) replies.push(reply);
        yield reply;
      }
      status = { code: 0, message: '' };
    } catch (error) {
      if (error instanceof GrpcError) status = error.status;
      throw error;
    } finally {
      // Also when the caller left in the middle of a stream.
      const redactor = await redactorNow();
      const node = call.metadata['node'];
      const method = methods.get(call.path);
      const first = method && requests[0] && decoded(method.input, requests[0]);
      const told = (side: 'request' | 'reply', all: readonly Uint8Array[]) =>
        all.map((bytes) => messageOf(method, call.path, side, bytes, first, redactor));
      options.write({
        ...base,
        endMs: options.elapsedMs(),
        ...(typeof node === 'string' ? { node } : {}),
        requests: told('request', requests),
        replies: told('reply', replies),
        ...(status === undefined ? {} : { status: { code: status.code, message: cleaned(status.message, redactor) } }),
      });
    }
  }
}

async function* heard(body: AsyncIterable<Uint8Array>, end: (whole: Uint8Array) => Promise<void>): AsyncGenerator<Uint8Array> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const part of body) {
      sizeBytes += part.length;
      // What is longer is told by its length alone.
      if (sizeBytes <= mostBytes) parts.push(part);
      yield part;
    }
  } finally {
    await end(sizeBytes <= mostBytes ? Buffer.concat(parts) : new Uint8Array(sizeBytes));
  }
}

const mostBytes = 2_000_000;

function decoded(schema: DescMessage, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(schema, bytes) as Message;
  } catch {
    return undefined;
  }
}

/** A message that we cannot read is not kept: nobody can say what is in it. */
function messageOf(
  method: DescMethod | undefined,
  path: string,
  side: 'request' | 'reply',
  bytes: Uint8Array,
  request: Message | undefined,
  redactor: Redactor,
): RecordedMessage {
  const schema = method && (side === 'request' ? method.input : method.output);
  const message = schema && decoded(schema, bytes);
  if (!method || !schema || !message) return { bytes: '', decoded: `[${bytes.length} bytes]` };
  redactMessage(message, { method, path, side, ...(request === undefined ? {} : { request }) }, redactor);
  return { bytes: Buffer.from(toBinary(schema, message)).toString('base64'), decoded: plain(message) };
}

/** For people: bytes as text where they are text, big numbers as text. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString('utf8');
    return /[\0\uFFFD]/.test(text) ? `[${value.length} bytes]` : text;
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !key.startsWith('$'))
      .map(([key, part]) => [key, plain(part)]),
  );
}
