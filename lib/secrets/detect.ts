import { type Failure, hasCode, placeOf, type SourceFile } from '../base/index.ts';
import { parseYaml } from '../format/index.ts';
import { secretsFailure } from './failures.ts';
import { ruleFor, type SopsRules } from './rules.ts';
import { isEncrypted } from './sops/cipher.ts';

const telltales: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'an age identity', pattern: /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{40,}/g },
  { what: 'a private key', pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/g },
  // The same header, as base64 keeps it in kubeconfigs and Talos configs.
  { what: 'a private key', pattern: /LS0tLS1CRUdJTi[A-Za-z0-9+/]{0,24}(?:UFJJVkFURSBLRVkt|BSSVZBVEUgS0VZL|QUklWQVRFIEtFWS)/g },
];

/** A variable of Flux or of a template stands for a value that comes from elsewhere. */
const isVariable = (value: string): boolean => /\$\{|\{\{|#\{|<[^>]*>/.test(value);

/**
 * Secrets in plain text in a file that git would take: one failure for each, with its place and without its text.
 *
 * A file counts as meant to be encrypted when its name says so (`.sops.`); a Kubernetes Secret counts when a rule of `.sops.yaml` matches
 * its path; keys count everywhere.
 */
export function plaintextSecrets(file: SourceFile, rules?: SopsRules): Failure[] {
  const failures: Failure[] = [];
  const add = (at: string, start: number): void => {
    const { excerpt: _, ...where } = placeOf({ file, start, end: start + 1 }) as Extract<ReturnType<typeof placeOf>, { kind: 'file' }>;
    failures.push(secretsFailure('secrets/plaintext', { file: file.path, at }, { where }));
  };
  for (const { what, pattern } of telltales) for (const match of file.text.matchAll(pattern)) add(what, match.index);
  if (!/\.ya?ml$/.test(file.path)) return failures;
  const { documents } = parseYaml(file, { confidential: true });
  const isNamedSecret = /[^/]\.sops\.ya?ml$/.test(file.path);
  for (const document of documents) {
    const value = document.value as Readonly<Record<string, unknown>> | null;
    if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.hasOwn(value, 'sops')) continue;
    if (isNamedSecret) add('the whole file', document.source.start);
    else if (value['kind'] === 'Secret' && rules && isMatched(rules, file.path)) {
      for (const field of ['data', 'stringData']) {
        const block = value[field];
        if (typeof block !== 'object' || block === null) continue;
        for (const [key, item] of Object.entries(block))
          if (typeof item === 'string' && item !== '' && !isEncrypted(item) && !isVariable(item))
            add(`${field}.${key}`, document.spanOf([field, key]).start);
      }
    }
  }
  return failures;
}

function isMatched(rules: SopsRules, path: string): boolean {
  try {
    ruleFor(rules, path);
    return true;
  } catch (error) {
    // Meant to be encrypted, with keys that only sops itself can use.
    return !hasCode(error, 'secrets/no-rule');
  }
}
