/**
 * Records what the sops program makes of the plain files, and that it opens what we make of them.
 *
 *   node test/oracle/sops/record.ts PROGRAM      PROGRAM is sops 3.13.3
 *
 * Writes `sops/` (encrypted by sops), `tk/` (encrypted by us) and `printed/` (what sops prints for either; a difference between the two
 * is a failure of this program).
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Secret } from '../../../lib/base/index.ts';
import { parseSopsRules, ruleFor, sealSops } from '../../../lib/secrets/index.ts';

const [program = 'sops'] = process.argv.slice(2);
const root = join(import.meta.dirname, '../../conformance/sops');
const keys = ['age.key', 'age-pq.key'].map((name) => readFileSync(join(root, name), 'utf8')).join('\n');
const env = { PATH: '', HOME: root, SOPS_AGE_KEY: keys.replace(/^#.*$/gm, '') };
const sops = (...args: string[]) =>
  execFileSync(program, ['--disable-version-check', ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] });

const parsed = parseSopsRules({ path: '.sops.yaml', text: readFileSync(join(root, '.sops.yaml'), 'utf8') });
if (parsed.state === 'failed') throw new Error(parsed.failures[0].code);
const { rules } = parsed;
const ports = {
  random: { bytes: (count: number) => new Uint8Array(randomBytes(count)) } as never,
  clock: { now: () => Date.UTC(2026, 0, 1) },
};

const write = (folder: string, path: string, content: Buffer | string): void => {
  mkdirSync(dirname(join(root, folder, path)), { recursive: true });
  writeFileSync(join(root, folder, path), content);
};

const names = readdirSync(join(root, 'plain'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(join(root, 'plain').length + 1))
  .sort();
let different = 0;
for (const name of names) {
  const theirs = sops('encrypt', '--filename-override', name, join('plain', name));
  write('sops', name, theirs);
  const printed = sops('decrypt', '--output-type', typeOf(name), join('sops', name));
  write('printed', name, printed);
  const text = new Secret(readFileSync(join(root, 'plain', name), 'utf8'));
  const ours = await sealSops({ path: name, text, rule: ruleFor(rules, name) }, ports, { indents: rules.indents });
  write('tk', name, ours);
  const printedOfOurs = sops('decrypt', '--output-type', typeOf(name), join('tk', name));
  if (!printedOfOurs.equals(printed)) {
    different += 1;
    console.error(`${name}: sops prints something else for our file`);
  }
}
console.log(`${names.length} files recorded, ${different} different`);
process.exitCode = different === 0 ? 0 : 1;

function typeOf(name: string): string {
  const type = /\.(ya?ml|json|env|ini)$/.exec(name)?.[1] ?? 'binary';
  return type.startsWith('y') ? 'yaml' : type === 'env' ? 'dotenv' : type;
}
