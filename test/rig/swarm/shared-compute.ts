import { createHash } from 'node:crypto';
import type { Compute } from '../../../lib/base/index.ts';
import { helmModule } from '../../../lib/cli/open-cluster.ts';
import type { KernelHandle } from '../../../lib/sim/index.ts';
import { compiledModule } from '../../../lib/wasm/compiled-module.ts';

/** Heavy work of all histories, done once per process. */
export function sharedCompute({ clock }: Pick<KernelHandle, 'clock'>): Compute {
  return { run: <I, O>(module: string, input: I) => clock.inTurn(() => computed<O>(module, input as object)) };
}

const known = new Map<string, unknown>();

async function computed<O>(module: string, input: object): Promise<O> {
  const key = keyOf(module, input);
  if (!known.has(key)) {
    const { default: work } = (await import(module)) as { readonly default: (input: unknown) => O };
    // The engine is brought along, so that nobody has to be asked for it.
    known.set(key, work({ ...input, module: await compiledModule(helmModule) }));
  }
  return known.get(key) as O;
}

/** What is computed depends on the request and the archive; the seed of a chart's random functions and the time of day are the first's. */
function keyOf(module: string, input: object): string {
  const { request, archive } = input as { readonly request: string; readonly archive?: Uint8Array };
  return createHash('sha1')
    .update(`${module}\0${request}\0`)
    .update(archive ?? '')
    .digest('base64');
}
