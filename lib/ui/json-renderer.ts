import type { Renderer, RendererOptions } from './renderer.ts';

/** One event a line, as it came. */
export function createJsonRenderer({ stream }: Pick<RendererOptions, 'stream'>): Renderer {
  return {
    sink: (event) => stream.write(`${JSON.stringify(event)}\n`),
    aside: (write) => write(),
    suspend() {},
    resume() {},
    async close() {},
  };
}
