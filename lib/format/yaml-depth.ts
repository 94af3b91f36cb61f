import { yamlLibrary } from './yaml-library.ts';

const deepest = 500;

/** The library recurses per level, and V8 ends the process when it runs out of stack inside a regular expression. */
export function nestsTooDeep(text: string): boolean {
  if (bracketDepth(text) > deepest && flowDepth(text) > deepest) return true;
  // Each level begins at least one column further right than the one around it.
  if (!indentation.test(text)) return false;
  const indents: number[] = [];
  for (const line of text.matchAll(/^( *)((?:[-?] +)*)\S/gm)) {
    const indent = line[1]?.length ?? 0;
    while ((indents.at(-1) ?? -1) >= indent) indents.pop();
    indents.push(indent);
    const indicators = (line[2] ?? '').replaceAll(' ', '').length;
    if (indents.length + indicators > deepest) return true;
    for (let index = 1; index <= indicators; index += 1) indents.push(indent + index);
  }
  return false;
}

const indentation = new RegExp(`^[ ?-]{${deepest}}`, 'm');

function bracketDepth(text: string): number {
  const openings = text.split('[').length + text.split('{').length - 2;
  // Hardly any file has as many: to count through its characters takes longer.
  if (openings <= deepest) return openings;
  let depth = 0;
  let most = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) most = Math.max(most, (depth += 1));
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth -= 1;
  }
  return most;
}

function flowDepth(text: string): number {
  let depth = 0;
  let most = 0;
  for (const token of new (yamlLibrary().Lexer)().lex(text)) {
    if (token === '[' || token === '{') most = Math.max(most, (depth += 1));
    else if (token === ']' || token === '}') depth -= 1;
  }
  return most;
}
