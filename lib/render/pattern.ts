import { remembered } from '../base/index.ts';

/**
 * Whether a path ends with what a shell pattern describes, component by component, as Python's `PurePath.match` does:
 * `*.partial.yaml.j2` matches in any folder, `a/*.j2` in folders named `a`.
 */
export function matchesPattern(path: string, pattern: string): boolean {
  const wanted = pattern.split('/').filter((part) => part !== '' && part !== '.');
  const parts = path.split('/').filter((part) => part !== '');
  if (wanted.length === 0 || wanted.length > parts.length) return false;
  if (pattern.startsWith('/') && wanted.length !== parts.length) return false;
  const tail = parts.slice(-wanted.length);
  return wanted.every((part, index) => componentPattern(part).test(tail[index] ?? ''));
}

/** A tree of a hundred templates asks for the same few patterns hundreds of times. */
const componentPattern = remembered(
  (pattern: string): RegExp => {
    let source = '';
    for (let index = 0; index < pattern.length; index += 1) {
      const character = pattern[index] ?? '';
      const close = character === '[' ? pattern.indexOf(']', index + 2) : -1;
      if (character === '*') source += '.*';
      else if (character === '?') source += '.';
      else if (close > 0) {
        source += `[${pattern
          .slice(index + 1, close)
          .replace(/^!/, '^')
          .replace(/\\/g, '\\\\')}]`;
        index = close;
      } else source += character.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    }
    return new RegExp(`^${source}$`, 's');
  },
  { keyOf: (pattern) => pattern, limit: 256 },
);
