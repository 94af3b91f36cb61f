// Records what Helm's own SDK writes into its secrets: node test/oracle/helm/record-records.ts PROGRAM
// PROGRAM is test/oracle/helm/records, built with `go build`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveOf, recordCases } from './record-cases.ts';

const [program] = process.argv.slice(2);
if (program === undefined) throw new Error('usage: record-records.ts PROGRAM');
const folder = mkdtempSync(join(tmpdir(), 'records-'));
const records: Record<string, unknown> = {};
for (const chart of recordCases) {
  writeFileSync(join(folder, 'chart.tgz'), archiveOf(chart));
  writeFileSync(join(folder, 'values.json'), JSON.stringify(chart.recordValues));
  const args = [join(folder, 'chart.tgz'), join(folder, 'values.json'), 'rel', 'default'];
  records[chart.name] = JSON.parse(execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 }));
}
rmSync(folder, { recursive: true });
writeFileSync(new URL('../../conformance/helm/records.json', import.meta.url), `${JSON.stringify(records, null, 1)}\n`);
process.stdout.write(`${recordCases.length} records\n`);
