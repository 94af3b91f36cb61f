import { join } from 'node:path';
import { findRepository } from '../../config/index.ts';
import { createImageFactory, type FactoryAddress, type ImageFactory } from '../../talos/machine-config.ts';
import type { CommandContext } from './command.ts';
import { placeOf, rootOrFolder } from './inputs.ts';

/** The image factory; with --sim that of the sandbox, so that nothing real is dialled. Failure: `factory/*`. */
export async function withFactory<T>(
  context: CommandContext,
  address: FactoryAddress,
  use: (factory: ImageFactory) => Promise<T>,
): Promise<T> {
  const { world } = context;
  if (!context.isSandbox)
    return use(createImageFactory({ ...world, cacheDirectory: join(await rootOrFolder(context), '.tk/cache') }, address));
  const repository = await findRepository(world.files, context.directory, placeOf(context));
  const { openSandboxWorld } = await import('../sandbox/open.ts');
  const sandbox = await openSandboxWorld({ world, repository });
  try {
    return await use(createImageFactory({ ...sandbox.world, cacheDirectory: join(repository.root, '.tk/sim/cache') }, address));
  } finally {
    await sandbox.close();
  }
}
