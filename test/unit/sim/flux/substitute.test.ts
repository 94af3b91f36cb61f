import { expect, test } from 'vitest';
import { substituteText } from '../../../../lib/sim/flux/substitute.ts';

const values = { SECRET_DOMAIN: 'home.example.com', EMPTY: '' };

test.for([
  ['${SECRET_DOMAIN}', 'home.example.com'],
  ['${SECRET_DOMAIN/./-}-production', 'home-example.com-production'],
  ['${SECRET_DOMAIN//./-}', 'home-example-com'],
  ['${SECRET_DOMAIN/.com}', 'home.example'],
  ['${SECRET_DOMAIN^^} ${SECRET_DOMAIN^}', 'HOME.EXAMPLE.COM Home.example.com'],
  ['${EMPTY:=a} ${NONE:-b} ${NONE}', 'a b '],
  ['$${SECRET_DOMAIN} $5', '${SECRET_DOMAIN} $5'],
] as const)('%s', ([text, expected]) => {
  expect(substituteText(text, values)).toBe(expected);
});
