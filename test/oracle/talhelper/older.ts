// Records what an older talosctl says to configurations that tk makes for a newer Talos:
// node test/oracle/talhelper/older.ts DIRECTORY-OF-TALOSCTL
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { olderTexts } from './older-texts.ts';

const tools = process.argv[2] ?? '';
const work = mkdtempSync(join(tmpdir(), 'tk-older-'));
const recorded: Record<string, { readonly sha256: string; readonly said?: string }> = {};
for (const { key, text, older } of await olderTexts()) {
  writeFileSync(join(work, 'config.yaml'), text);
  const done = spawnSync(join(tools, `talosctl-${older}`), ['validate', '--mode', 'metal', '-c', join(work, 'config.yaml')], {
    encoding: 'utf8',
  });
  recorded[key] = {
    sha256: createHash('sha256').update(text).digest('hex'),
    ...(done.status === 0 ? {} : { said: `${done.stdout}${done.stderr}`.replaceAll(work, '').trim().split('\n').slice(0, 6).join('\n') }),
  };
}
rmSync(work, { recursive: true });
writeFileSync(join(import.meta.dirname, '../../conformance/machineconfig/older.json'), `${JSON.stringify(recorded, null, 1)}\n`);
