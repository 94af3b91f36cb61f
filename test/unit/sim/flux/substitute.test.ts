import { expect, test } from 'vitest';
import { substituteObject, substituteText } from '../../../../lib/sim/flux/substitute.ts';

const values = { SECRET_DOMAIN: 'home.example.com', EMPTY: '', APP: 'web', LINES: 'a\nb' };

test.for([
  ['${SECRET_DOMAIN}', 'home.example.com'],
  ['${SECRET_DOMAIN/./-}-production', 'home-example.com-production'],
  ['${SECRET_DOMAIN//./-}', 'home-example-com'],
  ['${SECRET_DOMAIN/.com}', 'home.example'],
  ['${SECRET_DOMAIN/#home/away} ${SECRET_DOMAIN/%com/org}', 'away.example.com home.example.org'],
  ['${SECRET_DOMAIN#*.} ${SECRET_DOMAIN##*.} ${SECRET_DOMAIN%.*} ${SECRET_DOMAIN%%.*}', 'example.com com home.example home'],
  ['${SECRET_DOMAIN:5} ${SECRET_DOMAIN:5:7} ${#APP}', 'example.com example 3'],
  ['${SECRET_DOMAIN^^} ${SECRET_DOMAIN^}', 'HOME.EXAMPLE.COM Home.example.com'],
  ['${EMPTY:=a} ${NONE:-b} ${NONE} ${NONE:=}', 'a b  '],
  ['${NONE:-${APP}} ${NONE:-x-${NONE:=${APP}-y}} ${APP:-${NONE}}', 'web x-web-y web'],
  ['$${SECRET_DOMAIN} $5 $(APP)', '${SECRET_DOMAIN} $5 $(APP)'],
  ['${LINES}', 'ab'],
] as const)('%s', ([text, expected]) => {
  expect(substituteText(text, values)).toBe(expected);
});

test.for([
  ['${}', 'unable to parse variable name'],
  ['${APP', 'missing closing brace'],
  ['${APP[@]}', 'missing closing brace'],
  ['${APP:-x', 'missing closing brace'],
] as const)('%s is refused: %s', ([text, why]) => {
  expect(() => substituteText(text, values)).toThrow(`envsubst error: variable substitution failed: ${why}`);
});

test('what stands without quotes in YAML takes the type of what it becomes; keys are texts, too', () => {
  const object = {
    port: '80${ONE}',
    on: '${SWITCH}',
    none: '${NONE}',
    label: { '${APP}/x': 'v${ONE}' },
    quoted: 'a: ${ONE}',
    list: '${LIST}',
  };
  expect(substituteObject(object, { ONE: '1', SWITCH: 'true', APP: 'web', LIST: '[a, 1]' })).toEqual({
    port: 801,
    on: true,
    none: null,
    label: { 'web/x': 'v1' },
    quoted: 'a: 1',
    list: ['a', 1],
  });
  expect(substituteObject(object, {})).toEqual(object);
});
