import { isAtLeastMinor } from '../minor.ts';
import { type GoUrl, isAddress, isPrefix, parseGoUrl } from '../../../format/index.ts';
import { bytesOf } from '../scalars.ts';
import type { ExpressionSubject, TalosMinor } from '../../../upstream/tables.ts';
import { selectorError } from '../cel/selector.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from '../value.ts';

export interface RuleContext {
  readonly isControlPlane: boolean;
  readonly minor: TalosMinor;
}

/** Sentences of the node, in its order; empty when the document is valid. */
export type Rule = (value: ConfigMap, context: RuleContext) => readonly string[];

export const text = (value: ConfigValue | undefined): string => (typeof value === 'string' ? value : '');
export const number = (value: ConfigValue | undefined): number =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
export const map = (value: ConfigValue | undefined): ConfigMap => (isConfigMap(value) ? value : {});
export const maps = (value: ConfigValue | undefined): ConfigMap[] =>
  Array.isArray(value) ? value.filter((item) => isConfigMap(item)) : [];
/** Elements of a list of texts; an empty one is an element too. */
export const texts = (value: ConfigValue | undefined): string[] => (Array.isArray(value) ? value.map(text) : []);
export const count = (value: ConfigValue | undefined): number => (Array.isArray(value) ? value.length : 0);
export const isEmpty = (value: ConfigValue | undefined): boolean => !isConfigMap(value) || Object.keys(value).length === 0;
/** Go's %q. */
export const quoted = (one: string): string => JSON.stringify(one);
export const since = (context: RuleContext, minor: TalosMinor): boolean => isAtLeastMinor(context.minor, minor);

/** `then` where the condition holds. */
export const when = (condition: boolean, ...sentences: string[]): string[] => (condition ? sentences : []);

export const named = (value: ConfigMap, sentence = 'name must be specified'): string[] => when(text(value['name']) === '', sentence);

/** Whether nothing of a section says anything: upstream compares with the empty struct. */
export function saysNothing(value: ConfigValue | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isConfigMap(value) && Object.values(value).every(saysNothing);
}

const unitSeconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };

/** Of a duration as Go writes it; nothing is zero. */
export function seconds(value: ConfigValue | undefined): number {
  const written = text(value);
  let total = 0;
  for (const [, amount, unit] of written.matchAll(/([\d.]+)(h|ms|us|µs|ns|m|s)/g)) total += Number(amount) * (unitSeconds[unit ?? ''] ?? 0);
  return written.startsWith('-') ? -total : total;
}

/** Of a size; negative ones keep their sign. */
export const sizeOf = (written: string): number => (written.startsWith('-') ? -1 : 1) * (bytesOf(written.replace(/^-/, '')) ?? 0);

/** What the node says of an expression that is there. */
export function badExpression(sentence: string, expression: string, subject: ExpressionSubject, { minor }: RuleContext): string[] {
  const wrong = expression === '' ? undefined : selectorError(expression, subject, minor);
  return when(wrong !== undefined, `${sentence}: ${wrong}`);
}

/** Source: siderolabs/net ParseSubnetOrAddress */
export const isSubnetOrAddress = (one: string): boolean => isPrefix(one) || isAddress(one);

/** The parts of a URL that has been read already; nothing of one that is none. */
export function urlParts(text: string): GoUrl {
  const url = parseGoUrl(text);
  return 'error' in url ? { scheme: '', host: '', hostname: '', port: '', path: '' } : url;
}
