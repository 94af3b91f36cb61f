// Records what talhelper makes of some cases for Talos before 1.9: node test/oracle/talhelper/record-before-1.9.ts PATH-OF-TALHELPER
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { olderCases, packTexts } from './before-1.9.ts';

const [talhelper = ''] = process.argv.slice(2);
const recorded: Record<string, string> = {};
for (const { key, talconfig, files, bundle } of olderCases) {
  const work = mkdtempSync(join(tmpdir(), 'tk-talhelper-'));
  for (const [name, content] of Object.entries({ 'talconfig.yaml': talconfig, 'talsecret.yaml': bundle, ...files })) {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), content);
  }
  const run = spawnSync(talhelper, ['genconfig', '--offline-mode', '--no-gitignore', '-o', 'out'], {
    cwd: work,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: work },
  });
  if (run.status !== 0) throw new Error(`${key}: ${run.stdout}${run.stderr}`);
  for (const name of readdirSync(join(work, 'out')).sort())
    if (name !== 'talosconfig') recorded[`${key}: ${name}`] = readFileSync(join(work, 'out', name), 'utf8');
  rmSync(work, { recursive: true });
}
const file = join(import.meta.dirname, '../../conformance/talhelper/contracts-before-1.9.json');
writeFileSync(file, `${JSON.stringify(packTexts(recorded), null, 1)}\n`);
