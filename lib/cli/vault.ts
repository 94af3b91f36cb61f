import type { World } from '../base/index.ts';
import type { Vault } from '../cluster/index.ts';
import { createRepositoryVault, findIdentities } from '../secrets/index.ts';

/**
 * The repository's encrypted files, bound to the keys that this machine has. The keys are looked for when the first is needed.
 * `rewriteRules` changes a `.sops.yaml` before it is gone by: the sandbox puts its own recipient in.
 */
export function createVault(world: World, root: string, rewriteRules?: (rules: string) => string): Vault {
  const { files, random, clock, env, exec } = world;
  const seen =
    rewriteRules === undefined
      ? files
      : {
          readText: async (path: string) => {
            const text = await files.readText(path);
            return text !== undefined && path.endsWith('/.sops.yaml') ? rewriteRules(text) : text;
          },
        };
  const vault = createRepositoryVault({
    files: seen,
    random,
    clock,
    root,
    keys: () => findIdentities({ files, env, exec, repository: root }),
  });
  if (rewriteRules === undefined) return vault;
  return {
    ...vault,
    encrypt: (path, plain, options = {}) =>
      vault.encrypt(path, plain, {
        ...options,
        ...(options.rules ? { rules: { ...options.rules, text: rewriteRules(options.rules.text) } } : {}),
      }),
  };
}
