// Compares verdicts on damaged configurations with Talos' own library:
// node test/oracle/validate/random.ts VALIDATOR MINOR [COUNT] [FIRST-SEED] [DIRECTORY]
//
// VALIDATOR is library/main.go, built against the machinery of that minor. DIRECTORY holds configurations to begin with; without it
// those of gen-config are used. `SHOW=all` prints what differs in full. What a finding teaches goes into cases.ts.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseYamlBulk } from '../../../lib/format/index.ts';
import { checkForNode } from '../../../lib/talos/machine-config.ts';
import type { TalosMinor } from '../../../lib/upstream/tables.ts';
import { randomCase, randomOf } from '../patch/random-case.ts';
import { validateCases } from './cases.ts';
import { configOf } from './replay.ts';

type Node = string | number | boolean | null | Node[] | { [key: string]: Node };

const [validator = '', minor = '1.14', amount = '1000', firstSeed = String(Date.now() % 1_000_000_000), directory] = process.argv.slice(2);
const library = spawn(validator, { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: library.stdout })[Symbol.asyncIterator]();

async function upstream(text: string): Promise<string> {
  library.stdin.write(`${JSON.stringify({ text })}\n`);
  return (JSON.parse(String((await answers.next()).value)) as { error: string }).error;
}

const starts: readonly (readonly Node[])[] = (
  directory === undefined
    ? validateCases.slice(0, 2).map((one) => configOf(one, minor as '1.14'))
    : readdirSync(directory)
        .sort()
        .map((name) => readFileSync(join(directory, name), 'utf8'))
).map((text) =>
  JSON.parse(JSON.stringify(parseYamlBulk(text, { version: 'go' }), (_, value) => (typeof value === 'bigint' ? String(value) : value))),
);

const values: readonly Node[] = [
  '',
  'nonsense',
  0,
  -1,
  1,
  99_999_999,
  1.5,
  true,
  false,
  null,
  [],
  {},
  ['a'],
  { a: 'b' },
  '10.0.0.300',
  '10.0.0.1',
  '10.0.0.0/33',
  '10.0.0.0/24',
  'fd00::/8',
  'fe80::1',
  '::',
  '5x',
  '10m',
  '-3s',
  '0s',
  'https://',
  'https://10.0.0.1:6443',
  'https://x:99999',
  'http://a b',
  'a b',
  'A_B',
  'x'.repeat(300),
  'controlplane',
  'worker',
  'init',
  'enforce',
  'block',
  'stable',
  'off',
  '80%',
  '10GiB',
  '-1GB',
  'aa:bb:cc:dd:ee:ff',
  '/dev/sda',
  'disk.size > 1u',
  'v1.35.0',
  'image:tag',
  'k=v:NoSuch',
  'a:NoSchedule',
  '0644',
  '8000-7000',
  '70000',
  '=',
];

/** Damages a configuration in one to three places. */
function damaged(start: readonly Node[], seed: number): Node[] {
  const random = randomOf(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const documents = structuredClone(start) as Node[];
  const holders = (node: Node): (Node[] | { [key: string]: Node })[] =>
    typeof node === 'object' && node !== null ? [node, ...Object.values(node).flatMap(holders)] : [];
  for (let times = 1 + below(3); times > 0; times -= 1) {
    const what = random();
    if (what < 0.05) documents.push(structuredClone(pick(documents)));
    else if (what < 0.1) documents.splice(below(documents.length), 1);
    else {
      const holder = pick(documents.flatMap(holders).filter((one) => Object.keys(one).length > 0));
      if (holder === undefined) continue;
      const key = pick(Object.keys(holder));
      const target = holder as Record<string, Node>;
      if (what < 0.25) {
        if (Array.isArray(holder)) holder.splice(Number(key), 1);
        else delete target[key];
      } else if (what < 0.35 && !Array.isArray(holder)) {
        target[pick([`${key}s`, key.slice(1), key.toUpperCase(), 'x'])] = target[key] ?? null;
        delete target[key];
      } else if (what < 0.45 && Array.isArray(holder)) holder.push(structuredClone(pick(holder)));
      else target[key] = structuredClone(pick(values));
    }
  }
  return documents;
}

const tally: Record<string, number> = {};
const shown = new Set<string>();
const first = Number(firstSeed);
for (let seed = first; seed < first + Number(amount); seed += 1) {
  const start = starts[seed % starts.length] ?? [];
  const plain = (seed % 3 === 0 ? start : damaged(start, seed)).map((one) => JSON.stringify(one)).join('\n---\n');
  const extra = seed % 3 === 0 ? randomCase(seed, minor as TalosMinor).base.replace(/^(?:(?!---\n).*\n)*/, '') : '';
  const text = `${plain}\n${extra}`;
  const said = await upstream(text);
  const ours = checkForNode(text, minor)?.trim() ?? '';
  const verdict = said.startsWith('panic')
    ? 'talos panics'
    : (said === '') === (ours === '')
      ? said.trim() === ours
        ? said === ''
          ? 'both accept'
          : 'both refuse, in the same words'
        : 'both refuse'
      : said === ''
        ? 'only tk refuses'
        : 'only tk accepts';
  tally[verdict] = (tally[verdict] ?? 0) + 1;
  if (!verdict.startsWith('only')) continue;
  process.exitCode = 1;
  const words = `${verdict}: ${said || ours}`;
  const identity = words.replace(/[^a-zA-Z:]/g, '').slice(0, 120);
  if (shown.has(identity)) continue;
  shown.add(identity);
  console.log(`--- seed ${seed}: ${words.slice(0, 600)}`);
  if (process.env['SHOW'] === 'all') console.log(text);
}
console.log(JSON.stringify(tally));
library.stdin.end();
