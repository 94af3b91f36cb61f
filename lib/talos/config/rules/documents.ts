import { kubernetesRules } from './kubernetes.ts';
import { networkRules } from './network.ts';
import type { Rule } from './rule.ts';
import { runtimeRules } from './runtime.ts';
import { storageRules } from './storage.ts';

/** What a node says of a document by itself. */
export const documentRules: Readonly<Record<string, Rule>> = { ...networkRules, ...storageRules, ...kubernetesRules, ...runtimeRules };
