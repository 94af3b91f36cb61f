import { expect, test } from 'vitest';
import { substitute, SubstitutionError } from '../../../../lib/kube/index.ts';

const variables = { A: 'alpha', EMPTY: '', PATH_: 'a/b/c.tar.gz', MIX: 'miXed' };

test.each([
  ['${A}', 'alpha'],
  ['x${A}y${A}', 'xalphayalpha'],
  ['$A $$A $${A} 5$', '$A $A ${A} 5$'],
  ['${NONE}', ''],
  ['${NONE:-d} ${EMPTY:-d} ${EMPTY-d} ${NONE-d}', 'd d  d'],
  ['${NONE:=d} ${NONE=d} ${A:=d}', 'd d alpha'],
  ['${NONE:-${A}-${OTHER:-deep}}', 'alpha-deep'],
  ['${#A} ${#NONE}', '5 0'],
  ['${MIX^} ${MIX^^} ${MIX,,} ${A^}', 'MiXed MIXED mixed Alpha'],
  ['${A:1} ${A:1:2} ${A:0:99}', 'lpha lp alpha'],
  ['${PATH_#*/} ${PATH_##*/} ${PATH_%.*} ${PATH_%%.*}', 'b/c.tar.gz c.tar.gz a/b/c.tar a/b/c'],
  ['${PATH_/a/x}', 'x/b/c.tar.gz'],
  ['${A/#al/AL} ${A/%ha/HA} ${A/#x/y}', 'ALpha alpHA alpha'],
  ['no variables {{ at }} all', 'no variables {{ at }} all'],
])('%s', (text, expected) => {
  expect(substitute(text, variables)).toBe(expected);
});

test.each(['${A', '${}', '${1}', '${A!}', '${A:x}'])('%s is refused', (text) => {
  expect(() => substitute(text, variables)).toThrow(SubstitutionError);
});
