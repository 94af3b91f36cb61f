// Looks for inputs that break the readers of talos configurations: node test/oracle/fuzz/run.ts [COUNT] [FIRST-SEED]
//
// The inputs are tried beside this thread, which sees when one does not come to an end.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { FuzzFinding, FuzzResult } from './talos-config.ts';

const longestSilenceMs = 120_000;

if (isMainThread) await watch(Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? Date.now() % 1_000_000_000));
else await work();

/** Says before each seed which it is, and after it what came of it. */
async function work(): Promise<void> {
  const { fuzzOnce } = await import('./talos-config.ts');
  const { first, end, current } = workerData as { first: number; end: number; current: Int32Array };
  const counts: Record<string, number> = {};
  for (let seed = first; seed < end; seed += 1) {
    Atomics.store(current, 0, seed);
    const { subject, outcome, finding } = await fuzzOnce(seed);
    const key = `${subject} ${outcome}`;
    counts[key] = (counts[key] ?? 0) + 1;
    if (finding) parentPort?.postMessage({ finding });
    if ((seed - first) % 1000 === 999 || seed === end - 1) parentPort?.postMessage({ counts });
  }
}

type Report = { readonly finding?: FuzzFinding; readonly counts?: Readonly<Record<`${string} ${FuzzResult['outcome']}`, number>> };

async function watch(count: number, first: number): Promise<void> {
  const end = first + count;
  const current = new Int32Array(new SharedArrayBuffer(4));
  const totals: Record<string, number> = {};
  let findings = 0;
  const found = (finding: unknown) => {
    console.log(JSON.stringify(finding, null, 2));
    findings += 1;
    process.exitCode = 1;
  };
  console.log(`seeds ${first} to ${end - 1}`);
  for (let start = first; start < end; ) {
    start = await new Promise<number>((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { first: start, end, current } });
      let latest: Report['counts'] = {};
      let seen = start;
      let sinceMs = performance.now();
      const add = () => {
        for (const [key, times] of Object.entries(latest ?? {})) totals[key] = (totals[key] ?? 0) + times;
      };
      const timer = setInterval(() => {
        const seed = Atomics.load(current, 0);
        // Before the first seed it is still being loaded.
        if (seed !== seen || seed === 0) [seen, sinceMs] = [seed, performance.now()];
        else if (performance.now() - sinceMs > longestSilenceMs) {
          found({ seed, problem: `no end after ${longestSilenceMs / 1000} s` });
          clearInterval(timer);
          add();
          void worker.terminate().then(() => resolve(seed + 1));
        }
      }, 1000);
      worker.on('message', ({ finding, counts }: Report) => {
        if (finding) found(finding);
        if (!counts) return;
        latest = counts;
        const tried = Object.values(counts).reduce((sum, times) => sum + times, 0) + (start - first);
        if (tried % 10_000 === 0) console.log(`${tried} tried, ${findings} findings`);
      });
      worker.once('error', reject);
      worker.once('exit', () => {
        clearInterval(timer);
        add();
        resolve(end);
      });
    });
  }
  for (const [key, times] of Object.entries(totals).sort()) console.log(`${key}: ${times}`);
  console.log(`${count} tried, ${findings} findings`);
}
