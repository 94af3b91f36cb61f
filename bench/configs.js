// Prints how long machine configs take, beside the programs that people use today where those are installed (TK_PEERS names their
// folder; default: PATH). Ratios come from one run on the same input. Nothing here gates anything.
//
//   node bench/configs.js [RUNS]      default 5; medians
//
// Where thousands of files were deleted within the last five minutes, on ext4, new ones take longer: also by the run before.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const launcher = join(root, 'lib/cli/tk.js');
const runs = Number(process.argv[2] ?? 5);
const path = [process.env.TK_PEERS, process.env.PATH].filter(Boolean).join(delimiter);
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`], { env: { ...process.env, PATH: path } }).status === 0;
const work = mkdtempSync(join(tmpdir(), 'tk-bench-configs-'));
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const report =
  'data:text/javascript,process.on("exit",()=>{const r=process.resourceUsage();process.stderr.write("\\n@usage "+JSON.stringify({cpuMs:(r.userCPUTime+r.systemCPUTime)/1000,rssMiB:r.maxRSS/1024})+"\\n")})';
const node = (...args) => [process.execPath, ...args];
const tk = (...args) => node(launcher, ...args);

/** Wall time of commands one after the other. */
function timed(commands, cwd) {
  const started = performance.now();
  for (const command of commands) run(command, cwd);
  return performance.now() - started;
}

/** The processor time of all commands that are Node's, and the memory of the largest. To ask for it takes time itself. */
function used(commands, cwd) {
  let cpuMs = 0;
  let memoryMiB = 0;
  for (const [program, ...args] of commands) {
    const { stderr } = run([program, '--import', report, ...args], cwd);
    const found = JSON.parse(/@usage (.*)$/m.exec(stderr)[1]);
    cpuMs += found.cpuMs;
    memoryMiB = Math.max(memoryMiB, found.rssMiB);
  }
  return { cpuMs, memoryMiB };
}

function run([program, ...args], cwd) {
  const child = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, PATH: path } });
  if (child.status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${child.status}\n${child.stdout}${child.stderr}`);
  return child;
}

/** Turns are taken, so that a machine that gets slower does so for all of them. */
function compare(title, entries, count = runs) {
  const results = entries.map(() => []);
  for (let turn = 0; turn < count; turn += 1)
    entries.forEach(({ commands, cwd, before }, index) => {
      before?.();
      const wallMs = timed(commands, cwd);
      if (!commands.every(([program]) => program === process.execPath)) return void results[index].push({ wallMs, cpuMs: 0, memoryMiB: 0 });
      before?.();
      results[index].push({ wallMs, ...used(commands, cwd) });
    });
  const rows = entries.map(({ name, nodes }, index) => {
    const of = (key) => median(results[index].map((result) => result[key]));
    return { name, nodes, wallMs: of('wallMs'), cpuMs: of('cpuMs'), memoryMiB: of('memoryMiB') };
  });
  console.log(`\n${title}`);
  for (const { name, nodes, wallMs, cpuMs, memoryMiB } of rows) {
    const parts = [`${wallMs.toFixed(0).padStart(7)} ms`, `${(wallMs / rows[0].wallMs).toFixed(2).padStart(7)} × ${rows[0].name}`];
    if (cpuMs > 0)
      parts.push(
        `${cpuMs.toFixed(0).padStart(6)} ms of CPU${nodes ? `, ${(cpuMs / nodes).toFixed(2)} a node` : ''}`,
        `${memoryMiB.toFixed(0)} MiB`,
      );
    console.log(`  ${name.padEnd(44)} ${parts.join('   ')}`);
  }
  return rows;
}

const head = (count) => `clusterName: home
talosVersion: v1.13.2
kubernetesVersion: v1.35.1
endpoint: https://10.0.0.1:6443
cniConfig: { name: none }
patches:
  - "@./patches/all.yaml"
controlPlane:
  patches:
    - |-
      cluster:
        proxy: { disabled: true }
nodes:
${Array.from(
  { length: count },
  (_, index) => `  - hostname: node-${index}
    ipAddress: 10.0.${index >> 8}.${index & 255}
    controlPlane: ${index < 3}
    installDisk: /dev/sda
    nodeLabels: { zone: "z${index % 3}" }
    networkInterfaces:
      - deviceSelector: { hardwareAddr: "02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}" }
        dhcp: false
        addresses: [10.0.${index >> 8}.${index & 255}/16]
        routes: [{ network: 0.0.0.0/0, gateway: 10.0.0.254 }]
        mtu: 1500
`,
).join('')}`;
const patch = 'machine:\n  kubelet:\n    extraArgs: { rotate-server-certificates: "true" }\n  sysctls: { net.core.somaxconn: "65535" }\n';
const bundle = join(root, 'test/conformance/machineconfig/bundles/talosctl-1.13.yaml');

function talosRepository(name, count) {
  const folder = join(work, name);
  mkdirSync(join(folder, 'talos/patches'), { recursive: true });
  writeFileSync(join(folder, 'talos/talconfig.yaml'), head(count));
  writeFileSync(join(folder, 'talos/patches/all.yaml'), patch);
  cpSync(bundle, join(folder, 'talos/talsecret.yaml'));
  return folder;
}
let emptied = 0;
/**
 * What a run has written is moved out of the way and not deleted: ext4 looks at every file that was deleted in the last minutes when it
 * makes a new one, which costs a millisecond for each of a thousand.
 */
const cleared = (folder) => () => {
  const attic = join(work, 'attic', String((emptied += 1)));
  mkdirSync(attic, { recursive: true });
  for (const name of ['talos/clusterconfig', '.tk', 'out', 'kubernetes', 'talos/talconfig.yaml'].slice(
    0,
    existsSync(join(folder, 'templates')) ? 5 : 2,
  ))
    if (existsSync(join(folder, name))) renameSync(join(folder, name), join(attic, name.replaceAll('/', '-')));
};
const talhelper = (folder) => ({
  name: 'talhelper genconfig',
  commands: [['talhelper', 'genconfig', '--offline-mode', '--no-gitignore']],
  cwd: join(folder, 'talos'),
  before: cleared(folder),
});
const generate = (folder, nodes) => ({
  name: `tk talos:generate-config, ${nodes} nodes`,
  nodes,
  commands: [tk('talos:generate-config', '--output=plain')],
  cwd: folder,
  before: cleared(folder),
});
const bare = { name: 'bare node', commands: [node('-e', '0')], cwd: work };

try {
  const six = talosRepository('six', 6);
  compare('six nodes', [bare, generate(six, 6), ...(has('talhelper') ? [talhelper(six)] : [])]);

  writeFileSync(join(work, 'patch.yaml'), patch);
  run(tk('talos:generate-config', '--output=plain'), six);
  cpSync(join(six, 'talos/clusterconfig/home-node-0.yaml'), join(work, 'base.yaml'));
  compare('one patch', [
    bare,
    {
      name: 'tk machineconfig patch',
      commands: [tk('machineconfig', 'patch', 'base.yaml', '--patch', '@patch.yaml', '--out', 'out.yaml')],
      cwd: work,
    },
  ]);

  const few = Math.min(runs, 3);
  const many = talosRepository('many', 1006);
  compare('1,006 nodes', [...(has('talhelper') ? [talhelper(many)] : [bare]), generate(many, 1006)], few);

  // What a node costs must not depend on how many there are: the start of the process is taken off.
  const counts = [6, 100, 250, 500, 1000, 2000];
  const rows = compare(
    'time and memory over the number of nodes',
    counts.map((count) => generate(talosRepository(`nodes-${count}`, count), count)),
    few,
  );
  const [start, ...others] = rows;
  console.log('  each node more, beside the first six');
  for (const { nodes, cpuMs, wallMs, memoryMiB } of others) {
    const more = nodes - start.nodes;
    const each = (value, first, digits) => ((value - first) / more).toFixed(digits).padStart(7);
    console.log(
      `  ${String(nodes).padStart(6)} nodes ${each(cpuMs, start.cpuMs, 2)} ms of CPU ${each(wallMs, start.wallMs, 2)} ms ${each(memoryMiB * 1024, start.memoryMiB * 1024, 0)} KiB`,
    );
  }

  if (has('talhelper') && has('makejinja')) {
    const both = templatesRepository();
    const rendered = {
      name: 'makejinja, then talhelper',
      commands: [
        ['makejinja', '--input', 'plain', '--output', 'out', '--data', 'data.yaml', '--jinja-suffix', '.j2', '--force', '--quiet'],
        ['sh', '-c', 'cp talos/talsecret.yaml out/talos/ && cd out/talos && talhelper genconfig --offline-mode --no-gitignore'],
      ],
      cwd: both,
      before: cleared(both),
    };
    const one = {
      name: 'tk configure + generate-config, one process',
      commands: [tk('talos:generate-config', '--output=plain')],
      cwd: both,
      before: cleared(both),
    };
    compare('100 templates and six nodes', [rendered, one]);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** The same hundred small files and the same talconfig, for each in its own delimiters. */
function templatesRepository() {
  const folder = talosRepository('both', 6);
  rmSync(join(folder, 'talos/talconfig.yaml'));
  for (const name of ['cluster.yaml', 'nodes.yaml', '.sops.yaml']) cpSync(join(root, name), join(folder, name), { force: true });
  writeFileSync(join(folder, 'data.yaml'), `cluster_name: home\n`);
  const put = (file, text) => {
    for (const [base, open, close] of [
      ['templates/config', '#{', '}#'],
      ['plain', '{{', '}}'],
    ]) {
      mkdirSync(join(folder, base, file, '..'), { recursive: true });
      writeFileSync(join(folder, base, file), text.replaceAll('<<', open).replaceAll('>>', close));
    }
  };
  for (let index = 0; index < 100; index += 1)
    put(
      `kubernetes/app-${index}.yaml.j2`,
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-${index}\n  labels: { cluster: << cluster_name >> }\ndata: { a: << cluster_name | upper >> }\n`,
    );
  put(
    'talos/talconfig.yaml.j2',
    head(6)
      .replace('clusterName: home', 'clusterName: << cluster_name >>')
      .replace('  - "@./patches/all.yaml"\n', '  - "machine: {sysctls: {a.b: x}}"\n'),
  );
  return folder;
}
