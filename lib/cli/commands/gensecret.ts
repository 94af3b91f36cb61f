import { resolve } from 'node:path';
import { TkError } from '../../base/index.ts';
import { bundleFromControlPlaneConfig, contractOf, createSecretsBundle, renderSecretsBundle } from '../../talos/machine-config.ts';
import { newestTalos } from '../../upstream/tables.ts';
import { cliFailure } from '../failures.ts';
import type { CommandContext } from './command.ts';
import { deliver, readNamed, textOf } from './inputs.ts';

/** Makes a new bundle, or takes the one that a control plane's config holds. A bundle is a cluster's identity: one that is there is never replaced. */
export async function run(context: CommandContext): Promise<number> {
  const { values, world, directory } = context;
  const out = textOf(values, 'out');
  if (out !== undefined && (await world.files.stat(resolve(directory, out))) !== undefined)
    throw new TkError(cliFailure('usage/file-exists', { path: out }));
  const existing = textOf(values, 'from-controlplane-config');
  const bundle =
    existing === undefined
      ? await createSecretsBundle(world, contractOf(textOf(values, 'talos-version') ?? newestTalos))
      : bundleFromControlPlaneConfig(await readNamed(context, existing, '--from-controlplane-config'));
  await deliver(context, renderSecretsBundle(bundle).reveal(), { mode: 0o600 });
  return 0;
}
