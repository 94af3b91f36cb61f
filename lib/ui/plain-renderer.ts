import { plainLinesOf } from './plain-lines.ts';
import type { Renderer, RendererOptions } from './renderer.ts';
import { applyEvent, newRunView } from './run-view.ts';
import { styleWith } from './style.ts';
import { hintsIn } from './sandbox-hints.ts';
import { renderSummary } from './summary.ts';

/** For pipes and logs: a line when something begins, ends or is seen; no colours, no control characters. */
export function createPlainRenderer({ stream, clock, simulated, isSandbox }: RendererOptions): Renderer {
  const view = newRunView();
  const startedMs = clock.monotonicMs();
  const hints = hintsIn({ isSandbox });
  const write = (text: string) => stream.write(hints(text));
  return {
    sink(event) {
      applyEvent(view, event);
      const { lines } = plainLinesOf(view, event);
      if (lines.length > 0) write(`${lines.join('\n')}\n`);
      if (event.event !== 'run-finished') return;
      const summary = renderSummary(view, { style: styleWith(false), wallMs: clock.monotonicMs() - startedMs, simulated });
      if (summary !== '') write(`\n${summary}`);
    },
    aside: (tell) => tell(),
    suspend() {},
    resume() {},
    async close() {},
  };
}
