// Looks for inputs that break the readers of talos configurations: node test/oracle/fuzz/run.ts [COUNT] [FIRST-SEED]
import { fuzzOnce } from './talos-config.ts';

const count = Number(process.argv[2] ?? 100_000);
const first = Number(process.argv[3] ?? Date.now() % 1_000_000_000);
console.log(`seeds ${first} to ${first + count - 1}`);
let findings = 0;
for (let seed = first; seed < first + count; seed += 1) {
  if (seed > first && (seed - first) % 10_000 === 0) console.log(`${seed - first} tried, ${findings} findings`);
  const finding = await fuzzOnce(seed);
  if (!finding) continue;
  console.log(JSON.stringify(finding, null, 2));
  findings += 1;
  process.exitCode = 1;
}
console.log(`${count} tried, ${findings} findings`);
