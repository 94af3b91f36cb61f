import type { SimKernel } from '../kernel.ts';
import type { MachineEvents } from './events.ts';
import type { Machine, ServiceStateName } from './machine.ts';

/** Events that a service keeps. Source: Talos internal/app/machined/pkg/system/service_events.go */
const eventsKept = 16;

export interface Services {
  move(machine: Machine, id: string, state: ServiceStateName, message: string): void;
  health(machine: Machine, id: string, healthy: boolean, message?: string): void;
  /** Start, run and pass the first health check in one go: for services that nobody waits for. */
  start(machine: Machine, id: string): void;
  /** Only what runs is stopped. */
  stop(machine: Machine, id: string): void;
  is(machine: Machine, id: string, state: ServiceStateName): boolean;
}

export function createServices(kernel: SimKernel, events: MachineEvents): Services {
  const services: Services = {
    move(machine, id, state, message) {
      const before = machine.service(id);
      const last = before?.events.at(-1);
      if (last?.state === state && last.message === message) return;
      const wallMs = kernel.clock.now();
      const running = state === 'Running';
      machine.setService(id, {
        state,
        events: [...(before?.events ?? []), { message, state, wallMs }].slice(-eventsKept),
        ...(running && before?.healthy !== undefined ? { healthy: before.healthy } : {}),
        healthMessage: running ? (before?.healthMessage ?? '') : '',
        healthChangedMs: wallMs,
      });
      events.service(machine, id, state, message);
    },
    health(machine, id, healthy, message = '') {
      const record = machine.service(id);
      if (!record || record.healthy === healthy) return;
      const wallMs = kernel.clock.now();
      const text = healthy ? 'Health check successful' : `Health check failed: ${message}`;
      machine.setService(id, {
        ...record,
        healthy,
        healthMessage: message,
        healthChangedMs: wallMs,
        events: [...record.events, { message: text, state: record.state, wallMs }].slice(-eventsKept),
      });
      events.service(machine, id, record.state, text, healthy);
    },
    start(machine, id) {
      services.move(machine, id, 'Starting', 'Starting service');
      services.move(machine, id, 'Preparing', 'Running pre state');
      services.move(machine, id, 'Running', `Started task ${id} (PID ${1000 + (machine.serviceIds().length % 900)})`);
      services.health(machine, id, true);
    },
    stop(machine, id) {
      if (!services.is(machine, id, 'Running')) return;
      services.move(machine, id, 'Stopping', 'Sending SIGTERM to task');
      services.move(machine, id, 'Finished', 'Service finished successfully');
    },
    is: (machine, id, state) => machine.service(id)?.state === state,
  };
  return services;
}
