// Prints which keys of talconfig.yaml, merge rules and document kinds occur in a recorded case: node test/oracle/recorded/report.ts
import { coverage } from './recorded.ts';

for (const [subject, { covered, blank }] of Object.entries(coverage())) {
  console.log(`${subject}: ${covered.length} recorded, ${blank.length} blank`);
  for (const one of blank) console.log(`  ${one}`);
}
