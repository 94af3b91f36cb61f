import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Files } from '../../base/index.ts';
import { findRepository } from '../../config/find.ts';

/** The root of this package: the checkout, or where it was installed. */
export const packageRoot = join(import.meta.dirname, '../../../..');

/** In our own checkout the built-in tasks are the repository's tasks, and are not loaded a second time from their sources. */
export function isOwnCheckout(root: string): boolean {
  try {
    return realpathSync(root) === realpathSync(packageRoot);
  } catch {
    return false;
  }
}

/** The repository that a list is about; undefined when there is none, or none that is right. A list does not fail for that. */
export async function repositoryRoot(files: Files, directory: string | undefined, talconfig?: string): Promise<string | undefined> {
  try {
    const { root } = await findRepository(files, resolve(directory ?? '.'), {
      exactly: directory !== undefined,
      ...(talconfig === undefined ? {} : { talconfig: resolve(directory ?? '.', talconfig) }),
    });
    return root;
  } catch {
    return undefined;
  }
}
