import type { Redactor } from '../../base/index.ts';
import { cleaned } from './redact-call.ts';

/** Everything else says who asks, or with which key. */
const openHeaders: ReadonlySet<string> = new Set(['accept', 'content-type', 'content-length', 'user-agent', 'location', 'warning', 'etag']);
const secretName = /(?:token|password|passphrase|private_?key|client_?secret|authorization|apikey|api_key)$/i;
/** A copy of the whole object, Secrets among them. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const longestBytes = 1_000_000;

export const redactHeaders = (headers: Readonly<Record<string, string>>, redactor: Redactor): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => openHeaders.has(name.toLowerCase()))
      .map(([name, value]) => [name, cleaned(value, redactor)]),
  );

/** Query values of that kind go; the path stays readable. */
export const redactPath = (path: string, redactor: Redactor): string =>
  cleaned(path, redactor).replace(/([?&][\w-]*(?:token|secret|key|password)=)[^&]+/gi, '$1[redacted]');

/** Texts of one body; watches are a document a line. What is no text, or too long, is told by its length. */
export function redactBody(body: Uint8Array, redactor: Redactor): string {
  if (body.length === 0) return '';
  const text = Buffer.from(body).toString('utf8');
  if (body.length > longestBytes || text.includes('\uFFFD') || text.includes('\0')) return `[${body.length} bytes]`;
  const whole = json(text);
  if (whole !== undefined) return cleaned(JSON.stringify(withoutSecrets(whole)), redactor);
  const lines = text.split('\n').map((line) => {
    const document = line.trim() === '' ? undefined : json(line);
    return document === undefined ? line : JSON.stringify(withoutSecrets(document));
  });
  // A manifest in YAML: a Secret among its documents is not taken apart.
  if (/^\s*kind:\s*["']?Secret\b/m.test(text)) return `[redacted ${body.length} bytes]`;
  return cleaned(lines.join('\n'), redactor);
}

function json(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

type Tree = Readonly<Record<string, unknown>>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** By structure: the data of every Secret (releases of Helm are Secrets too), and fields that are called after keys. */
export function withoutSecrets(value: unknown, isInSecretList = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, isInSecretList));
  if (!isTree(value)) return value;
  const isSecret = value['kind'] === 'Secret' || (isInSecretList && isTree(value['metadata']));
  const isSecretList = value['kind'] === 'SecretList';
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      if (isSecret && (key === 'data' || key === 'stringData') && isTree(part))
        return [key, Object.fromEntries(Object.keys(part).map((name) => [name, 'cmVkYWN0ZWQ=']))];
      if (key === lastApplied) return [key, '[redacted]'];
      if (typeof part === 'string' && part !== '' && secretName.test(key)) return [key, '[redacted]'];
      return [key, withoutSecrets(part, key === 'items' && isSecretList)];
    }),
  );
}
