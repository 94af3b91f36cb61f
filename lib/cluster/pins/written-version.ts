import { versionOf } from '../../format/index.ts';

/** A version as somebody wrote it, replaced by another: without a `v` where there was none. */
export const inTheSameStyle = (written: string, version: string): string => (written.startsWith('v') ? version : version.replace(/^v/, ''));

/** Whether the text is one version and nothing else. */
export const isVersion = (text: string): boolean => versionOf(text) !== undefined;

export const isSameVersion = (written: string, version: string): boolean => versionOf(written)?.text === version;

/**
 * The value of a flat `name: value` or `name=value` line, as talenv files hold it; the last one wins. Undefined: no such line.
 * Source: joho/godotenv
 */
export function envLine(
  text: string,
  name: string,
): { readonly line: number; readonly value: string; readonly start: number; readonly end: number } | undefined {
  let offset = 0;
  let found: { line: number; value: string; start: number; end: number } | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const match = /^(\s*(?:export\s+)?([A-Za-z0-9_.]+)\s*[:=]\s*)(?:"([^"]*)"|'([^']*)'|([^\s#][^#\r]*?))?(?:\s+#.*)?\s*$/.exec(raw);
    if (match && match[2] === name) {
      const value = match[3] ?? match[4] ?? match[5] ?? '';
      const start = offset + (match[1]?.length ?? 0) + (match[5] === undefined ? 1 : 0);
      found = { line: index + 1, value, start, end: start + value.length };
    }
    offset += raw.length + 1;
  }
  return found;
}

/** One variable, alone or behind a `v`: `${kubernetesVersion}`, `v$KUBE_VERSION`, `${X:-v1.36.3}`. */
export function variableIn(written: string): { readonly name: string; readonly prefix: '' | 'v'; readonly fallback?: string } | undefined {
  const [, prefix = '', braced, fallback, bare] =
    /^(v?)\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^}$]*))?\}|([A-Za-z_][A-Za-z0-9_]*))$/.exec(written.trim()) ?? [];
  const name = braced ?? bare;
  if (name === undefined) return undefined;
  return { name, prefix: prefix === 'v' ? 'v' : '', ...(fallback === undefined ? {} : { fallback }) };
}
