// Prints how long our commands take, as ratios to a bare Node process measured in the same run. Nothing here gates anything.
//
//   npm run bench            every row, 5 runs each, medians
//   npm run bench -- list    rows whose name contains the word
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const launcher = join(root, 'lib/cli/tk.js');
const runs = Number(process.env.BENCH_RUNS ?? 5);
const report =
  'data:text/javascript,process.on("exit",()=>{const r=process.resourceUsage();process.stderr.write("\\n@usage "+JSON.stringify({cpuMs:(r.userCPUTime+r.systemCPUTime)/1000,rssMiB:r.maxRSS/1024}))})';

function measure(args, cwd) {
  const started = performance.now();
  const child = spawnSync(process.execPath, ['--import', report, ...args], { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  const wallMs = performance.now() - started;
  const usage = /@usage (.*)$/.exec(child.stderr);
  return { wallMs, exitCode: child.status, ...(usage ? JSON.parse(usage[1]) : { cpuMs: Number.NaN, rssMiB: Number.NaN }) };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

function copyOfRepository() {
  const folder = mkdtempSync(join(tmpdir(), 'tk-bench-'));
  for (const name of ['cluster.yaml', 'nodes.yaml', '.sops.yaml', 'templates', 'talos', 'kubernetes']) {
    cpSync(join(root, name), join(folder, name), { recursive: true, force: true, errorOnExist: false });
  }
  return folder;
}

const repository = copyOfRepository();
const fresh = () => rmSync(join(repository, '.tk'), { recursive: true, force: true });
const rows = [
  { name: 'bare node', args: ['-e', '0'] },
  { name: 'tk --list', args: [launcher, '--list'] },
  { name: 'tk --help', args: [launcher, '--help'] },
  {
    name: 'tk talos:generate-config --sim, second run',
    before: () => measure([launcher, 'talos:generate-config', '--sim'], repository),
    args: [launcher, 'talos:generate-config', '--sim'],
  },
  { name: 'tk bootstrap --sim', each: fresh, args: [launcher, 'bootstrap', '--sim'] },
  {
    name: 'tk bootstrap --sim, second run',
    before: () => measure([launcher, 'bootstrap', '--sim'], repository),
    args: [launcher, 'bootstrap', '--sim'],
  },
];

const wanted = process.argv.slice(2);
let bare;
process.stdout.write(
  `${'command'.padEnd(46)} ${'wall'.padStart(9)} ${'× node'.padStart(8)} ${'cpu'.padStart(9)} ${'memory'.padStart(9)}  exit\n`,
);
for (const row of rows) {
  if (row.name !== 'bare node' && wanted.length > 0 && !wanted.some((word) => row.name.includes(word))) continue;
  row.before?.();
  const results = Array.from({ length: runs }, () => {
    row.each?.();
    return measure(row.args, repository);
  });
  const wall = median(results.map((result) => result.wallMs));
  bare ??= wall;
  const cpu = median(results.map((result) => result.cpuMs));
  const memory = median(results.map((result) => result.rssMiB));
  const codes = [...new Set(results.map((result) => result.exitCode))].join(',');
  process.stdout.write(
    `${row.name.padEnd(46)} ${`${wall.toFixed(0)} ms`.padStart(9)} ${(wall / bare).toFixed(1).padStart(8)} ${`${cpu.toFixed(0)} ms`.padStart(9)} ${`${memory.toFixed(0)} MiB`.padStart(9)}  ${codes}\n`,
  );
}
rmSync(repository, { recursive: true, force: true });
