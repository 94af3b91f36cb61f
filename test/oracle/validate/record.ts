// Records `talosctl validate`: node test/oracle/validate/record.ts DIRECTORY-OF-TALOSCTL
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generations } from '../gen-config/cases.ts';
import { validateCases } from './cases.ts';
import { configOf } from './replay.ts';

const tools = process.argv[2] ?? '';
const work = mkdtempSync(join(tmpdir(), 'tk-validate-'));
const recorded: Record<string, string> = {};
for (const minor of generations) {
  for (const one of validateCases) {
    writeFileSync(join(work, 'config.yaml'), configOf(one, minor));
    const done = spawnSync(join(tools, `talosctl-${minor}`), ['validate', '--mode', 'metal', '-c', join(work, 'config.yaml')], {
      encoding: 'utf8',
    });
    recorded[`${minor} ${one.name}`] =
      done.status === 0
        ? 'accepted'
        : done.stderr
            .replaceAll(work, '')
            .replace(/^Usage:[^]*/m, '')
            .trim();
  }
}
rmSync(work, { recursive: true });
writeFileSync(join(import.meta.dirname, '../../conformance/machineconfig/validate.json'), `${JSON.stringify(recorded, null, 1)}\n`);
