// Records what talosctl 1.13 and 1.14 make of every patch case: node test/oracle/patch/record.ts DIRECTORY-OF-TALOSCTL
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseYaml } from '../../../lib/format/index.ts';
import { bases } from './bases.ts';
import { patchCases } from './cases.ts';

const tools = process.argv[2] ?? '';
const work = mkdtempSync(join(tmpdir(), 'tk-patch-'));
for (const [name, text] of Object.entries(bases)) writeFileSync(join(work, `${name}.yaml`), text);
const replacer = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
for (const minor of ['1.13', '1.14']) {
  const recorded: Record<string, unknown> = {};
  for (const { name, base, patches } of patchCases) {
    const files = patches.map((patch, index) => {
      const path = join(work, `patch-${index}.yaml`);
      writeFileSync(path, patch);
      return path;
    });
    const run = spawnSync(
      join(tools, `talosctl-${minor}`),
      ['machineconfig', 'patch', join(work, `${base}.yaml`), ...files.flatMap((path) => ['--patch', `@${path}`])],
      { encoding: 'utf8' },
    );
    recorded[name] =
      run.status === 0
        ? { documents: parseYaml({ path: name, text: run.stdout }, { version: 'go' }).documents.map((document) => document.value) }
        : { error: run.stderr.replaceAll(work, '').trim().split('\n').slice(0, 12).join('\n') };
  }
  writeFileSync(
    join(import.meta.dirname, '../../conformance/patch', `talosctl-${minor}.json`),
    `${JSON.stringify(recorded, replacer, 1)}\n`,
  );
}
rmSync(work, { recursive: true });
