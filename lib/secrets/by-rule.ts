import { hasCode, type Secret, type SourceFile } from '../base/index.ts';
import type { KeyRing } from './key-ring.ts';
import { ruleFor, type SopsRules } from './rules.ts';
import { openSops, type OpenedFile, sealSops, type SopsPorts } from './sops/file.ts';

/** Undefined where the file is not ours to open, or not encrypted at all; what is damaged still fails. */
export async function openedOrNothing(file: SourceFile, ring: KeyRing, ports: SopsPorts): Promise<OpenedFile | undefined> {
  try {
    return await openSops(file, ring, ports);
  } catch (error) {
    if (hasCode(error, 'secrets/no-key', 'secrets/wrong-key', 'secrets/not-encrypted', 'secrets/unsupported-key', 'secrets/unreadable'))
      return undefined;
    throw error;
  }
}

/** Encrypts for the recipients of the rule that the path matches; values that `previous` holds too keep their ciphertext. */
export async function sealByRule(
  path: string,
  text: Secret<string>,
  rules: SopsRules,
  previous: OpenedFile | undefined,
  ports: SopsPorts,
): Promise<string> {
  const rule = ruleFor(rules, path);
  // Somebody who may no longer read the file knows its data key.
  const lostReaders = previous?.metadata.age.some(({ recipient }) => !rule.recipients.includes(recipient)) ?? false;
  return sealSops({ path, text, rule, previous: lostReaders ? undefined : previous }, ports, { indents: rules.indents });
}
