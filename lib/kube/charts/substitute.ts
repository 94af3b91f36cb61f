/** A `${…}` that cannot be understood. */
export class SubstitutionError extends Error {}

/**
 * Puts variables in as Flux's `postBuild` does.
 *
 * Shape: `${name}`, `${name:-default}`, `${name-default}`, `${name:=default}`, `${name=default}`, `${name:?}`, `${#name}`, `${name^}` `^^` `,` `,,`,
 * `${name:2}`, `${name:2:3}`, `${name#prefix}` `##` `%` `%%`, `${name/old/new}` `//` `/#` `/%`; `$$` is one `$`. Unknown variables are empty. Defaults may
 * hold variables themselves.
 * Failure: `SubstitutionError`.
 * Source: fluxcd/pkg/envsubst, which follows drone/envsubst.
 */
export function substitute(text: string, variables: Readonly<Record<string, string>>): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1) return out + text.slice(at);
    out += text.slice(at, dollar);
    if (text[dollar + 1] === '$') {
      out += '$';
      at = dollar + 2;
    } else if (text[dollar + 1] === '{') {
      const end = closing(text, dollar + 2);
      out += expand(text.slice(dollar + 2, end), variables);
      at = end + 1;
    } else {
      out += '$';
      at = dollar + 1;
    }
  }
  return out;
}

function closing(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('${', at)) depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  throw new SubstitutionError(`\${${text.slice(from, from + 24)} is not closed`);
}

function expand(body: string, variables: Readonly<Record<string, string>>): string {
  const [, length = '', name = '', rest = ''] = /^(#?)([A-Za-z_]\w*)(.*)$/s.exec(body) ?? [];
  if (name === '') throw new SubstitutionError(`\${${body}} names no variable`);
  const value = variables[name];
  if (length !== '') return String((value ?? '').length);
  if (rest === '') return value ?? '';
  const inner = (text: string) => substitute(text, variables);
  const [, operator = '', argument = ''] = /^(:-|:=|:\?|:|-|=|\?|\^\^?|,,?|##?|%%?|\/\/|\/#|\/%|\/)(.*)$/s.exec(rest) ?? [];
  switch (operator) {
    case ':-':
    case ':=':
      return value === undefined || value === '' ? inner(argument) : value;
    case '-':
    case '=':
      return value ?? inner(argument);
    case ':?':
    case '?':
      return value ?? '';
    case '^':
      return (value ?? '').replace(/^./su, (first) => first.toUpperCase());
    case '^^':
      return (value ?? '').toUpperCase();
    case ',':
      return (value ?? '').replace(/^./su, (first) => first.toLowerCase());
    case ',,':
      return (value ?? '').toLowerCase();
    case ':': {
      const [start, count] = inner(argument).split(':').map(Number);
      if (start === undefined || Number.isNaN(start) || Number.isNaN(count)) throw new SubstitutionError(`\${${body}} has no position`);
      const from = start < 0 ? Math.max(0, (value ?? '').length + start) : start;
      return (value ?? '').slice(from, count === undefined ? undefined : from + count);
    }
    case '#':
    case '##':
      return trimStart(value ?? '', inner(argument), operator === '##');
    case '%':
    case '%%':
      return reverse(trimStart(reverse(value ?? ''), reverse(inner(argument)), operator === '%%'));
    case '/':
    case '//':
    case '/#':
    case '/%': {
      const [old = '', by = ''] = argument.split('/').map(inner);
      const from = value ?? '';
      if (operator === '//') return from.replaceAll(old, by);
      if (operator === '/#') return from.startsWith(old) ? by + from.slice(old.length) : from;
      if (operator === '/%') return from.endsWith(old) ? from.slice(0, from.length - old.length) + by : from;
      return from.replace(old, () => by);
    }
    default:
      throw new SubstitutionError(`\${${body}} is not understood`);
  }
}

const reverse = (text: string): string => [...text].reverse().join('');

/** Shell patterns: `*` and `?`; the shortest match, or the longest. */
function trimStart(value: string, pattern: string, isLongest: boolean): string {
  const source = [...pattern]
    .map((char) => (char === '*' ? (isLongest ? '.*' : '.*?') : char === '?' ? '.' : char.replace(/[\\^$.|+()[\]{}]/, '\\$&')))
    .join('');
  return value.replace(new RegExp(`^(?:${source})`, 's'), '');
}
