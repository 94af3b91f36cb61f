// Records whether each talosctl accepts what tk makes: node test/oracle/talhelper/validate.ts DIRECTORY-OF-TALOSCTL
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { talhelperCases } from './cases.ts';
import { replayTexts } from './replay.ts';

const tools = process.argv[2] ?? '';
const work = mkdtempSync(join(tmpdir(), 'tk-validate-'));
const file = join(import.meta.dirname, '../../conformance/machineconfig/accepted.json');
interface Answer {
  readonly sha256: string;
  readonly accepted: boolean;
  readonly said?: string;
}
// The same text gets the same answer: only what has changed is asked again.
const before = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Answer>;
const recorded: Record<string, Answer> = {};
for (const contract of ['1.12', '1.13', '1.14'] as const) {
  for (const one of talhelperCases) {
    if (one.contracts && !one.contracts.includes(contract as '1.12')) continue;
    const made = await replayTexts(one, contract, { unchecked: true });
    if ('refused' in made) continue;
    for (const [name, text] of Object.entries(made.files)) {
      const key = `${contract} ${one.name} ${name}`;
      const sha256 = createHash('sha256').update(text).digest('hex');
      const known = before[key];
      if (known?.sha256 === sha256) {
        recorded[key] = known;
        continue;
      }
      writeFileSync(join(work, 'config.yaml'), text);
      const done = spawnSync(join(tools, `talosctl-${contract}`), ['validate', '--mode', 'metal', '-c', join(work, 'config.yaml')], {
        encoding: 'utf8',
      });
      const said = `${done.stdout}${done.stderr}`.replaceAll(work, '').trim();
      recorded[key] = {
        sha256,
        accepted: done.status === 0,
        ...(said.includes('is valid for metal mode') && !said.includes('WARN') ? {} : { said }),
      };
    }
  }
}
rmSync(work, { recursive: true });
writeFileSync(file, `${JSON.stringify(recorded, null, 1)}\n`);
