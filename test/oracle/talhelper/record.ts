// Records what talhelper makes of every case: node test/oracle/talhelper/record.ts PATH-OF-TALHELPER [PART-OF-A-NAME]…
//
// With parts of names only those cases are asked again; the others keep their answers.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { contracts, header, talhelperCases } from './cases.ts';

const [talhelper = '', ...parts] = process.argv.slice(2);
const conformance = join(import.meta.dirname, '../../conformance');
for (const contract of contracts) {
  const file = join(conformance, 'talhelper', `contract-${contract}.json`);
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
  const recorded: Record<string, unknown> = {};
  for (const one of talhelperCases) {
    if (one.contracts && !one.contracts.includes(contract)) continue;
    if (parts.length > 0 && before[one.name] !== undefined && !parts.some((part) => one.name.includes(part))) {
      recorded[one.name] = before[one.name];
      continue;
    }
    const work = mkdtempSync(join(tmpdir(), 'tk-talhelper-'));
    writeFileSync(join(work, 'talconfig.yaml'), header(contract) + one.talconfig);
    copyFileSync(join(conformance, 'machineconfig/bundles/talosctl-1.13.yaml'), join(work, 'talsecret.yaml'));
    for (const [name, content] of Object.entries(one.files ?? {})) {
      mkdirSync(dirname(join(work, name)), { recursive: true });
      writeFileSync(join(work, name), content);
    }
    const run = spawnSync(talhelper, ['genconfig', '--offline-mode', '--no-gitignore', '-o', 'out'], {
      cwd: work,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', HOME: work },
    });
    const out = join(work, 'out');
    recorded[one.name] =
      run.status === 0 && existsSync(out)
        ? {
            files: Object.fromEntries(
              readdirSync(out)
                .filter((name) => name !== 'talosconfig')
                .sort()
                .map((name) => [name, readFileSync(join(out, name), 'utf8')]),
            ),
          }
        : { error: `${run.stdout}${run.stderr}`.replaceAll(work, '').trim().split('\n').slice(0, 8).join('\n') };
    rmSync(work, { recursive: true });
  }
  writeFileSync(file, `${JSON.stringify(shrink(recorded), null, 1)}\n`);
}

/** The parts that the secrets bundle decides are the same in every file: one line stands for them. */
function shrink(recorded: unknown): unknown {
  const text = JSON.stringify(recorded);
  return JSON.parse(text.replace(/[A-Za-z0-9+/]{200,}={0,2}/g, (pem) => `<${pem.length} ${pem.slice(0, 24)}>`));
}
