// Records what Flux's envsubst makes of texts: node test/oracle/helm/record-envsubst.ts [COUNT]
// COUNT random texts are compared as well and not recorded; the seed is printed. Needs Go.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { substitute } from '../../../lib/kube/index.ts';

const variables = { A: 'alpha', EMPTY: '', PATH_: 'a/b/c.tar.gz', MIX: 'miXed', UMLAUT: 'äöü', N: '7445', B_2: 'x y', STAR: 'a*b?c' };

const texts = [
  '${A}',
  'x${A}y${A}',
  '$A $$A $${A} 5$',
  '$$$${A}',
  '$$${A}',
  '${NONE}',
  '${NONE:-d} ${EMPTY:-d} ${A:-d}',
  '${NONE:=d} ${NONE=d} ${A:=d}',
  '${NONE:?message} ${A:?message}',
  '${NONE:+set} ${A:+set}',
  '${NONE:-${A}-${OTHER:-deep}}',
  '${NONE:-}',
  '${NONE:-$$x}',
  '${NONE:-a$b}',
  '${EMPTY-d}',
  '${NONE?d}',
  '${#A} ${#NONE} ${#UMLAUT}',
  '${#}',
  '${#A:x}',
  '${MIX^} ${MIX^^} ${MIX,} ${MIX,,} ${A^}',
  '${A^,}',
  '${A^^^}',
  '${A:1} ${A:1:2} ${A:0:99} ${A:9}',
  '${A:-2}',
  '${A: -2}',
  '${A:x} ${A:1:x}',
  '${A::2}',
  '${A:}',
  '${A:1:}',
  '${A:0:0}',
  '${A:${N}}',
  '${UMLAUT:2:2}',
  '${PATH_#*/} ${PATH_##*/} ${PATH_%.*} ${PATH_%%.*}',
  '${PATH_#a} ${PATH_%gz}',
  '${PATH_#?}',
  '${PATH_#[ab]} ${PATH_#[!a]} ${PATH_#[^b]} ${PATH_#[a-c]/}',
  '${PATH_#}',
  '${PATH_##}',
  '${A#*} ${A##*}',
  '${A#lp}',
  '${STAR#a\\*}',
  '${PATH_/a/x} ${PATH_//a/x}',
  '${PATH_/\\//-} ${PATH_//\\//-}',
  '${A/#al/AL} ${A/%ha/HA} ${A/#x/y} ${A/%x/y}',
  '${A/a/}',
  '${A//a/}',
  '${A/a}',
  '${A//}',
  '${A/l/${N}}',
  '${A/${N}/x}',
  '${A//a/$$}',
  '${A/}/x}',
  '${A/a//x}',
  '${1}',
  '${1A}',
  '${}',
  '${',
  '${A',
  '${A!}',
  '${A.b}',
  '${A b}',
  '${ A}',
  '${A }',
  '${-}',
  '${A:-x',
  '${A:-${B}',
  '${A:-{}}',
  '{{ $x }} ${A}',
  'no variables {{ at }} all',
  '${B_2}',
  '$',
  '$$',
  '$$$',
  '${NONE:-"quoted: text"}',
  "${NONE:='x'}",
  '${NONE:-line one\nline two}',
  '${ÄÖ:-d}',
  '${A}${B_2}${N}',
  '"${N}"',
  '${NONE:-a}b}',
  '$(A) `A` \\${A}',
  '\\$${A}',
];

const run = (asked: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync('go', ['run', '.'], {
    cwd: new URL('./envsubst', import.meta.url),
    input: JSON.stringify({ variables, texts: asked }),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as readonly { text: string; out: string; error?: string }[];
};

const recorded = run(texts);
writeFileSync(new URL('../../conformance/helm/envsubst.json', import.meta.url), `${JSON.stringify({ variables, recorded }, null, 1)}\n`);
process.stdout.write(`${recorded.length} recorded, ${recorded.filter(({ error }) => error !== undefined).length} of them errors\n`);

const count = Number(process.argv[2] ?? 0);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));
let state = seed;
const draw = (below: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return Math.floor((state / 0x7fffffff) * below * 0.999_999);
};
const pieces = [
  '${',
  '}',
  'A',
  'NONE',
  'PATH_',
  'MIX',
  ':',
  '-',
  '=',
  '?',
  '+',
  '#',
  '%',
  '/',
  '^',
  ',',
  '$',
  '$$',
  'a',
  '*',
  '1',
  '2',
  ' ',
  '\\/',
  '{',
  'x',
  'b/',
  'UMLAUT',
];
const random = Array.from({ length: count }, () => Array.from({ length: 2 + draw(10) }, () => pieces[draw(pieces.length)]).join(''));
let different = 0;
for (const { text, out, error } of count === 0 ? [] : run(random)) {
  let ours: string | undefined;
  try {
    ours = substitute(text, variables);
  } catch {
    ours = undefined;
  }
  // A slice with a negative end makes Flux's own package panic.
  if ((error === undefined ? out : undefined) === ours || /slice bounds out of range/.test(error ?? '')) continue;
  different += 1;
  if (different <= 20) process.stdout.write(`different: ${JSON.stringify({ text, out, error, ours })}\n`);
}
if (count > 0) process.stdout.write(`seed ${seed}: ${count} random texts, ${different} different\n`);
