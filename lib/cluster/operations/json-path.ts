/** One step from a value to values below it. */
type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'item'; readonly index: number }
  | { readonly kind: 'every' }
  | { readonly kind: 'where'; readonly path: readonly Step[]; readonly equals: string };

const pattern = /\.([\w-]+)|\['([^']+)'\]|\[(-?\d+)\]|\[(?:\*|\d*:\d*)\]|\[\?\(@((?:\.[\w-]+)+)\s*==\s*["']([^"']*)["']\)\]/gy;

/**
 * What a column of a table shows of a value, by a path as Talos's resource definitions write them: `{.status.ready}`,
 * `{.endpoints[*].host}`, `{.conditions[?(@.type=="Ready")].status}`, `{@}`. What is not there is empty; several values are joined
 * with a space. Lists and maps are JSON.
 *
 * Failure: undefined for a path that is none of these.
 * Source: client-go util/jsonpath, with missing keys allowed
 */
export function evaluateJsonPath(path: string, value: unknown): string | undefined {
  const inner = /^\{([^{}]*)\}$/.exec(path.trim())?.[1]?.trim();
  const steps = inner === undefined ? undefined : stepsOf(inner);
  return steps && valuesAt(steps, value).map(shown).join(' ');
}

function stepsOf(text: string): readonly Step[] | undefined {
  const rest = text.replace(/^[@$]/, '');
  const steps: Step[] = [];
  pattern.lastIndex = 0;
  let end = 0;
  for (let match = pattern.exec(rest); match; match = pattern.exec(rest)) {
    const [, name = match[2], , index, where, equals = ''] = match;
    if (name !== undefined) steps.push({ kind: 'field', name });
    else if (index !== undefined) steps.push({ kind: 'item', index: Number(index) });
    else if (where !== undefined) steps.push({ kind: 'where', path: stepsOf(where) ?? [], equals });
    else steps.push({ kind: 'every' });
    end = pattern.lastIndex;
  }
  return end === rest.length ? steps : undefined;
}

function valuesAt(steps: readonly Step[], value: unknown): readonly unknown[] {
  const [step, ...rest] = steps;
  if (step === undefined) return value === undefined ? [] : [value];
  switch (step.kind) {
    case 'field': {
      const isOwn = typeof value === 'object' && value !== null && Object.hasOwn(value, step.name);
      return isOwn ? valuesAt(rest, (value as Readonly<Record<string, unknown>>)[step.name]) : [];
    }
    case 'item':
      return Array.isArray(value) ? valuesAt(rest, value.at(step.index)) : [];
    case 'every':
      return itemsOf(value).flatMap((item) => valuesAt(rest, item));
    case 'where':
      return itemsOf(value).flatMap((item) => (valuesAt(step.path, item).map(shown).includes(step.equals) ? valuesAt(rest, item) : []));
    default:
      return step satisfies never;
  }
}

const itemsOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as unknown[]) : typeof value === 'object' && value !== null ? Object.values(value) : [];

function shown(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'object'
    ? JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? Number(item) : item))
    : String(value);
}
