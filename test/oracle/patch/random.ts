// Compares random patches with Talos' own library: node test/oracle/patch/random.ts PATCHER MINOR [COUNT] [FIRST-SEED]
//
// PATCHER is library/main.go, built against the machinery of that minor. Findings are printed as they stand; what they teach goes
// into cases.ts.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { TkError } from '../../../lib/base/index.ts';
import { parseYamlBulk } from '../../../lib/format/index.ts';
import { patchMachineConfig } from '../../../lib/talos/machine-config.ts';
import type { TalosMinor } from '../../../lib/upstream/tables.ts';
import { type RandomCase, randomCase } from './random-case.ts';

const [patcher = '', minor = '1.14', amount = '10000', firstSeed = String(Date.now() % 1_000_000_000)] = process.argv.slice(2);
const library = spawn(patcher, { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: library.stdout })[Symbol.asyncIterator]();

interface Answer {
  readonly text?: string;
  readonly error?: string;
}

async function upstream({ base, patches }: RandomCase): Promise<Answer> {
  library.stdin.write(`${JSON.stringify({ base, patches })}\n`);
  const { value } = await answers.next();
  return JSON.parse(String(value)) as Answer;
}

function ours({ base, patches }: RandomCase): Answer & { readonly kept: number } {
  try {
    const { text, kept } = patchMachineConfig({
      base: { path: 'base.yaml', text: base },
      patches: patches.map((patch, index) => ({ path: `patch-${index}.yaml`, text: patch })),
      talosVersion: minor as TalosMinor,
    });
    return { text, kept: kept.length };
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    return { error: error.failures.map(({ code, facts }) => `${code} ${JSON.stringify(facts)}`).join('; '), kept: 0 };
  }
}

/**
 * Without what tk leaves out or keeps on purpose: documents that hold nothing but their name, which 1.13 adds for a deletion in a
 * document that is not there, and the selectors, sizes and halves of pairs that upstream forgets.
 */
function documents(text: string, kept: number): unknown {
  const plain = text
    .replace(kept > 0 ? /^ *(?:match|minSize|maxSize|crt|key|\w+Size|\w+Expression):.*\n/gm : /^ *(?:match|minSize):.*\n/gm, '')
    .replaceAll('Protocol(0)', 'icmp');
  const read: unknown = JSON.parse(JSON.stringify(parseYamlBulk(plain, { version: 'go' }), bigintAsText));
  const says = (one: unknown) =>
    Object.entries(one as object).some(([key, value]) => !['apiVersion', 'kind', 'name'].includes(key) && !isNothing(value));
  const those = (read as unknown[]).filter((one) => typeof one === 'object' && one !== null && says(one));
  return kept > 0 ? those.map(withoutNothing) : those;
}

const isNothing = (value: unknown): boolean =>
  ['', 0, '0s', '0o0', 'icmp', null].includes(value as string) ||
  (typeof value === 'object' && Object.values(value ?? {}).every(isNothing));
const withoutNothing = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withoutNothing)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).flatMap(([key, child]) => (isNothing(child) ? [] : [[key, withoutNothing(child)]])))
      : value;
const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

const tally: Record<string, number> = {};
const shown = new Set<string>();
const first = Number(firstSeed);
for (let seed = first; seed < first + Number(amount); seed += 1) {
  let one = randomCase(seed, minor as TalosMinor);
  let [theirs, mine] = [await upstream(one), ours(one)];
  if (/cannot construct !!timestamp|arg value must be a string/.test(theirs.error ?? '') && mine.text !== undefined) {
    // 1.14 refuses a date without quotes where text is meant, and tk reads it as that text: with quotes both have to say the same.
    one = { seed, base: withQuotes(one.base), patches: one.patches.map(withQuotes) };
    [theirs, mine] = [await upstream(one), ours(one)];
  }
  const known = knownAs(theirs, mine) ?? ((await stumbles(one, theirs)) ? 'talos leaves an empty document' : undefined);
  if (known !== undefined) {
    tally[known] = (tally[known] ?? 0) + 1;
    continue;
  }
  const verdict =
    theirs.text === undefined
      ? mine.text === undefined
        ? 'both refuse'
        : `only tk accepts: ${theirs.error?.replace(/\d+/g, 'N').slice(0, 300)}`
      : mine.text === undefined
        ? `only tk refuses: ${mine.error?.replace(/\d+/g, 'N').slice(0, 160)}`
        : mine.text === theirs.text
          ? 'equal bytes'
          : isDeepStrictEqual(documents(mine.text, mine.kept), documents(theirs.text, mine.kept))
            ? 'equal documents'
            : 'differs';
  const label = `${verdict.split(':')[0] ?? ''}${mine.kept > 0 ? ', with what tk keeps' : ''}`;
  tally[label] = (tally[label] ?? 0) + 1;
  if (/^equal|^both/.test(verdict)) continue;
  process.exitCode = 1;
  const identity = verdict === 'differs' ? firstDifference(theirs.text ?? '', mine.text ?? '') : verdict;
  if (shown.has(identity.replace(/[^a-zA-Z:]/g, ''))) continue;
  shown.add(identity.replace(/[^a-zA-Z:]/g, ''));
  console.log(`--- seed ${seed}: ${verdict}\n${verdict === 'differs' ? identity : ''}`);
  if (process.env['SHOW'] === 'all') console.log(`${one.base}\n=== patches\n${one.patches.join('\n=== and\n')}`);
}
console.log(JSON.stringify(tally));
library.stdin.end();

function withQuotes(text: string): string {
  return text.replace(/(?<=: |- )2020-01-01$/gm, '"2020-01-01"').replace(/(?<=[[ ])2020-01-01(?=[\],}])/g, '"2020-01-01"');
}

/** Where tk differs on purpose; each of these is a line of known-gaps.txt. */
function knownAs({ text, error = '' }: Answer, mine: Answer): string | undefined {
  if (error.startsWith('panic')) return 'talos panics';
  if (/merge type mismatch left (?:float64 right int|int right float64)/.test(error) || /"a fraction"/.test(mine.error ?? ''))
    return 'a whole number over a fraction';
  if (/merge type mismatch left (?:time.Time right string|string right time.Time)/.test(error)) return 'a date over text';
  if (/merge field network.RoutingRuleConfigV1Alpha1/.test(error)) return 'the prefix of a rule';
  if (/^\{\}$/m.test(text ?? '') || /merge type mismatch left \*decoder/.test(error)) return 'talos leaves an empty document';
  return /"found":"null"/.test(mine.error ?? '') ? `null in a list${text === undefined ? ', refused by both' : ''}` : undefined;
}

/** 1.13 keeps the deletion of a document that is not there as an empty one, and trips over it in the next patch. */
async function stumbles({ seed, base, patches }: RandomCase, { error = '' }: Answer): Promise<boolean> {
  if (minor !== '1.13' || patches.length < 2 || !error.includes('lookup failed')) return false;
  const before = await upstream({ seed, base, patches: patches.slice(0, -1) });
  return /^\{\}$/m.test(before.text ?? '') || before.error?.startsWith('panic') === true;
}

function firstDifference(theirs: string, mine: string): string {
  const [left, right] = [theirs.split('\n'), mine.split('\n')];
  const at = left.findIndex((line, index) => line !== right[index]);
  return `talos: ${left.slice(Math.max(0, at - 2), at + 3).join(' ⏎ ')}\ntk:    ${right.slice(Math.max(0, at - 2), at + 3).join(' ⏎ ')}`;
}
