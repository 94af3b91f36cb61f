import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TkError } from '../base/index.ts';
import { type Settings, settingsSchema } from '../cluster/index.ts';
import type { Repository } from '../config/index.ts';
import { cliFailure } from './failures.ts';
import { loadReason } from './tasks/user.ts';

/**
 * Reads `tasks.config.ts`. A repository without one has the defaults.
 *
 * Failure: `usage/config-file` when it does not load, has no default export, or says something that there is not.
 */
export async function loadSettings({ root, tasksConfig }: Repository): Promise<Settings> {
  if (tasksConfig === undefined) return {};
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(join(root, tasksConfig)).href)) as { readonly default?: unknown }).default;
  } catch (error) {
    throw new TkError(cliFailure('usage/config-file', { path: tasksConfig, reason: loadReason(error) }));
  }
  const parsed = settingsSchema.safeParse(exported);
  if (parsed.success) return parsed.data;
  const [first, ...rest] = parsed.error.issues.map((issue) => {
    const at = issue.path.length > 0 ? `${issue.path.join('.')}: ` : exported === undefined ? 'it has no default export: ' : '';
    return cliFailure('usage/config-file', { path: tasksConfig, reason: `${at}${issue.message}` });
  });
  throw new TkError(first as NonNullable<typeof first>, ...rest);
}
