import { resolve } from 'node:path';
import { hasCode, Secret } from '../../base/index.ts';
import { createSecretStore, findIdentities, formatOf, type SecretStore } from '../../secrets/index.ts';
import type { CommandContext } from './command.ts';
import { deliver, readNamed, requiredText, rootOrFolder, textOf } from './inputs.ts';

const ownerOnly = 0o600;

/** Rules are looked for from the current folder upwards, then from the file's. Failure: `secrets/*`. */
export async function encrypt(context: CommandContext): Promise<number> {
  const file = await readNamed(context, requiredText(context.values, 'file'), 'FILE');
  const store = storeOf(context);
  const encrypted = await sealed(store, context, resolve(context.directory, file.path), new Secret(file.text));
  await deliver(context, encrypted);
  return 0;
}

/** Prints nothing unless the whole file is what was encrypted. Failure: `secrets/*`. */
export async function decrypt(context: CommandContext): Promise<number> {
  const file = await readNamed(context, requiredText(context.values, 'file'), 'FILE');
  const plain = await storeOf(context).decryptText({ path: resolve(context.directory, file.path), text: file.text });
  await deliver(context, plain.reveal(), { mode: ownerOnly });
  return 0;
}

/** By the rule for where the result will lie, so that what did not change keeps its ciphertext there; else by the rule for the input. */
async function sealed(store: SecretStore, context: CommandContext, path: string, plain: Secret<string>): Promise<string> {
  const out = textOf(context.values, 'out');
  const target = out === undefined ? path : resolve(context.directory, out);
  if (target === path || formatOf(target) !== formatOf(path)) return store.encrypt(path, plain);
  try {
    return await store.encrypt(target, plain);
  } catch (error) {
    if (hasCode(error, 'secrets/no-rule')) return store.encrypt(path, plain);
    throw error;
  }
}

function storeOf(context: CommandContext): SecretStore {
  const { files, random, clock, env, exec } = context.world;
  const { directory, signal } = context;
  return createSecretStore({
    files,
    random,
    clock,
    repository: directory,
    keys: async () => findIdentities({ files, env, exec, repository: await rootOrFolder(context), signal }),
  });
}
