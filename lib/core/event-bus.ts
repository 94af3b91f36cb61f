import { type Clock, type Redactor, stripControl } from '../base/index.ts';
import type { EngineEvent, EventBody, EventSink } from './events.ts';

/** The one place through which everything said by a run goes: stamped, redacted by value, free of control characters. */
export interface EventBus {
  emit(body: EventBody): EngineEvent;
}

/**
 * Sinks cannot affect a run: what they throw is dropped, and they return nothing.
 */
export function createEventBus(run: string, clock: Clock, redactor: Redactor, sinks: readonly EventSink[]): EventBus {
  const startedMs = clock.monotonicMs();
  const clean = (text: string) => redactor.redact(stripControl(text));
  let sequence = 0;
  return {
    emit(body) {
      sequence += 1;
      const event: EngineEvent = {
        schema: 1,
        sequence,
        run,
        atMs: clock.now(),
        elapsedMs: Math.round(clock.monotonicMs() - startedMs),
        ...(mapTexts(body, clean) as EventBody),
      };
      for (const sink of sinks) {
        try {
          sink(event);
        } catch {
          // A broken renderer must not stop work on a cluster.
        }
      }
      return event;
    },
  };
}

/** A copy with every text in it changed, keys included: a secret may be the name of something. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) if (item !== undefined) result[change(key)] = mapTexts(item, change);
  return result;
}
