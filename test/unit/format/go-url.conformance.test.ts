import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type GoUrl, parseGoUrl } from '../../../lib/format/index.ts';
import { urlCases, withoutDetails } from '../../oracle/go-url/cases.ts';

const answers: readonly (readonly [string, GoUrl | { readonly error: string }])[] = JSON.parse(
  readFileSync(new URL('../../conformance/go-url/answers.json', import.meta.url), 'utf8'),
);

test(`${answers.length} URLs are read as Go reads them, or refused in its words`, () => {
  expect(answers.map(([text]) => text)).toEqual(urlCases(answers.length));
  const read = (text: string) => {
    const url = parseGoUrl(text);
    return 'error' in url ? { error: withoutDetails(url.error) } : url;
  };
  expect(answers.map(([text]) => [text, read(text)])).toEqual(answers);
});
