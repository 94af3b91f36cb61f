import { isObj, type Obj, type Value } from '../kube/value.ts';

const variable = /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:=|:-|=|-)([^{}]*))?\})/g;

/** `${NAME}`, `${NAME:=default}`, `$${kept}`. A name without a value becomes empty. Source: fluxcd/pkg/envsubst */
export function substituteText(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(variable, (match, name: string | undefined, _operator: string | undefined, fallback: string | undefined) => {
    if (match === '$$') return '$';
    return values[name as string] || (fallback ?? '');
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
