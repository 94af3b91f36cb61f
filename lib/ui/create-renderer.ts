import { createGithubRenderer } from './github-renderer.ts';
import { createJsonRenderer } from './json-renderer.ts';
import { createPlainRenderer } from './plain-renderer.ts';
import type { Renderer, RendererOptions } from './renderer.ts';

export type OutputKind = 'auto' | 'plain' | 'json' | 'github';

/** `auto`: the live view on a terminal, plain lines elsewhere. listr2 is loaded only for the live view. */
export async function createRenderer(kind: OutputKind, options: RendererOptions): Promise<Renderer> {
  switch (kind) {
    case 'json':
      return createJsonRenderer(options);
    case 'github':
      return createGithubRenderer(options);
    case 'plain':
      return createPlainRenderer(options);
    case 'auto': {
      if (!options.stream.isTty) return createPlainRenderer(options);
      const { createLiveRenderer } = await import('./live-renderer.ts');
      return createLiveRenderer(options);
    }
  }
}
