import type { Clock } from '../../../lib/base/index.ts';
import type { EngineEvent } from '../../../lib/core/index.ts';
import { createPlainRenderer } from '../../../lib/ui/plain-renderer.ts';

/** What somebody without a terminal was told of a run. */
export function plainTextOf(events: readonly EngineEvent[]): string {
  let text = '';
  const stream = { isTty: false, columns: 80, rows: 24, write: (more: string) => void (text += more) };
  const clock = { monotonicMs: () => 0 } as Clock;
  const { sink } = createPlainRenderer({ stream, clock, colors: false, simulated: true });
  for (const event of events) sink(event);
  return text;
}
