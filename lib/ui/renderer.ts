import type { Clock, TerminalStream } from '../base/index.ts';
import type { EventSink } from '../core/index.ts';

/** Shows a run. Receives events, returns nothing, and may be taken away without changing the run. */
export interface Renderer {
  readonly sink: EventSink;
  /** Text of somebody else for the same terminal: what the renderer has drawn steps aside while `write` runs. */
  aside(write: () => void): void;
  /** Nothing is drawn between these two: a question owns the terminal. */
  suspend(): void;
  resume(): void;
  /** Draws what is left, gives the terminal back. Idempotent. */
  close(): Promise<void>;
}

export interface RendererOptions {
  /** Standard error: progress and failures. */
  readonly stream: TerminalStream;
  /** The person's clock, never a simulated one: it paces drawing and measures wall time. */
  readonly clock: Clock;
  readonly colors: boolean;
  /** The run's clock is a simulated one that jumps. */
  readonly simulated: boolean;
  /** The machines are simulated: commands that are recommended have to stay there. */
  readonly isSandbox?: boolean;
}
