/**
 * A literal or folded scalar as Go's yaml.v3 writes it, without the break after its last line: the header, then its lines.
 *
 * The library has its ways: a break at the beginning takes the place of the one behind the header, and a folded text gets an empty line
 * for each break that ends a line of its own, also for the last one.
 *
 * Source: go.yaml.in/yaml/v3 emitterc.go yaml_emitter_write_literal_scalar, yaml_emitter_write_folded_scalar
 */
export function goBlockScalar(text: string, style: 'literal' | 'folded', indent: string, comment = ''): string {
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : /^\n$|\n\n$/.test(text) ? '+' : '';
  const header = `${style === 'literal' ? '|' : '>'}${hint}${chomp}${comment}`;
  return header + (style === 'literal' ? literal(text, indent) : folded(text, indent)).replace(/\n$/, '');
}

function literal(text: string, indent: string): string {
  return `\n${text.replace(/^\n/, '').replace(/^(?=.)/gm, indent)}`;
}

function folded(text: string, indent: string): string {
  // Asked of the beginning of the text each time, which is an oversight that everybody's files depend on by now.
  const beginsWithText = /^\n*[^\s]/.test(text);
  let body = '';
  let afterBreak = true;
  let isIndented = true;
  for (const character of text) {
    if (character === '\n') {
      if (!afterBreak && !isIndented && beginsWithText) body += '\n';
      body += '\n';
      afterBreak = true;
      continue;
    }
    if (afterBreak) {
      if (body === '') body = '\n';
      body += indent;
      isIndented = character === ' ' || character === '\t';
    }
    body += character;
    afterBreak = false;
  }
  return body;
}
