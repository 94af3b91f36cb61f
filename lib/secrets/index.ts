export { type AgeIdentity, isIdentity, isRecipient, newIdentity, parseIdentities, recipientOf } from './age.ts';
export { secretsFailure, type SecretsFailures } from './failures.ts';
export { findIdentities, type KeyRing, type KeySearch } from './key-ring.ts';
export { type CreationRule, type ParsedRules, parseSopsRules, ruleFor, type SopsRules } from './rules.ts';
export { createSecretStore, type SecretStore, type SecretStoreOptions } from './store.ts';
export { openSops, plainTextOf, type OpenedFile, sealSops, type Sealing, type SopsPorts } from './sops/file.ts';
export { formatOf, type SopsFormat } from './sops/formats.ts';
export { plaintextSecrets } from './detect.ts';
export { synthesize, type Synthesis } from './synthesize.ts';
