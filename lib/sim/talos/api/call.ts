import { GrpcError, type GrpcServerCall, type Json } from '../../../base/index.ts';
import { type DescMethod, fromBinary, type MessageInitShape, type MessageShape } from '../../../upstream/index.ts';
import type { KubeModel } from '../../kube-door.ts';
import type { SimKernel } from '../../kernel.ts';
import type { SandboxSpec } from '../../spec.ts';
import type { Issuer } from '../certificates.ts';
import type { Etcd } from '../etcd.ts';
import type { MachineEvents } from '../events.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Machine } from '../machine.ts';
import type { Services } from '../services.ts';

/** Numbers of google.golang.org/grpc/codes. */
export const code = {
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

export const refuse = (name: keyof typeof code, message: string): GrpcError => new GrpcError(code[name], message);

/** What upstream's own checks say about a configuration text. Handed in: the rules belong to the generator. */
export interface ConfigCheck {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** The simulation as the handlers of one call see it. */
export interface TalosParts {
  readonly kernel: SimKernel;
  readonly spec: SandboxSpec;
  readonly machines: readonly Machine[];
  readonly events: MachineEvents;
  readonly services: Services;
  readonly etcd: Etcd;
  readonly lifecycle: Lifecycle;
  readonly kube: () => KubeModel | undefined;
  readonly issuer: Issuer;
  /** One seed replays such a run byte for byte, whatever the bytes of its keys are. */
  readonly isInMemory: boolean;
  readonly checkConfig: (text: string, version: string) => ConfigCheck | Promise<ConfigCheck>;
}

export interface ApiCall extends TalosParts {
  readonly machine: Machine;
  readonly signal: AbortSignal;
  readonly roles: ReadonlySet<string>;
  readonly call: GrpcServerCall;
  /** Ground truth for invariants: this call changed the machine, or was refused. */
  mutated(outcome: 'accepted' | 'refused', facts?: { readonly [fact: string]: Json }): void;
}

type Input<M extends DescMethod> = MessageShape<M['input']>;
type Output<M extends DescMethod> = MessageInitShape<M['output']>;

export type Answer = (
  call: ApiCall,
  request: never,
  requests: AsyncIterable<Uint8Array>,
) => AsyncIterable<object> | Promise<object> | object;

export interface BoundMethod {
  readonly method: DescMethod;
  readonly answer: Answer;
}

/** One reply. */
export function unary<M extends DescMethod>(
  method: M,
  answer: (call: ApiCall, request: Input<M>) => Promise<Output<M>> | Output<M>,
): BoundMethod {
  return { method, answer: answer as Answer };
}

/** A stream of replies. */
export function streaming<M extends DescMethod>(
  method: M,
  answer: (call: ApiCall, request: Input<M>) => AsyncIterable<Output<M>>,
): BoundMethod {
  return { method, answer: answer as Answer };
}

/** Many requests, one reply. */
export function uploading<M extends DescMethod>(
  method: M,
  answer: (call: ApiCall, requests: AsyncIterable<Input<M>>) => Promise<Output<M>>,
): BoundMethod {
  const decoded = async function* (messages: AsyncIterable<Uint8Array>): AsyncIterable<Input<M>> {
    for await (const message of messages) yield fromBinary(method.input, message) as Input<M>;
  };
  return { method, answer: (call, _first, requests) => answer(call, decoded(requests)) };
}
