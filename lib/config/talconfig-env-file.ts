import { type Failure, type SourceFile } from '../base/index.ts';
import { talconfigFailure } from './talconfig-failures.ts';

/**
 * Reads a talenv file: flat `name: value` or `name=value` lines, by the rules of dotenv. A line that is none of it is a failure, where
 * talhelper would quietly load nothing at all.
 *
 * Source: joho/godotenv
 */
export function parseEnvFile(file: SourceFile): {
  readonly variables: Readonly<Record<string, string>>;
  readonly failures: readonly Failure[];
} {
  const variables: Record<string, string> = {};
  const failures: Failure[] = [];
  const lines = file.text.replace(/^\uFEFF/, '').split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').replace(/\r$/, '');
    if (/^\s*(?:#.*)?$/.test(line) || /^---\s*$/.test(line)) continue;
    const [, name = '', rest = ''] = /^\s*(?:export\s+)?([A-Za-z0-9_.]+)\s*[:=]\s*(.*)$/.exec(line) ?? [];
    if (name === '') {
      failures.push(talconfigFailure('talconfig/env-file', { path: file.path, line: index + 1 }));
      continue;
    }
    const quote = /^["']/.exec(rest)?.[0];
    if (quote === undefined) {
      variables[name] = expand(rest.replace(/(?:^|\s)#.*$/, '').trim(), variables);
      continue;
    }
    let body = rest.slice(1);
    let end = closing(body, quote);
    while (end === -1 && index + 1 < lines.length) {
      index += 1;
      body += `\n${lines[index] ?? ''}`;
      end = closing(body, quote);
    }
    if (end === -1) {
      failures.push(talconfigFailure('talconfig/env-file', { path: file.path, line: index + 1 }));
      break;
    }
    const content = body.slice(0, end);
    variables[name] = quote === "'" ? content : expand(unescape(content), variables);
  }
  return { variables, failures };
}

function closing(text: string, quote: string): number {
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === quote) return index;
  }
  return -1;
}

function unescape(text: string): string {
  return text.replace(/\\(.)/gs, (whole, character: string) =>
    character === 'n' ? '\n' : character === 'r' ? '\r' : character === '$' ? whole : character,
  );
}

function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(
    /(\\)?\$(?:\{([A-Z0-9_a-z]+)\}|([A-Z0-9_a-z]+))/g,
    (whole, escaped: string | undefined, braced: string | undefined, bare: string | undefined) =>
      escaped === undefined ? (variables[braced ?? bare ?? ''] ?? '') : whole.slice(1),
  );
}
