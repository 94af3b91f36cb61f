// Records how Go reads URLs: node test/oracle/go-url/record.ts READER [COUNT]
//
// READER is library/main.go, built. With a count that many URLs are compared with tk's reader, and nothing is written.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseGoUrl } from '../../../lib/format/index.ts';
import { urlCases, withoutDetails } from './cases.ts';

const [reader = '', count] = process.argv.slice(2);
const cases = urlCases(Number(count ?? 400));
const { stdout } = spawnSync(reader, {
  input: cases.map((one) => `${JSON.stringify(one)}\n`).join(''),
  encoding: 'utf8',
  maxBuffer: 2 ** 30,
});
const answers = stdout
  .trim()
  .split('\n')
  .map((line) => shortened(JSON.parse(line) as object));
if (count === undefined) {
  const lines = cases.map((text, index) => JSON.stringify([text, answers[index]]));
  writeFileSync(join(import.meta.dirname, '../../conformance/go-url/answers.json'), `[\n${lines.join(',\n')}\n]\n`);
} else {
  const different = cases.filter((text, index) => !isDeepStrictEqual(shortened(parseGoUrl(text)), answers[index]));
  for (const text of different.slice(0, 20)) console.log(JSON.stringify(text));
  console.log(`${cases.length} URLs, ${different.length} differ`);
}

function shortened(answer: object): object {
  return 'error' in answer ? { error: withoutDetails(String(answer.error)) } : answer;
}
