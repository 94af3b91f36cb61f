// Records what Talos says of expressions: node test/oracle/cel/record.ts COMPILER [COUNT] [FIRST-SEED] [MINOR]
//
// COMPILER is library/main.go, built against the newest Talos. With a count that many random ones are compared with tk's verdicts, and
// nothing is written.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectorError } from '../../../lib/talos/config/cel/selector.ts';
import type { TalosMinor } from '../../../lib/upstream/tables.ts';
import { randomExpressions, writtenExpressions } from './cases.ts';

const [compiler = '', count, seed = String(Date.now() % 1_000_000_000), minor = '1.14'] = process.argv.slice(2);
const cases = count === undefined ? [...writtenExpressions, ...randomExpressions(400, 1)] : randomExpressions(Number(count), Number(seed));
const { stdout } = spawnSync(compiler, {
  input: cases
    .map(({ environment, text }) => `${JSON.stringify({ environment, text, type: environment === 'scoring' ? 'double' : 'bool' })}\n`)
    .join(''),
  encoding: 'utf8',
  maxBuffer: 2 ** 30,
});
const answers = stdout
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { readonly error: string }).error);
if (count === undefined) {
  const lines = cases.map(({ environment, text }, index) => JSON.stringify([environment, text, answers[index]]));
  writeFileSync(join(import.meta.dirname, '../../conformance/cel/answers.json'), `[\n${lines.join(',\n')}\n]\n`);
} else {
  const tally: Record<string, number> = {};
  const shown = new Set<string>();
  cases.forEach(({ environment, text }, index) => {
    const said = answers[index] ?? '';
    const ours = selectorError(text, environment, minor as TalosMinor) ?? '';
    const verdict =
      said === ours
        ? said === ''
          ? 'both accept'
          : 'both refuse, in the same words'
        : said === ''
          ? 'only tk refuses'
          : ours === ''
            ? 'only tk accepts'
            : 'both refuse';
    tally[verdict] = (tally[verdict] ?? 0) + 1;
    const identity = `${verdict} ${(said || ours).split('\n')[0]?.replace(/'[^']*'|\d+/g, '')}`;
    if (!verdict.startsWith('only') || shown.has(identity)) return;
    shown.add(identity);
    process.exitCode = 1;
    console.log(`--- ${verdict}, ${environment}: ${text}\n${said || ours}`);
  });
  console.log(`seed ${seed}: ${JSON.stringify(tally)}`);
}
