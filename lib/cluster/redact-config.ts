/** A value of a machine config with everything taken out that may be a key. Fits into JSON. */
export type ShownValue = string | number | boolean | null | readonly ShownValue[] | { readonly [key: string]: ShownValue };

const redacted = '[redacted]';

/** Fields whose text is a key, in every kind of document: `machine.token`, `issuingCA.key`, `clusterSecret`, `privateKey`, `auth`. */
const secretName = /(?:token|secret|password|passphrase|privatekey|presharedkey|^key|^auth)$/i;
/** What people put into them is theirs, and often a key: `machine.env`, the environment of extension services. */
const ownValues = new Set(['env', 'environment', 'extraEnv']);

const longestText = 200;

/**
 * What may be printed of a value.
 *
 * Shape: `path` leads from the document to the value. Texts of several lines and very long ones are told by their length alone: a
 * file, a manifest or a script may hold a key anywhere.
 */
export function showConfigValue(value: unknown, path: readonly (string | number)[], secrets: readonly string[]): ShownValue {
  const name = [...path].reverse().find((part) => typeof part === 'string') ?? '';
  const isOwn = path.some((part) => typeof part === 'string' && ownValues.has(part));
  if (Array.isArray(value)) return value.map((item: unknown, index) => showConfigValue(item, [...path, index], secrets));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, child]) => child !== undefined);
    return Object.fromEntries(entries.map(([key, child]) => [key, showConfigValue(child, [...path, key], secrets)]));
  }
  if (value === null || value === undefined || value === '') return value === '' ? '' : null;
  if (isOwn) return redacted;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'string') return value as number | boolean;
  if (secretName.test(name) || value.includes('PRIVATE KEY') || secrets.some((secret) => value.includes(secret))) return redacted;
  const lines = value.trimEnd().split('\n').length;
  if (lines > 1) return `[${lines} lines]`;
  if (value.length > longestText) return `[${value.length} characters]`;
  // A token in an address, as SideroLink and log receivers take it.
  return value
    .replace(/^(\w[\w+.-]*:\/\/)[^/@\s]*@/, `$1${redacted}@`)
    .replace(/([?&][\w-]*(?:token|secret|key)=)[^&\s]+/gi, `$1${redacted}`);
}
