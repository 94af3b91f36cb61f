import { resolve } from 'node:path';
import { TkError } from '../../base/index.ts';
import { contractOf, createSecretsBundle, renderSecretsBundle } from '../../talos/index.ts';
import { newestTalos } from '../../upstream/index.ts';
import { cliFailure } from '../failures.ts';
import type { CommandContext } from './index.ts';
import { deliver, textOf } from './inputs.ts';

/** A bundle is a cluster's identity: one that is there is never replaced. */
export async function run(context: CommandContext): Promise<number> {
  const { values, world, directory } = context;
  const out = textOf(values, 'out');
  if (out !== undefined && (await world.files.stat(resolve(directory, out))) !== undefined)
    throw new TkError(cliFailure('usage/file-exists', { path: out }));
  const bundle = await createSecretsBundle(world, contractOf(textOf(values, 'talos-version') ?? newestTalos));
  await deliver(context, renderSecretsBundle(bundle).reveal(), { mode: 0o600 });
  return 0;
}
