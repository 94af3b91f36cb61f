// Records the factory's ids: node test/oracle/schematic/record.ts PATH-OF-THE-BUILT-main.go
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schematicCases } from './cases.ts';

const done = spawnSync(process.argv[2] ?? '', { input: JSON.stringify(schematicCases), encoding: 'utf8', maxBuffer: 64 << 20 });
if (done.status !== 0) throw new Error(done.stderr);
const answers: { id?: string; text?: string; error?: string }[] = JSON.parse(done.stdout);
const recorded = schematicCases.map((schematic, index) => ({ schematic, ...answers[index] }));
writeFileSync(join(import.meta.dirname, '../../conformance/schematic/image-factory-1.4.0.json'), `${JSON.stringify(recorded, null, 1)}\n`);
