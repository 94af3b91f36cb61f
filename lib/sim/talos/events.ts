import { type Json, remembered } from '../../base/index.ts';
import { commonApi, create, type DescMessage, machineApi, type MessageInitShape, toBinary } from '../../upstream/index.ts';
import type { SimKernel } from '../kernel.ts';
import type { Machine, ServiceStateName, Stage } from './machine.ts';
import { xid } from './xid.ts';

/** One entry of the ring that the Events call reads. `payload` is base64 of the encoded message. */
export type RingEvent = {
  readonly id: string;
  readonly wallMs: number;
  readonly type: string;
  readonly payload: string;
  readonly actorId: string;
};

/** Source: Talos internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_events.go: 1000 entries, 10 of them as safety gap. */
const ringSize = 990;

const stageNumbers: Record<Stage, machineApi.MachineStatusEvent_MachineStage> = {
  booting: 1,
  installing: 2,
  maintenance: 3,
  running: 4,
  rebooting: 5,
  'shutting down': 6,
  resetting: 7,
  upgrading: 8,
};

const serviceActions: Record<ServiceStateName, machineApi.ServiceStateEvent_Action> = {
  Initialized: 0,
  Preparing: 1,
  Waiting: 2,
  Running: 3,
  Stopping: 4,
  Finished: 5,
  Failed: 6,
  Skipped: 7,
  Starting: 8,
};

export interface MachineEvents {
  sequence(
    machine: Machine,
    sequence: string,
    action: 'start' | 'stop',
    options?: { readonly actorId?: string; readonly error?: string },
  ): void;
  /** A sequence that did not start, because another one runs. */
  locked(machine: Machine, sequence: string, actorId: string): void;
  /** A sequence that failed; machined ends with it. */
  failed(machine: Machine, sequence: string, message: string): void;
  phase(machine: Machine, phase: string, action: 'start' | 'stop', actorId?: string): void;
  task(machine: Machine, task: string, action: 'start' | 'stop', actorId?: string): void;
  service(machine: Machine, id: string, state: ServiceStateName, message: string, healthy?: boolean): void;
  status(machine: Machine, stage: Stage, unmet: readonly { readonly name: string; readonly reason: string }[]): void;
  /** Oldest first. */
  ring(machine: Machine): readonly RingEvent[];
}

export function createMachineEvents(kernel: SimKernel): MachineEvents {
  const push = <S extends DescMessage>(machine: Machine, schema: S, message: MessageInitShape<S>, actorId = '') => {
    const type = schema.name;
    if (kernel.fault('talos/event', { node: machine.name, type })) return;
    const prefix = `talos/${machine.name}/events/`;
    const number = (kernel.store.get<number>(`talos/${machine.name}/event-number`) ?? 0) + 1;
    kernel.store.set(`talos/${machine.name}/event-number`, number);
    const wallMs = kernel.clock.now();
    const event: RingEvent = {
      id: xid(wallMs, Buffer.from(machine.spec.uuid), number),
      wallMs,
      type: `talos/runtime/machine.${type}`,
      payload: payloadOf(schema, message),
      actorId,
    };
    const keyOf = (count: number) => `${prefix}${String(count).padStart(9, '0')}`;
    kernel.store.set(keyOf(number), event as unknown as Json);
    if (number > ringSize) kernel.store.delete(keyOf(number - ringSize));
  };
  const noop = (machine: Machine, sequence: string, code: commonApi.Code, message: string, actorId: string) =>
    push(machine, machineApi.SequenceEventSchema, { sequence, action: 0, error: { code, message } }, actorId);
  return {
    sequence: (machine, sequence, action, { actorId, error } = {}) =>
      push(
        machine,
        machineApi.SequenceEventSchema,
        { sequence, action: action === 'start' ? 1 : 2, ...(error === undefined ? {} : { error: { message: error } }) },
        actorId,
      ),
    locked: (machine, sequence, actorId) => noop(machine, sequence, commonApi.Code.LOCKED, 'sequence not started: locked', actorId),
    failed: (machine, sequence, message) => noop(machine, sequence, commonApi.Code.FATAL, message, ''),
    phase: (machine, phase, action, actorId) =>
      push(machine, machineApi.PhaseEventSchema, { phase, action: action === 'start' ? 0 : 1 }, actorId),
    task: (machine, task, action, actorId) =>
      push(machine, machineApi.TaskEventSchema, { task, action: action === 'start' ? 0 : 1 }, actorId),
    service: (machine, id, state, message, healthy) =>
      push(machine, machineApi.ServiceStateEventSchema, {
        service: id,
        action: serviceActions[state],
        message,
        health: { unknown: healthy === undefined, healthy: healthy ?? false },
      }),
    status: (machine, stage, unmet) =>
      push(machine, machineApi.MachineStatusEventSchema, {
        stage: stageNumbers[stage],
        status: { ready: unmet.length === 0, unmetConditions: unmet.map((condition) => ({ ...condition })) },
      }),
    ring: (machine) => kernel.store.keys(`talos/${machine.name}/events/`).map((key) => kernel.store.get(key) as unknown as RingEvent),
  };
}

/** Machines say the same few things again and again. */
const payloadOf = remembered(
  (schema: DescMessage, message: object) => Buffer.from(toBinary(schema, create(schema, message as never))).toString('base64'),
  { keyOf: (schema, message) => `${schema.name} ${JSON.stringify(message)}`, limit: 4000 },
);
