import { posix } from 'node:path';
import { type Env, type Exec, type Files, Secret, TkError } from '../base/index.ts';
import { parseIdentities } from './age.ts';
import { secretsFailure } from './failures.ts';

/** Identities that were found, and every place that was looked into, for the message when none fits. */
export interface KeyRing {
  readonly identities: readonly Secret<string>[];
  readonly searched: readonly string[];
}

export interface KeySearch {
  readonly env: Env;
  readonly files: Pick<Files, 'readText'>;
  readonly exec: Exec;
  /** Absolute; its `age.key` is looked at last. Absent: there is none. */
  readonly repository?: string;
  readonly signal?: AbortSignal;
}

const commandTimeoutMs = 60_000;

/**
 * Looks for age identities where sops does, then in the repository's `age.key`.
 *
 * Failure: `secrets/key-file`, `secrets/key-command` for a place that was named and cannot be used.
 * Source: getsops/sops age/keysource.go `loadIdentities`
 */
export async function findIdentities(search: KeySearch): Promise<KeyRing> {
  const { env, files } = search;
  const identities: Secret<string>[] = [];
  const searched: string[] = [];
  const inline = env.get('SOPS_AGE_KEY');
  searched.push('SOPS_AGE_KEY');
  if (inline) identities.push(...parseIdentities(new Secret(inline), 'SOPS_AGE_KEY'));
  const file = env.get('SOPS_AGE_KEY_FILE');
  searched.push(file ?? 'SOPS_AGE_KEY_FILE');
  if (file) identities.push(...(await fromFile(files, absolute(file, search.repository), true)));
  const command = env.get('SOPS_AGE_KEY_CMD');
  searched.push('SOPS_AGE_KEY_CMD');
  if (command) identities.push(...(await fromCommand(search, command)));
  for (const path of [userKeyFile(env), search.repository === undefined ? undefined : posix.join(search.repository, 'age.key')]) {
    if (path === undefined) continue;
    searched.push(path);
    identities.push(...(await fromFile(files, path, false)));
  }
  const unique = new Map(identities.map((identity) => [identity.reveal(), identity]));
  return { identities: [...unique.values()], searched };
}

const absolute = (path: string, repository: string | undefined): string =>
  posix.isAbsolute(path) || repository === undefined ? path : posix.join(repository, path);

function userKeyFile(env: Env): string | undefined {
  const xdg = env.get('XDG_CONFIG_HOME');
  if (env.platform === 'win32') {
    const roaming = env.get('AppData');
    return roaming === undefined ? undefined : posix.join(roaming, 'sops/age/keys.txt');
  }
  if (env.platform === 'darwin' && !xdg) return posix.join(env.home, 'Library/Application Support', 'sops/age/keys.txt');
  return posix.join(xdg || posix.join(env.home, '.config'), 'sops/age/keys.txt');
}

async function fromFile(files: KeySearch['files'], path: string, isNamed: boolean): Promise<readonly Secret<string>[]> {
  const text = await files.readText(path);
  if (text !== undefined) return parseIdentities(new Secret(text), path);
  if (isNamed) throw new TkError(secretsFailure('secrets/key-file', { path, problem: 'unreadable' }));
  return [];
}

async function fromCommand(search: KeySearch, command: string): Promise<readonly Secret<string>[]> {
  const [program, ...args] = splitWords(command);
  if (program === undefined) throw new TkError(secretsFailure('secrets/key-command', { command, exitCode: 127 }));
  const result = await search.exec.run([program, ...args], {
    timeoutMs: commandTimeoutMs,
    ...(search.signal ? { signal: search.signal } : {}),
  });
  if (result.exitCode !== 0) throw new TkError(secretsFailure('secrets/key-command', { command: program, exitCode: result.exitCode }));
  return parseIdentities(new Secret(new TextDecoder().decode(result.stdout)), 'SOPS_AGE_KEY_CMD');
}

/** Words as a shell sees them, without expansion. */
function splitWords(command: string): string[] {
  const words: string[] = [];
  for (const match of command.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g)) {
    words.push(
      match[0].replace(
        /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g,
        (_, single, double, escaped) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped,
      ),
    );
  }
  return words;
}
