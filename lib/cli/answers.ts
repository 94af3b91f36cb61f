import { resolve } from 'node:path';
import { type Env, throwIfAny, TkError, type World } from '../base/index.ts';
import type { Answers } from '../core/index.ts';
import { cliFailure } from './failures.ts';

export interface AnswerSources {
  readonly world: World;
  /** `--answers`, as typed; relative to `directory`. */
  readonly file: string | undefined;
  readonly directory: string;
  /** `answers` of tasks.config.ts. */
  readonly settings: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Answers that were given before the question, the nearest to the command first: the environment (`TK_ANSWER_NODE`), the file of
 * `--answers`, the settings.
 *
 * Failure: `usage/file-missing`, `usage/bad-value`, `format/*`.
 */
export async function loadAnswers({ world, file, directory, settings }: AnswerSources): Promise<Answers> {
  const { firstAnswer } = await import('../core/index.ts');
  const sources: Answers[] = [fromEnvironment(world.env)];
  if (file !== undefined) sources.push(ofRecord(await readAnswers(world, resolve(directory, file), file), file));
  if (settings !== undefined) sources.push(ofRecord(settings, 'tasks.config.ts'));
  return firstAnswer(...sources);
}

const fromEnvironment =
  (env: Env): Answers =>
  (name) => {
    const variable = `TK_ANSWER_${name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`;
    const value = env.get(variable);
    return value === undefined ? undefined : { value, from: variable };
  };

/** Keys may be written `node-name`, `node_name` or `nodeName`. */
function ofRecord(record: Readonly<Record<string, unknown>>, from: string): Answers {
  const squeezed = (key: string) => key.replaceAll(/[-_]/g, '').toLowerCase();
  const byName = new Map(Object.entries(record).map(([key, value]) => [squeezed(key), value]));
  return (name) => (byName.has(squeezed(name)) ? { value: byName.get(squeezed(name)), from } : undefined);
}

async function readAnswers(world: World, path: string, shown: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await world.files.readText(path);
  if (text === undefined) throw new TkError(cliFailure('usage/file-missing', { path: shown, argument: '--answers' }));
  const { parseYaml } = await import('../format/index.ts');
  const { documents, failures } = parseYaml({ path: shown, text }, { confidential: true });
  throwIfAny(failures);
  const value = documents[0]?.value ?? {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new TkError(cliFailure('usage/bad-value', { flag: '--answers', value: shown, expected: 'a file of `name: answer` lines' }));
  return value as Readonly<Record<string, unknown>>;
}
