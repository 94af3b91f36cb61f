import { type ConfigMap } from '../value.ts';
import { quoted, text } from './rule.ts';

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const subdomain = new RegExp(`^${label}(?:\\.${label})*$`);
const name = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const reserved = ['talos.dev/owned-annotations', 'talos.dev/owned-labels', 'talos.dev/owned-taints'];

/** Source: pkg/machinery/labels ValidateDNS1123Subdomain */
export function subdomainError(value: string): string | undefined {
  if (value.length > 253) return `domain name length exceeds limit of 253: ${quoted(value)}`;
  return subdomain.test(value) ? undefined : `domain doesn't match required format: ${quoted(value)}`;
}

/** Source: pkg/machinery/labels ValidateQualifiedName */
export function qualifiedNameError(value: string): string | undefined {
  const parts = value.split('/');
  if (parts.length > 2) return `invalid format: too many slashes: ${quoted(value)}`;
  const own = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') return `prefix cannot be empty: ${quoted(value)}`;
    const wrong = subdomainError(prefix);
    if (wrong) return `prefix ${quoted(prefix)} is invalid: ${wrong}`;
  }
  if (own === '') return `name cannot be empty: ${quoted(value)}`;
  if (own.length > 63) return `name is too long: ${quoted(value)} (limit is 63)`;
  return name.test(own) ? undefined : `name ${quoted(own)} is invalid`;
}

function valueError(value: string): string | undefined {
  if (value.length > 63) return `label value length exceeds limit of 63: ${quoted(value)}`;
  return value === '' || name.test(value) ? undefined : `label value ${quoted(value)} is invalid`;
}

const sorted = (entries: ConfigMap) => Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1));
const found = (sentences: readonly (string | undefined)[]): string[] => sentences.filter((one) => one !== undefined);

/** Source: pkg/machinery/labels Validate */
export const labelErrors = (labels: ConfigMap): string[] =>
  found(sorted(labels).flatMap(([key, value]) => [qualifiedNameError(key), valueError(text(value))]));

/** Source: pkg/machinery/labels ValidateAnnotations */
export function annotationErrors(annotations: ConfigMap): string[] {
  const entries = sorted(annotations);
  const size = entries.reduce((sum, [key, value]) => sum + key.length + text(value).length, 0);
  return found([
    ...entries.flatMap(([key]) => [qualifiedNameError(key), reserved.includes(key) ? `annotation ${quoted(key)} is reserved` : undefined]),
    size > 262_144 ? 'total annotation size exceeds limit of 262144 bytes' : undefined,
  ]);
}

/** Source: pkg/machinery/labels ValidateTaints */
export const taintErrors = (taints: ConfigMap): string[] =>
  found(
    sorted(taints).map(([key, taint]) => {
      const wrong = qualifiedNameError(key);
      if (wrong) return wrong;
      const written = text(taint);
      const at = written.indexOf(':');
      const effect = at === -1 ? written : written.slice(at + 1);
      if (!effects.includes(effect)) return `invalid taint effect: ${quoted(effect)}`;
      return at === -1 ? undefined : valueError(written.slice(0, at));
    }),
  );

/** A list within a sentence of the node's list. Source: hashicorp/go-multierror ListFormatFunc */
export function nestedList(head: string, sentences: readonly string[]): string[] {
  if (sentences.length === 0) return [];
  const counted = sentences.length === 1 ? '1 error occurred:' : `${sentences.length} errors occurred:`;
  return [`${head}: ${counted}\n\t${sentences.map((one) => `* ${one}`).join('\n\t')}\n\n`];
}
