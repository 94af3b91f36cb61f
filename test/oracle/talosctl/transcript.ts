import type { GrpcHandler, GrpcMetadata, World } from '../../../lib/base/index.ts';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { type DescMethod, fromBinary, machineApi, methodPath, talosServices, toBinary } from '../../../lib/upstream/index.ts';

/** One call of a stock tool and what the simulator answered. */
export interface RecordedCall {
  readonly path: string;
  /** The machine that was dialled. */
  readonly endpoint: string;
  /** Metadata that decides about routing. */
  readonly node?: string;
  readonly nodes?: string;
  /** Base64 of the encoded requests. */
  readonly requests: readonly string[];
  /** Names of the fields that the replies carry, over all replies. */
  readonly fields: readonly string[];
  readonly replies: number;
  /** Absent when the caller left first. */
  readonly status?: { readonly code: number; readonly message: string };
}

export interface RecordedCommand {
  readonly argv: readonly string[];
  readonly compares?: readonly string[];
  readonly disrupts?: boolean;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: readonly RecordedCall[];
}

export interface Transcript {
  readonly client: string;
  readonly talosVersion: string;
  readonly commands: readonly RecordedCommand[];
}

const methods = new Map<string, DescMethod>(
  talosServices('1.14').flatMap((service) => service.methods.map((method): [string, DescMethod] => [methodPath(method), method])),
);

/** Field paths that a reply sets, list positions and map keys left out: its kind, without its values. */
export function fieldsOf(path: string, reply: Uint8Array): readonly string[] {
  const method = methods.get(path);
  if (!method) return [];
  const found = new Set<string>();
  walk(reflect(method.output, fromBinary(method.output, reply)), '', found);
  return [...found].sort();
}

function walk(message: ReflectMessage, at: string, found: Set<string>): void {
  for (const field of message.sortedFields) {
    if (!message.isSet(field)) continue;
    const name = at === '' ? field.name : `${at}.${field.name}`;
    const value: unknown = field.message && field.fieldKind !== 'map' ? message.get(field) : undefined;
    // Moments and spans are one value each.
    if (field.message?.typeName.startsWith('google.protobuf.')) found.add(name);
    else if (field.fieldKind === 'message') walk(value as ReflectMessage, name, found);
    else if (field.fieldKind === 'list' && field.message) for (const one of value as Iterable<ReflectMessage>) walk(one, name, found);
    else found.add(name);
  }
}

/** A recording holds no machine config: keys are in there. */
export function withoutConfig(path: string, request: Uint8Array): Uint8Array {
  return path === applyPath ? withConfig(request, '') : request;
}

export const applyPath = '/machine.MachineService/ApplyConfiguration';

export function withConfig(request: Uint8Array, text: string): Uint8Array {
  const schema = machineApi.ApplyConfigurationRequestSchema;
  return toBinary(schema, { ...fromBinary(schema, request), data: new TextEncoder().encode(text) });
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** A World whose Talos servers tell `note` what passes through them. */
export function listeningWorld(world: World, note: (call: RecordedCall) => void): World {
  return {
    ...world,
    listen: {
      ...world.listen,
      grpc: (options) => world.listen.grpc({ ...options, handler: noting(options.handler, options.host, note) }),
    },
  };
}

function noting(handler: GrpcHandler, endpoint: string, note: (call: RecordedCall) => void): GrpcHandler {
  return async function* (call) {
    const requests: string[] = [];
    const fields = new Set<string>();
    let replies = 0;
    let status: RecordedCall['status'];
    const heard = async function* () {
      for await (const request of call.requests) {
        requests.push(base64(withoutConfig(call.path, request)));
        yield request;
      }
    };
    try {
      for await (const reply of handler({ ...call, requests: heard() })) {
        replies += 1;
        for (const field of fieldsOf(call.path, reply)) fields.add(field);
        yield reply;
      }
      status = { code: 0, message: '' };
    } catch (error) {
      if (!call.signal.aborted) status = (error as { status?: RecordedCall['status'] }).status ?? { code: 2, message: String(error) };
      throw error;
    } finally {
      note({
        path: call.path,
        endpoint,
        ...routing(call.metadata),
        requests,
        fields: [...fields].sort(),
        replies,
        ...(status ? { status } : {}),
      });
    }
  };
}

function routing({ node, nodes }: GrpcMetadata): { node?: string; nodes?: string } {
  const text = (value: string | readonly string[]) => [value].flat().join(', ');
  return { ...(node === undefined ? {} : { node: text(node) }), ...(nodes === undefined ? {} : { nodes: text(nodes) }) };
}
