import { type GrpcHandler, GrpcError, type GrpcServerCall, type Server, type ServerTls, type World } from '../../lib/base/index.ts';
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  methodPath,
  methodShapes,
  talosServices,
  toBinary,
} from '../../lib/upstream/index.ts';

type Answer = (request: Uint8Array, call: GrpcServerCall) => AsyncIterable<Uint8Array>;

export interface AnsweringMachine extends Server {
  /** Short names of the calls that arrived, in order: `MachineService/Version`. */
  readonly calls: string[];
  /** One reply, or a stream of them; throws `GrpcError` for any other status. */
  on<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
    answer: (
      request: MessageShape<I>,
      call: GrpcServerCall,
    ) => MessageInitShape<O> | Promise<MessageInitShape<O>> | AsyncIterable<MessageInitShape<O>>,
  ): void;
}

/** A Talos API on loopback that says what a test tells it to say. */
export async function answeringMachine(world: World, tls: ServerTls, port = 0): Promise<AnsweringMachine> {
  const answers = new Map<string, Answer>();
  const calls: string[] = [];
  const handler: GrpcHandler = async function* (call) {
    calls.push(call.path.slice(call.path.indexOf('.', call.path.startsWith('/cosi') ? 6 : 0) + 1));
    const answer = answers.get(call.path);
    if (!answer) throw new GrpcError(12, `unknown method ${call.path}`);
    for await (const request of call.requests) {
      yield* answer(request, call);
      return;
    }
  };
  const server = await world.listen.grpc({ host: '127.0.0.1', port, tls, methods: methodShapes(talosServices('1.14')), handler });
  return {
    ...server,
    calls,
    on(method, answer) {
      answers.set(methodPath(method), async function* (request, call) {
        const answered = await answer(fromBinary(method.input, request), call);
        const replies = isStream(answered) ? answered : [answered];
        for await (const reply of replies)
          yield toBinary(method.output, create(method.output, reply as MessageInitShape<typeof method.output>));
      });
    },
  };
}

function isStream(value: unknown): value is AsyncIterable<never> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
