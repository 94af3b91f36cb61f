import { chosenLater, GrpcError, type GrpcHandler, type GrpcServerCall, failureOf, type Json, onlyItem } from '../../../base/index.ts';
import { create, fromBinary, isMethodOf, methodPath, toBinary } from '../../../upstream/index.ts';
import type { Machine } from '../machine.ts';
import { type ApiCall, type BoundMethod, code, refuse, type TalosParts } from './call.ts';
import { maintenance112, mayCall } from './roles.ts';

/** Services whose calls apid sends to many machines and answers with one message each. */
const manyAllowed = [
  '/machine.MachineService/',
  '/cluster.ClusterService/',
  '/inspect.InspectService/',
  '/storage.StorageService/',
  '/time.TimeService/',
];

const mutating = new Set(
  [
    'ApplyConfiguration',
    'Bootstrap',
    'Reboot',
    'Reset',
    'Shutdown',
    'Upgrade',
    'Rollback',
    'EtcdLeaveCluster',
    'EtcdRemoveMemberByID',
    'EtcdForfeitLeadership',
    'EtcdRecover',
    'EtcdAlarmDisarm',
    'EtcdDefragment',
    'ImagePull',
    'ServiceStart',
    'ServiceStop',
    'ServiceRestart',
    'MetaWrite',
    'MetaDelete',
  ]
    .map((name) => `/machine.MachineService/${name}`)
    .concat(
      '/machine.LifecycleService/Upgrade',
      '/machine.LifecycleService/Install',
      '/machine.ImageService/Pull',
      '/storage.StorageService/BlockDeviceWipe',
    ),
);

/**
 * apid of one machine: finds the machines that a call is for by its metadata, checks the caller's roles, and answers.
 *
 * Source: Talos internal/app/apid/pkg/director/director.go, backend/apid.go
 */
export function createApiHandler(parts: TalosParts, methods: readonly BoundMethod[]): (endpoint: Machine) => GrpcHandler {
  const byPath = new Map(methods.map((bound) => [methodPath(bound.method), bound]));

  return (endpoint) => (call) => chosenLater(() => routed(endpoint, call));

  function routed(endpoint: Machine, call: GrpcServerCall): AsyncIterable<Uint8Array> {
    const targets = targetsOf(call);
    // In maintenance mode nothing is forwarded: whoever is asked is meant.
    if (targets.kind === 'self' || endpoint.get('api') === 'maintenance') return answered(endpoint, call);
    const config = endpoint.get('api') === 'configured' ? endpoint.config() : undefined;
    if (
      config?.role !== 'controlplane' &&
      targets.names.some((name) => parts.machines.find((machine) => answersTo(machine, name)) !== endpoint)
    ) {
      throw refuse('permissionDenied', 'no request forwarding');
    }
    const [first] = targets.names;
    if (targets.kind === 'one' && first !== undefined) return answered(reachable(first), call);
    if (!manyAllowed.some((prefix) => call.path.startsWith(prefix))) {
      throw refuse('invalidArgument', `one-2-many proxying is not supported for method ${call.path}`);
    }
    return many(targets.names, call);
  }

  function reachable(name: string): Machine {
    const machine = parts.machines.find((candidate) => answersTo(candidate, name));
    if (name.includes(':')) throw refuse('unknown', `invalid target "${name}"`);
    // apid talks mTLS to the other side: a machine in maintenance mode does not show a certificate of this cluster.
    if (!machine?.isUp() || machine.get('api') === 'none') {
      throw refuse(
        'unavailable',
        `connection error: desc = "transport: Error while dialing: dial tcp ${name}:50000: connect: connection refused"`,
      );
    }
    if (machine.get('api') === 'maintenance') {
      throw refuse(
        'unavailable',
        'connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"',
      );
    }
    return machine;
  }

  async function* many(names: readonly string[], call: GrpcServerCall): AsyncGenerator<Uint8Array> {
    const bound = boundOf(endpointMinor(names), call.path);
    const streams = bound.method.methodKind !== 'unary';
    const merged: object[] = [];
    for (const name of names) {
      const metadata = { hostname: name };
      try {
        const replies = await collectReplies(reachable(name), call, bound);
        if (streams) for (const reply of replies) yield encode(bound, { ...reply, metadata });
        else for (const reply of replies) merged.push(...messagesOf(reply).map((message) => ({ ...message, metadata })));
      } catch (error) {
        const failed = statusOf(error);
        const note = {
          ...metadata,
          error: `rpc error: code = ${failed.name} desc = ${failed.message}`,
          status: { code: failed.code, message: failed.message },
        };
        if (streams) yield encode(bound, { metadata: note });
        else merged.push({ metadata: note });
      }
    }
    if (!streams) yield encode(bound, { messages: merged });
  }

  function endpointMinor(names: readonly string[]) {
    return parts.machines.find((machine) => answersTo(machine, names[0] ?? ''))?.minor() ?? '1.14';
  }

  async function collectReplies(machine: Machine, call: GrpcServerCall, bound: BoundMethod): Promise<object[]> {
    if (!isStream(bound)) return [await replyOf(machine, call, bound)];
    const replies: object[] = [];
    for await (const reply of repliesOf(machine, call, bound)) replies.push(reply);
    return replies;
  }

  function answered(machine: Machine, call: GrpcServerCall): AsyncIterable<Uint8Array> {
    const bound = boundOf(machine.minor(), call.path);
    return isStream(bound)
      ? encodedEach(bound, repliesOf(machine, call, bound))
      : onlyItem(async () => encode(bound, await replyOf(machine, call, bound)));
  }

  function boundOf(minor: ReturnType<Machine['minor']>, path: string): BoundMethod {
    const bound = byPath.get(path);
    if (!bound || !isMethodOf(minor, path)) {
      const [, service = '', method = ''] = path.split('/');
      throw refuse(
        'unimplemented',
        isMethodOf(minor, path) ? `method ${method} not implemented` : `unknown method ${method} for service ${service}`,
      );
    }
    return bound;
  }

  /** The one reply of a call that has one. A change is on the disk before it is acknowledged. */
  async function replyOf(machine: Machine, call: GrpcServerCall, bound: BoundMethod): Promise<object> {
    const api = apiOf(machine, call);
    try {
      const reply = await asked(api, bound);
      if (mutating.has(call.path)) {
        await parts.kernel.commit();
        api.mutated('accepted');
      }
      return reply;
    } catch (error) {
      if (mutating.has(call.path)) api.mutated('refused');
      throw error;
    }
  }

  async function* repliesOf(machine: Machine, call: GrpcServerCall, bound: BoundMethod): AsyncGenerator<object> {
    const api = apiOf(machine, call);
    try {
      yield* (await asked(api, bound)) as AsyncIterable<object>;
    } catch (error) {
      if (mutating.has(call.path)) api.mutated('refused');
      throw error;
    }
  }

  function apiOf(machine: Machine, call: GrpcServerCall): ApiCall {
    return new OneCall(parts, machine, call, authorize(machine, call));
  }
}

/** The simulation as one call sees it. Made for each: an object with an accessor of its own would cost as much as the answer. */
class OneCall implements ApiCall {
  readonly kernel: TalosParts['kernel'];
  readonly spec: TalosParts['spec'];
  readonly machines: TalosParts['machines'];
  readonly events: TalosParts['events'];
  readonly services: TalosParts['services'];
  readonly etcd: TalosParts['etcd'];
  readonly lifecycle: TalosParts['lifecycle'];
  readonly kube: TalosParts['kube'];
  readonly issuer: TalosParts['issuer'];
  readonly isInMemory: boolean;
  readonly checkConfig: TalosParts['checkConfig'];
  readonly machine: Machine;
  readonly call: GrpcServerCall;
  readonly roles: ReadonlySet<string>;

  constructor(parts: TalosParts, machine: Machine, call: GrpcServerCall, roles: ReadonlySet<string>) {
    this.kernel = parts.kernel;
    this.spec = parts.spec;
    this.machines = parts.machines;
    this.events = parts.events;
    this.services = parts.services;
    this.etcd = parts.etcd;
    this.lifecycle = parts.lifecycle;
    this.kube = parts.kube;
    this.issuer = parts.issuer;
    this.isInMemory = parts.isInMemory;
    this.checkConfig = parts.checkConfig;
    this.machine = machine;
    this.call = call;
    this.roles = roles;
  }

  /** Few handlers look at it, and ring A makes it for those alone. */
  get signal(): AbortSignal {
    return this.call.signal;
  }

  mutated(outcome: 'accepted' | 'refused', facts: { readonly [fact: string]: Json } = {}): void {
    this.kernel.emit({ kind: 'talos/mutation', facts: { node: this.machine.name, path: this.call.path, outcome, ...facts } });
  }
}

async function asked(api: ApiCall, { method, answer }: BoundMethod): Promise<AsyncIterable<object> | object> {
  const request = method.methodKind === 'client_streaming' ? new Uint8Array() : await firstRequest(api.call);
  return answer(api, fromBinary(method.input, request) as never, api.call.requests);
}

const isStream = ({ method }: BoundMethod): boolean => method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';

function authorize(machine: Machine, call: GrpcServerCall): ReadonlySet<string> {
  if (machine.get('api') === 'maintenance') {
    if (machine.minor() === '1.12') {
      if (!maintenance112.has(call.path)) throw refuse('unimplemented', 'API is not implemented in maintenance mode');
      return new Set(['os:reader']);
    }
    const roles = new Set(['os:reader']);
    if (!mayCall(call.path, roles)) throw refuse('permissionDenied', 'not authorized');
    return roles;
  }
  const roles = new Set(call.client?.organizations ?? []);
  if (!mayCall(call.path, roles)) throw refuse('permissionDenied', 'not authorized');
  return roles;
}

async function firstRequest(call: GrpcServerCall): Promise<Uint8Array> {
  for await (const request of call.requests) return request;
  return new Uint8Array();
}

type Targets = { readonly kind: 'self' } | { readonly kind: 'one' | 'many'; readonly names: readonly string[] };

/** `node` may be sent empty by talosctl in insecure mode; several `nodes` may come as one value with commas. */
function targetsOf(call: GrpcServerCall): Targets {
  const values = (key: string) =>
    [call.metadata[key] ?? []]
      .flat()
      .flatMap((value) => value.split(','))
      .map((value) => value.trim())
      .filter((value) => value !== '');
  const node = values('node');
  if (node.length > 1) throw refuse('invalidArgument', 'node metadata must be single-valued');
  if (node.length === 1) return { kind: 'one', names: node };
  const nodes = values('nodes');
  return nodes.length > 0 ? { kind: 'many', names: nodes } : { kind: 'self' };
}

const answersTo = (machine: Machine, name: string): boolean => machine.spec.address === name || machine.hostname() === name;

function messagesOf(reply: object): readonly object[] {
  return 'messages' in reply && Array.isArray(reply.messages) ? (reply.messages as object[]) : [];
}

async function* encodedEach(bound: BoundMethod, replies: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  for await (const reply of replies) yield encode(bound, reply);
}

const encodedBefore = new WeakMap<object, Uint8Array>();

/** A reply that is frozen is one that is given again and again. */
function encode(bound: BoundMethod, reply: object): Uint8Array {
  const known = encodedBefore.get(reply);
  if (known) return known;
  const message = '$typeName' in reply ? reply : create(bound.method.output, reply as never);
  const bytes = toBinary(bound.method.output, message as never);
  if (Object.isFrozen(reply)) encodedBefore.set(reply, bytes);
  return bytes;
}

const codeNames: Readonly<Record<number, string>> = {
  1: 'Canceled',
  2: 'Unknown',
  3: 'InvalidArgument',
  4: 'DeadlineExceeded',
  5: 'NotFound',
  6: 'AlreadyExists',
  7: 'PermissionDenied',
  9: 'FailedPrecondition',
  12: 'Unimplemented',
  13: 'Internal',
  14: 'Unavailable',
};

function statusOf(error: unknown): { readonly code: number; readonly name: string; readonly message: string } {
  const status = error instanceof GrpcError ? error.status : { code: code.unknown, message: failureOf(error).code };
  return { ...status, name: codeNames[status.code] ?? 'Unknown' };
}
