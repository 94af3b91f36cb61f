import {
  baseFailure,
  type Clock,
  type Dial,
  type Failure,
  failureOf,
  GrpcError,
  hasCode,
  limitOf,
  onlyItem,
  stripControl,
  type TalosConnection,
  type TalosTrust,
  throwIfAborted,
  TkError,
  withoutMiddle,
} from '../../base/index.ts';
import {
  create,
  type DescMessage,
  type DescMethod,
  machineApi,
  type MessageInitShape,
  type MessageShape,
  methodPath,
  toBinary,
} from '../../upstream/index.ts';
import { changesNothing, deadlineOf, shortName, statusNames, statusRows } from './calls.ts';
import { decoded } from './decode.ts';
import { talosFailure } from './failures.ts';

export interface TalosPorts {
  readonly dial: Pick<Dial, 'talos'>;
  readonly clock: Clock;
}

/** One machine, and how to speak to it. */
export interface TalosMachine {
  /** How people call it. */
  readonly node: string;
  /** The address or name of its apid; never the cluster's virtual address. */
  readonly host: string;
  /** Default 50000. */
  readonly port?: number;
  readonly trust: TalosTrust;
  /** `host` is another control plane that passes the calls on to this address. */
  readonly through?: string;
  /** What to do when the machine itself cannot be dialled from here. Absent: nothing. */
  readonly detours?: Detours;
}

/** Control planes that pass calls on to a machine which this computer has no way to. */
export interface Detours {
  /** Tried before the machine itself: it worked a moment ago. */
  preferred(): string | undefined;
  /** Tried when the machine does not answer, in this order. Empty: none is known to answer. */
  others(): readonly string[];
  /** Which way the connection came about; undefined: directly. */
  used(host: string | undefined): void;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Default: the table in `calls.ts`. */
  readonly deadlineMs?: number;
}

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { readonly input: I; readonly output: O };

/**
 * The calls to one machine over one connection at a time.
 *
 * A connection is thrown away as soon as a call on it ends in Unavailable or passes its deadline: what is behind it may be a
 * machine that will never answer on it again. Deadlines run on the World's clock.
 */
export interface Session {
  readonly machine: TalosMachine;
  unary<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<MessageShape<O>>;
  /** Server streams. The deadline is for the whole stream; followers pass their own. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): AsyncGenerator<MessageShape<O>>;
  /** Client streams: many requests, one reply. */
  upload<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
    options: CallOptions,
  ): Promise<MessageShape<O>>;
  /** The connection that the next call uses. Dials when there is none. */
  connection(signal: AbortSignal): Promise<TalosConnection>;
  close(): void;
}

export interface SessionOptions {
  /** Runs before each call that may change something, on the connection that will carry it. */
  readonly beforeMutation: 'refuse' | ((connection: TalosConnection, machine: TalosMachine, signal: AbortSignal) => Promise<void>);
}

const apidPort = 50_000;
/** A computer that slept between the proof of who the machine is and the call: by then it may be another one, or another's turn. */
const leavesWithinMs = 15_000;
/** Long enough for a handshake with a small board under load, short enough to try again within a minute. */
const dialDeadlineMs = 8_000;
/** A control plane that has just answered does so again at once, or is no help. */
const detourDeadlineMs = 4_000;

export function createSession(ports: TalosPorts, machine: TalosMachine, options: SessionOptions): Session {
  const { dial, clock } = ports;
  const at = { node: machine.node, address: machine.host };
  const direct: TalosMachine = withoutDetours(machine);
  let current: TalosConnection | undefined;
  /** The machine as the current connection reaches it. */
  let reached = direct;

  const discard = (connection: TalosConnection | undefined) => {
    connection?.close();
    if (current === connection) current = undefined;
  };

  const dialOne = async ({ host, port, trust }: TalosMachine, signal: AbortSignal): Promise<TalosConnection> => {
    const limit = limitOf(clock, dialDeadlineMs, signal, cutOff);
    try {
      const dialled = dial.talos({ host, port: port ?? apidPort, trust }, limit.signal);
      // A connection that comes after we gave up is nobody's.
      dialled.then((late) => limit.signal.aborted && late.close()).catch(() => {});
      return await Promise.race([dialled, limit.expired]);
    } catch (error) {
      // The caller's own limit or wish came first: the caller knows what it means.
      throw signal.aborted ? error : unreachable(at, error, limit.hasExpired());
    } finally {
      limit.stop();
    }
  };

  /** A way through another control plane counts only when the machine has answered on it. */
  const detour = async (host: string, signal: AbortSignal): Promise<boolean> => {
    const machineBehind: TalosMachine = { ...direct, host, through: machine.host };
    let connection: TalosConnection | undefined;
    const limit = limitOf(clock, detourDeadlineMs, signal, cutOff);
    try {
      connection = await dialOne(machineBehind, limit.signal);
      const asked = {
        path: versionPath(),
        metadata: metadataOf(machineBehind),
        requests: onlyItem(() => new Uint8Array()),
        signal: limit.signal,
      };
      const replies = connection.call(asked)[Symbol.asyncIterator]();
      while (!(await Promise.race([replies.next(), limit.expired])).done);
      current = connection;
      reached = machineBehind;
      machine.detours?.used(host);
      return true;
    } catch {
      connection?.close();
      return false;
    } finally {
      limit.stop();
    }
  };

  const connect = async (signal: AbortSignal): Promise<TalosConnection> => {
    if (current?.isOpen()) return current;
    discard(current);
    const preferred = machine.detours?.preferred();
    if (preferred !== undefined && (await detour(preferred, signal)) && current) return current;
    try {
      current = await dialOne(direct, signal);
      reached = direct;
      machine.detours?.used(undefined);
      return current;
    } catch (error) {
      if (!signal.aborted && hasNoWay(error))
        for (const host of machine.detours?.others() ?? [])
          if (host !== preferred && (await detour(host, signal)) && current) return current;
      throw error;
    }
  };

  const converted = (error: unknown, call: Outgoing, lateAfterMs?: number): TkError => {
    if (error instanceof TkError) return error;
    if (lateAfterMs !== undefined) {
      return call.isReading
        ? new TkError(talosFailure('talos/deadline', { ...at, method: call.name, deadlineMs: lateAfterMs }))
        : new TkError(talosFailure('talos/outcome-unknown', { ...at, method: call.name, because: `no answer within ${lateAfterMs} ms` }));
    }
    return error instanceof GrpcError ? refusal(at, call, error) : new TkError(failureOf(error));
  };

  /** A connection on which the machine has just proven who it is. */
  const provenConnection = async (call: Outgoing, signal: AbortSignal): Promise<TalosConnection> => {
    if (options.beforeMutation === 'refuse') throw new TkError(talosFailure('talos/read-only', { ...at, method: call.name }));
    for (;;) {
      const before = current;
      const connection = await connect(signal);
      try {
        await options.beforeMutation(connection, reached, signal);
        if (connection.isOpen()) return connection;
        throw unreachable(at, undefined, false);
      } catch (error) {
        discard(connection);
        // One from before may have died while it was idle; a new one gets no second chance.
        if (connection !== before || !hasCode(error, 'talos/unavailable', 'talos/unreachable')) throw error;
      }
    }
  };

  /** One attempt on one connection, with everything that must hold about it. Written out: a generator costs as much as the call. */
  const attempt = (call: Outgoing, { signal, deadlineMs }: CallOptions): Attempt => {
    const limitMs = deadlineMs ?? deadlineOf(call.path);
    const limit = limitOf(clock, limitMs, signal, cutOff);
    let connection: TalosConnection | undefined;
    let replies: AsyncIterator<Uint8Array> | undefined;
    let isReused = false;
    let isSent = false;
    let isOver = false;
    let overslept: TkError | undefined;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      limit.stop();
      void Promise.resolve(replies?.return?.()).catch(() => {});
    };
    const send = async (): Promise<AsyncIterator<Uint8Array>> => {
      const before = current;
      connection = await (call.isReading ? connect(limit.signal) : provenConnection(call, limit.signal));
      isReused = connection === before;
      isSent = true;
      const provenMs = clock.now();
      const requests = call.isReading
        ? call.requests
        : whenTaken(call.requests, () => {
            const lateMs = Math.abs(clock.now() - provenMs);
            if (lateMs <= leavesWithinMs) return;
            overslept = new TkError(talosFailure('talos/overslept', { ...at, method: call.name, lateMs }));
            throw overslept;
          });
      return connection.call({ path: call.path, metadata: metadataOf(reached), requests, signal: limit.signal })[Symbol.asyncIterator]();
    };
    const failed = (error: unknown): unknown => {
      const isLate = limit.hasExpired();
      if (overslept) return overslept;
      if (isLate || !(error instanceof GrpcError) || statusRows[error.status.code]?.redial) discard(connection);
      if (signal.aborted && !call.isReading && isSent)
        return new TkError(talosFailure('talos/outcome-unknown', { ...at, method: call.name, because: 'stopped while it was under way' }));
      if (signal.aborted) return new TkError(baseFailure('run/aborted', { during: `${call.name} on ${machine.node}` }));
      // Before the request left, a passed deadline is only a machine that cannot be reached.
      if (isLate && !isSent) return unreachable(at, error, true);
      return converted(error, call, isLate ? limitMs : undefined);
    };
    return {
      isReused: () => isReused,
      leave,
      async next() {
        if (isOver) return { done: true, value: undefined };
        try {
          replies ??= await send();
          const next = await Promise.race([replies.next(), limit.expired]);
          if (next.done) leave();
          return next;
        } catch (error) {
          const failure = failed(error);
          leave();
          throw failure;
        }
      },
    };
  };

  /** Reading calls on a connection from before get one more try on a new one: it may have died while it was idle. */
  const persistent = (call: Outgoing, callOptions: CallOptions): Attempt => {
    let current = attempt(call, callOptions);
    let mayRepeat = call.isReading;
    return {
      isReused: () => current.isReused(),
      leave: () => current.leave(),
      async next() {
        try {
          const next = await current.next();
          mayRepeat = false;
          return next;
        } catch (error) {
          if (!mayRepeat || !current.isReused() || !hasCode(error, 'talos/unavailable')) throw error;
          mayRepeat = false;
          current = attempt(call, callOptions);
          return current.next();
        }
      },
    };
  };

  const single = async (replies: Attempt, call: Outgoing): Promise<Uint8Array> => {
    // Read to the end: the status comes after the message.
    let only: Uint8Array | undefined;
    for (let next = await replies.next(); !next.done; next = await replies.next()) only ??= next.value;
    if (only) return only;
    throw unexpected(call, 'one message');
  };

  const unexpected = (call: Outgoing, expected: string) =>
    new TkError(talosFailure('talos/unexpected-reply', { ...at, method: call.name, expected }));

  const decode = <O extends DescMessage>(call: Outgoing, schema: O, bytes: Uint8Array): MessageShape<O> => {
    try {
      return decoded(schema, bytes);
    } catch {
      throw unexpected(call, schema.typeName);
    }
  };

  return {
    machine,
    async unary(method, request, callOptions) {
      const call = outgoing(method, request);
      return decode(call, method.output, await single(persistent(call, callOptions), call));
    },
    async *stream(method, request, callOptions) {
      const call = outgoing(method, request);
      const replies = persistent(call, callOptions);
      try {
        for (let next = await replies.next(); !next.done; next = await replies.next()) yield decode(call, method.output, next.value);
      } finally {
        replies.leave();
      }
    },
    async upload(method, requests, callOptions) {
      const encoded = async function* () {
        for await (const request of requests) yield toBinary(method.input, create(method.input, request));
      };
      const call = { ...named(method), isReading: false, requests: encoded() };
      return decode(call, method.output, await single(attempt(call, callOptions), call));
    },
    async connection(signal) {
      try {
        return await connect(signal);
      } catch (error) {
        throwIfAborted(signal, `connecting to ${machine.node}`);
        throw error;
      }
    },
    close: () => discard(current),
  };
}

interface Outgoing {
  readonly path: string;
  readonly name: string;
  /** It leaves the machine as it was. */
  readonly isReading: boolean;
  /** Unless there are many, they may be sent again. */
  readonly requests: AsyncIterable<Uint8Array>;
}

interface Attempt {
  /** Failure: `talos/*`, `run/aborted`. */
  next(): Promise<IteratorResult<Uint8Array, undefined>>;
  /** Whether the connection was there before. */
  isReused(): boolean;
  /** Nobody wants the rest. */
  leave(): void;
}

const named = (method: DescMethod) => ({ path: methodPath(method), name: shortName(method) });

function outgoing<I extends DescMessage>(method: DescMethod & { readonly input: I }, request: MessageInitShape<I>): Outgoing {
  const isEmpty = Object.keys(request).length === 0;
  const known = isEmpty ? emptyBefore.get(method) : undefined;
  if (known) return known;
  const message = create(method.input, request);
  const bytes = toBinary(method.input, message);
  const call = {
    ...named(method),
    isReading: changesNothing(methodPath(method), message),
    requests: onlyItem(() => bytes),
  };
  if (isEmpty) emptyBefore.set(method, call);
  return call;
}

/** Asks at the moment when the first message is taken to be written. */
const whenTaken = (requests: AsyncIterable<Uint8Array>, check: () => void): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    check();
    yield* requests;
  },
});

/** Most questions say nothing but what they are. */
const emptyBefore = new WeakMap<DescMethod, Outgoing>();

const versionPath = () => methodPath(machineApi.MachineService.method.version);

const metadataOf = ({ through }: TalosMachine) => (through === undefined ? {} : { node: through });

function withoutDetours({ detours: _detours, ...machine }: TalosMachine): TalosMachine {
  return machine;
}

/** Nothing came back from the address at all. A machine that refuses is there, and another one's word would not change that. */
const hasNoWay = (error: unknown): boolean =>
  hasCode(error, 'talos/unreachable') && ['timeout', 'unreachable'].includes(String(error.failure.facts['reason']));

type At = { readonly node: string; readonly address: string };

function unreachable(at: At, error: unknown, isLate: boolean): TkError {
  const cause: Failure | undefined = error instanceof TkError ? error.failure : undefined;
  // A question about the machine that was cut off by the limit of the call around it was not stopped by anybody.
  const isCutOff = isLate && cause?.code === 'run/aborted';
  if (cause && cause.code !== 'host/dial' && !isCutOff) return error as TkError;
  const { reason, detail } = cause?.facts ?? {};
  return new TkError(
    talosFailure(
      'talos/unreachable',
      {
        ...at,
        reason: isLate ? 'timeout' : typeof reason === 'string' ? reason : 'reset',
        ...(typeof detail === 'string' ? { detail } : {}),
      },
      cause && !isCutOff ? { cause } : {},
    ),
  );
}

const codeByStatus: Readonly<
  Record<number, 'not-found' | 'already-exists' | 'permission-denied' | 'unimplemented' | 'failed-precondition' | 'invalid-argument'>
> = {
  3: 'invalid-argument',
  5: 'not-found',
  6: 'already-exists',
  7: 'permission-denied',
  9: 'failed-precondition',
  12: 'unimplemented',
};

/** Longer texts are diffs of machine configs: they do not belong into a failure, and may hold secrets. */
const longestMessage = 300;

/**
 * The first line, or, where Go has joined several errors below it, those: `1 error occurred:` says nothing. Whatever else follows may
 * quote a machine config.
 *
 * Source: hashicorp/go-multierror ListFormatFunc, which Talos's validation answers with
 */
function reasonIn(message: string): string {
  const [first = '', ...rest] = message.split('\n');
  const head = /^(.*?)\d+ errors? occurred:$/.exec(first)?.[1];
  const errors = rest.flatMap((line) => /^\s*\* (.+)$/.exec(line)?.[1] ?? []);
  return head === undefined || errors.length === 0 ? first : `${head}${errors.join('; ')}`;
}

function refusal(at: At, { name: method, isReading }: Outgoing, { status }: GrpcError): TkError {
  const message = withoutMiddle(stripControl(reasonIn(status.message)), longestMessage);
  const row = statusRows[status.code];
  if (!isReading && row?.mayHaveHappened) {
    const because = `${statusNames[status.code] ?? status.code}: ${message}`;
    return new TkError(talosFailure('talos/outcome-unknown', { ...at, method, because }));
  }
  if (row?.redial) return new TkError(talosFailure('talos/unavailable', { ...at, method, message }));
  const code = codeByStatus[status.code];
  if (code) return new TkError(talosFailure(`talos/${code}`, { ...at, method, message }));
  return new TkError(talosFailure('talos/rpc', { ...at, method, message, status: statusNames[status.code] ?? String(status.code) }));
}

const cutOff = () => new GrpcError(1, 'cut off');
