import { Listr, ListrEventType, type ListrEventManager, type ListrTask } from 'listr2';
import type { EngineEvent, TaskOutcome } from '../core/index.ts';
import { drawEnd, drawFrame, type FrameOptions } from './frame.ts';
import { plainLinesOf } from './plain-lines.ts';
import type { Renderer, RendererOptions } from './renderer.ts';
import { applyEvent, newRunView } from './run-view.ts';
import { Screen } from './screen.ts';
import { styleWith } from './style.ts';
import { hintsIn } from './sandbox-hints.ts';
import { renderSummary } from './summary.ts';
import { folded } from './width.ts';

interface FrameRendererOptions {
  readonly screen: Screen;
}

/**
 * listr2's renderer interface over our screen: listr2 tells when rows change, the screen decides when to draw.
 * Its own renderer wraps every row anew at every event and has no viewport.
 */
class FrameRenderer {
  static nonTTY = true;
  static rendererOptions: FrameRendererOptions;
  static rendererTaskOptions: never;
  readonly #screen: Screen;

  constructor(_tasks: readonly unknown[], options: FrameRendererOptions, events?: ListrEventManager) {
    this.#screen = options.screen;
    events?.on(ListrEventType.SHOULD_REFRESH_RENDER, () => this.#screen.touch());
  }

  render(): void {
    this.#screen.begin();
  }

  end(): void {
    this.#screen.end();
  }
}

/**
 * The view on a terminal. Each row is a listr2 task that only awaits the engine: order, retries, failures and signals are never
 * listr2's business.
 */
export function createLiveRenderer({ stream, clock, colors, simulated, isSandbox }: RendererOptions): Renderer {
  const view = newRunView();
  const style = styleWith(colors);
  const startedMs = clock.monotonicMs();
  const hints = hintsIn({ isSandbox });
  const wallMs = () => clock.monotonicMs() - startedMs;
  const rows = new Map<string, PromiseWithResolvers<TaskOutcome>>();
  let lastEventAtMs = wallMs();
  let listing: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const frameOptions = (height: number): FrameOptions => ({
    columns: stream.columns,
    height,
    style,
    simulated,
    wallMs: wallMs(),
    // A simulated clock stands still between events; a real one does not.
    elapsedMs: view.elapsedMs + (simulated ? 0 : wallMs() - lastEventAtMs),
  });
  const screen = new Screen({ stream, clock, draw: (height) => drawFrame(view, frameOptions(height)) });

  const beginRows = (event: Extract<EngineEvent, { event: 'run-started' }>) => {
    const tasks: ListrTask[] = event.rows.map((row) => {
      const ended = Promise.withResolvers<TaskOutcome>();
      rows.set(row.task, ended);
      return {
        title: row.title,
        task: async (_context, task) => {
          const outcome = await ended.promise;
          if (outcome.state === 'failed') throw new Error(outcome.failures.map((failure) => failure.code).join(', '));
          if (outcome.state !== 'done') task.skip(outcome.state === 'blocked' ? outcome.by : outcome.reason);
        },
      };
    });
    const list = new Listr(tasks, {
      concurrent: true,
      exitOnError: false,
      collectErrors: false,
      registerSignalListeners: false,
      renderer: FrameRenderer,
      rendererOptions: { screen },
    });
    listing = list.run().catch(() => {});
  };

  return {
    sink(told) {
      // Before it is drawn: a frame knows how long its lines are.
      const event = told.event === 'waiting' && told.see !== undefined ? { ...told, see: hints(told.see) } : told;
      applyEvent(view, event);
      lastEventAtMs = wallMs();
      if (event.event === 'run-started') {
        const { lines } = plainLinesOf(view, event);
        // Where the terminal would break it, it breaks inside of a word.
        stream.write(`${lines.flatMap((line) => folded(line, Math.max(20, stream.columns - 1))).join('\n')}\n\n`);
        beginRows(event);
        return;
      }
      if (event.event === 'task-finished') rows.get(event.task)?.resolve(event.outcome);
      if (event.event === 'log' || event.event === 'warning') {
        const { lines } = plainLinesOf(view, event);
        if (lines.length > 0) screen.aside(() => stream.write(`${hints(lines.join('\n'))}\n`));
      }
      screen.touch();
    },
    aside: (write) => screen.aside(write),
    suspend: () => screen.suspend(),
    resume: () => screen.resume(),
    async close() {
      if (isClosed) return;
      isClosed = true;
      // Rows that never ended (the run failed before they could) must not keep listr2 waiting.
      for (const ended of rows.values()) ended.resolve({ state: 'cancelled', reason: 'the run ended' });
      await listing;
      screen.end();
      if (!view.end) return;
      const changes = [...view.tasks.values()].some((task) => task.row.effect !== 'read');
      if (view.tasks.size > 0 && (changes || screen.hasDrawn))
        stream.write(`${drawEnd(view, frameOptions(Number.POSITIVE_INFINITY)).join('\n')}\n\n`);
      stream.write(hints(renderSummary(view, { style, wallMs: wallMs(), simulated, columns: stream.columns })));
    },
  };
}
