import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { substitute, SubstitutionError } from '../../../../lib/kube/index.ts';

interface Recorded {
  readonly variables: Readonly<Record<string, string>>;
  readonly recorded: readonly { readonly text: string; readonly out: string; readonly error?: string }[];
}

const { variables, recorded } = JSON.parse(
  readFileSync(new URL('../../../conformance/helm/envsubst.json', import.meta.url), 'utf8'),
) as Recorded;

test.each(recorded)("$text is what Flux's own envsubst makes of it", ({ text, out, error }) => {
  if (error === undefined) expect(substitute(text, variables)).toBe(out);
  else expect(() => substitute(text, variables)).toThrow(SubstitutionError);
});

test('line breaks of a value are dropped, and a name that no variable can have is refused', () => {
  expect(substitute('key: ${A}', { A: 'one\ntwo\n' })).toBe('key: onetwo');
  expect(() => substitute('${A}', { 'a-b': 'x' })).toThrow('`a-b` cannot be the name of a variable');
});
