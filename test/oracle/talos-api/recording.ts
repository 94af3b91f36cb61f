import { type Dial, GrpcError, type GrpcStatus, type PeerIdentity, type TalosConnection } from '../../../lib/base/index.ts';

/** One call as it went over the wire; bytes in base64. */
export interface Exchange {
  readonly path: string;
  readonly request: string;
  readonly replies: readonly string[];
  /** Absent: OK, or the caller left. */
  readonly status?: GrpcStatus;
}

export interface Recording {
  readonly peer: PeerIdentity;
  readonly exchanges: readonly Exchange[];
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** Notes every call of the connections that it dials. */
export function recordingDial(dial: Pick<Dial, 'talos'>): Pick<Dial, 'talos'> & { recording(): Recording } {
  const exchanges: Exchange[] = [];
  let peer: PeerIdentity | undefined;
  return {
    recording: () => {
      if (!peer) throw new Error('nothing was dialled');
      return { peer, exchanges };
    },
    async talos(target, signal): Promise<TalosConnection> {
      const connection = await dial.talos(target, signal);
      peer = connection.peer;
      return {
        peer: connection.peer,
        isOpen: () => connection.isOpen(),
        close: () => connection.close(),
        async *call(call) {
          const sent: Uint8Array[] = [];
          for await (const request of call.requests) sent.push(request);
          const replies: string[] = [];
          let status: GrpcStatus | undefined;
          try {
            const again = async function* () {
              yield* sent;
            };
            for await (const reply of connection.call({ ...call, requests: again() })) {
              replies.push(base64(reply));
              yield reply;
            }
          } catch (error) {
            if (error instanceof GrpcError) status = error.status;
            throw error;
          } finally {
            // Also when the caller left in the middle of a stream.
            exchanges.push({ path: call.path, request: base64(Buffer.concat(sent)), replies, ...(status ? { status } : {}) });
          }
        },
      };
    },
  };
}

/** Answers as recorded, each exchange once and in order; a request with other bytes is an error. */
export function replayDial({ peer, exchanges }: Recording): Pick<Dial, 'talos'> & { left(): number } {
  let next = 0;
  return {
    left: () => exchanges.length - next,
    async talos() {
      return {
        peer,
        isOpen: () => true,
        close: () => {},
        async *call(call) {
          const sent: Uint8Array[] = [];
          for await (const request of call.requests) sent.push(request);
          const exchange = exchanges[next];
          next += 1;
          const asked = `${call.path} ${base64(Buffer.concat(sent))}`;
          const recorded = exchange && `${exchange.path} ${exchange.request}`;
          if (!exchange || asked !== recorded) throw new Error(`the client said ${asked}, the recording has ${recorded ?? 'nothing more'}`);
          for (const reply of exchange.replies) yield new Uint8Array(Buffer.from(reply, 'base64'));
          if (exchange.status) throw new GrpcError(exchange.status.code, exchange.status.message);
        },
      };
    },
  };
}
