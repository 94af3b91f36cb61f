import { isObj, type Obj, type Value } from '../kube/value.ts';

const variable =
  /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(?::=|:-|=|-)(?<fallback>[^{}]*)|(?<cut>\/\/?)(?<old>[^/{}]*)(?:\/(?<by>[^{}]*))?|(?<letters>\^\^?|,,?))?\})/g;

/**
 * `${NAME}`, `${NAME:=default}`, `${NAME/old/new}`, `${NAME//old/new}`, `${NAME^^}` and its kin, `$${kept}`. A name without a value
 * becomes empty. Source: fluxcd/pkg/envsubst
 */
export function substituteText(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(variable, (match, name: string | undefined, ...rest) => {
    if (match === '$$') return '$';
    const { fallback, cut, old, by, letters } = rest.at(-1) as Readonly<Record<string, string | undefined>>;
    const value = values[name as string] || (fallback ?? '');
    if (cut !== undefined) return cut === '//' ? value.replaceAll(old ?? '', () => by ?? '') : value.replace(old ?? '', () => by ?? '');
    switch (letters) {
      case '^^':
        return value.toUpperCase();
      case ',,':
        return value.toLowerCase();
      case '^':
        return value.slice(0, 1).toUpperCase() + value.slice(1);
      case ',':
        return value.slice(0, 1).toLowerCase() + value.slice(1);
      default:
        return value;
    }
  });
}

/** The whole object, unless it opted out. Keys stay. */
export function substituteObject(object: Obj, values: Readonly<Record<string, string>>): Obj {
  const walk = (value: Value): Value => {
    if (typeof value === 'string') return value.includes('$') ? retyped(value, substituteText(value, values)) : value;
    if (Array.isArray(value)) return value.map(walk);
    return isObj(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)])) : value;
  };
  return walk(object) as Obj;
}

/** Substitution happens in the YAML text, so a value that was only a variable takes the type of what it became. */
function retyped(before: string, after: string): Value {
  if (!/^\$\{[^}]*\}$/.test(before)) return after;
  if (/^-?(0|[1-9]\d*)$/.test(after)) return Number(after);
  return after === 'true' ? true : after === 'false' ? false : after;
}
