import { yamlLibrary } from './yaml-library.ts';

const deepest = 500;

/** The library recurses per level, and V8 ends the process when it runs out of stack inside a regular expression. */
export function nestsTooDeep(text: string): boolean {
  let flow = 0;
  let openings = 0;
  for (const bracket of text.matchAll(/[[\]{}]/g)) {
    flow = bracket[0] === '[' || bracket[0] === '{' ? flow + 1 : Math.max(0, flow - 1);
    openings = Math.max(openings, flow);
  }
  if (openings > deepest && flowDepth(text) > deepest) return true;
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

function flowDepth(text: string): number {
  let depth = 0;
  let most = 0;
  for (const token of new (yamlLibrary().Lexer)().lex(text)) {
    if (token === '[' || token === '{') most = Math.max(most, (depth += 1));
    else if (token === ']' || token === '}') depth -= 1;
  }
  return most;
}
