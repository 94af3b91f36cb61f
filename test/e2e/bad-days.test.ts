import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot, runTk, temporaryFolder } from '../rig/process.ts';
import { bytesOf, repositoryIn } from '../rig/repository.ts';
import { etcdClusters } from '../rig/sandbox-disk.ts';

/** A process has to start, and the machine may be busy with something else. */
const patience = 120_000;

/** An age key that belongs to nobody, and opens nothing here. */
const strangeKey = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';

interface BadInput {
  readonly what: string;
  /** `inputs`: the reference cluster's inputs and templates. `talhelper`: an untouched talhelper repository. */
  readonly repository: 'inputs' | 'talhelper';
  readonly spoil: (root: string) => void;
  readonly env?: Readonly<Record<string, string>>;
  readonly words: readonly string[];
  readonly exitCode?: number;
  /** First lines of the failures, and their places, in order. */
  readonly says: readonly RegExp[];
  readonly help: RegExp;
}

const edit = (name: string, change: (text: string) => string) => (root: string) =>
  writeFileSync(join(root, name), change(readFileSync(join(root, name), 'utf8')));
const asGit = (spoil: (root: string) => void) => (root: string) => {
  execFileSync('git', ['init', '-q', root]);
  spoil(root);
};

/** All that can be wrong before anything is done: exit 2, and the repository is as it was. */
const inputs: readonly BadInput[] = [
  {
    what: 'unknown keys',
    repository: 'inputs',
    spoil: (root) => {
      edit('cluster.yaml', (text) => text.replace('node_cidr', 'node_cdir'))(root);
      edit('nodes.yaml', (text) => text.replace('controller', 'contoller'))(root);
    },
    words: ['configure', '--sim'],
    says: [
      /^error\[config\/unknown-key\]: `node_cdir` is not a key of this file\n +——▶ cluster\.yaml:8:1$/m,
      /^error\[config\/unknown-key\]: `contoller` is not a key of this file\n +——▶ nodes\.yaml:4:5$/m,
    ],
    help: /^help: did you mean `node_cidr`\?$/m,
  },
  {
    what: 'duplicate addresses and addresses outside of the network',
    repository: 'inputs',
    spoil: edit('nodes.yaml', (text) => text.replace('192.168.42.11', '192.168.42.10').replace('192.168.42.21', '192.168.24.21')),
    words: ['configure', '--sim'],
    says: [
      /^error\[config\/duplicate-address\]: `192\.168\.42\.10` is used by `cp-1` and `cp-2`\n +——▶ nodes\.yaml:8:14$/m,
      /└── nodes\.yaml:3:14 first used here by `cp-1`$/m,
      /^error\[config\/address-outside-network\]: `worker-1` has address `192\.168\.24\.21`, outside `192\.168\.42\.0\/24`\n +——▶ nodes\.yaml:18:14$/m,
    ],
    help: /^help: did you mean `192\.168\.42\.21`\?$/m,
  },
  {
    what: 'overlapping networks',
    repository: 'inputs',
    spoil: edit('cluster.yaml', (text) => `${text}cluster_pod_cidr: 192.168.0.0/16\n`),
    words: ['configure', '--sim'],
    says: [/^error\[config\/overlapping-networks\]: `cluster_pod_cidr` .* overlaps with `node_cidr` .*\n +——▶ cluster\.yaml:\d+:19$/m],
    help: /^help: nodes, pods and services need networks of their own$/m,
  },
  {
    what: 'a missing input file',
    repository: 'inputs',
    spoil: (root) => rmSync(join(root, 'nodes.yaml')),
    words: ['bootstrap', '--sim'],
    says: [/^error\[config\/missing-file\]: `nodes\.yaml` is missing\n +——▶ cluster\.yaml:1:1$/m],
    help: /^help: /m,
  },
  {
    what: 'a missing patch file',
    repository: 'talhelper',
    spoil: (root) => rmSync(join(root, 'patches/sysctls.yaml')),
    words: ['talos:generate-config', '--sim'],
    says: [/^error\[talconfig\/missing-file\]: `patches\/sysctls\.yaml` does not exist\n +——▶ talconfig\.yaml:10:5$/m],
    help: /^help: restore the file, or take the line out$/m,
  },
  {
    what: 'no age key',
    repository: 'talhelper',
    spoil: () => {},
    env: { HOME: '/nonexistent' },
    words: ['talos:generate-config'],
    says: [/^error\[secrets\/no-key\]: no age key was found for `talsecret\.sops\.yaml`$/m],
    help: /^help: put the key into `age\.key`, or set `SOPS_AGE_KEY_FILE`$/m,
  },
  {
    what: 'a wrong age key',
    repository: 'talhelper',
    spoil: () => {},
    env: { HOME: '/nonexistent', SOPS_AGE_KEY: strangeKey },
    words: ['talos:generate-config'],
    says: [/^error\[secrets\/wrong-key\]: `talsecret\.sops\.yaml` is encrypted for another key$/m],
    help: /^help: put its key into `age\.key` or set `SOPS_AGE_KEY_FILE`/m,
  },
  {
    what: 'an age key file that is not there',
    repository: 'talhelper',
    spoil: () => {},
    env: { HOME: '/nonexistent', SOPS_AGE_KEY_FILE: '/nonexistent/keys.txt' },
    words: ['talos:generate-config'],
    says: [/^error\[secrets\/key-file\]: the key file `\/nonexistent\/keys\.txt` cannot be read$/m],
    help: /^help: put the age key there/m,
  },
  {
    what: 'a plaintext secret that git would take',
    repository: 'talhelper',
    spoil: asGit((root) => writeFileSync(join(root, 'talsecret.sops.yaml'), 'cluster:\n  id: plain\n')),
    words: ['talos:generate-config'],
    says: [/^error\[cluster\/plaintext-secret\]: `talsecret\.sops\.yaml` holds secrets in plain text, and git would take it$/m],
    help: /^help: npx tk sops encrypt talsecret\.sops\.yaml --out talsecret\.sops\.yaml$/m,
  },
  {
    what: 'a key file that git would take',
    repository: 'inputs',
    spoil: asGit((root) => writeFileSync(join(root, 'age.key'), `${strangeKey}\n`)),
    words: ['configure'],
    says: [/^error\[cluster\/secret-not-ignored\]: `age\.key` holds secrets, and git would take it$/m],
    help: /^help: add the line `\/age\.key` to `\.gitignore`/m,
  },
  {
    what: 'a secret in a committed input',
    repository: 'inputs',
    spoil: edit('cluster.yaml', (text) => `${text}cloudflare_token: abcdef\n`),
    words: ['configure', '--sim'],
    says: [/^error\[config\/secret-in-committed-input\]: `cloudflare_token` is a secret, and git would take it with `cluster\.yaml`$/m],
    help: /^help: move it to `cluster\.secrets\.sops\.yaml`/m,
  },
  {
    what: 'an open question without a terminal',
    repository: 'talhelper',
    spoil: () => {},
    words: ['talos:apply-node', '--sim'],
    says: [
      /^error\[prompt\/no-terminal\]: nobody can answer "Which node\?"\nbecause: there is no terminal; known are `cp-1` and `worker-1`$/m,
    ],
    help: /^help: give the answer with `--node …`$/m,
  },
  {
    what: 'an answer that is none',
    repository: 'talhelper',
    spoil: (root) => writeFileSync(join(root, 'answers.yaml'), 'node: cp-9\n'),
    words: ['talos:apply-node', '--sim', '--answers', 'answers.yaml'],
    says: [
      /^error\[prompt\/bad-answer\]: the answer to "Which node\?" in answers\.yaml cannot be taken\nbecause: it is none of cp-1, worker-1$/m,
    ],
    help: /^help: mend `node` there/m,
  },
  {
    what: 'a node that there is not',
    repository: 'talhelper',
    spoil: () => {},
    words: ['talos:apply-node', 'NODE=cp-2', '--sim'],
    says: [/^error\[cluster\/unknown-node\]: no node is named `cp-2`$/m],
    help: /^help: did you mean `cp-1`\?$/m,
  },
  {
    what: 'a chart that cannot be had',
    repository: 'talhelper',
    spoil: (root) => {
      const app = join(root, 'kubernetes/apps/default/podinfo/app');
      mkdirSync(app, { recursive: true });
      writeFileSync(join(app, 'kustomization.yaml'), 'resources: [ocirepository.yaml, helmrelease.yaml]\n');
      writeFileSync(
        join(app, 'ocirepository.yaml'),
        [
          'apiVersion: source.toolkit.fluxcd.io/v1',
          'kind: OCIRepository',
          'metadata: { name: podinfo }',
          // The discard service: nobody listens there.
          'spec: { interval: 1h, url: oci://127.0.0.1:9/charts/podinfo, ref: { tag: 6.9.0 } }',
          '',
        ].join('\n'),
      );
      writeFileSync(
        join(app, 'helmrelease.yaml'),
        [
          'apiVersion: helm.toolkit.fluxcd.io/v2',
          'kind: HelmRelease',
          'metadata: { name: podinfo }',
          'spec: { interval: 1h, chartRef: { kind: OCIRepository, name: podinfo } }',
          '',
        ].join('\n'),
      );
    },
    words: ['charts:pull', 'podinfo'],
    exitCode: 1,
    says: [/^error\[chart\/source-unreachable\]: /m, /127\.0\.0\.1/],
    help: /^help: /m,
  },
];

test.for(inputs)(
  '$what: told with the next command, exit 2, nothing touched',
  { timeout: patience },
  async ({ repository, spoil, env = {}, words, exitCode = 2, says, help }) => {
    using folder = temporaryFolder();
    const root =
      repository === 'inputs'
        ? repositoryIn(folder.path, 'home-ops', { from: projectRoot, copies: ['cluster.yaml', 'nodes.yaml', 'templates/config'] })
        : repositoryIn(folder.path, 'hut', { from: join(import.meta.dirname, 'fixtures/talhelper'), copies: ['.'] });
    spoil(root);
    const before = bytesOf(root);
    const run = await runTk(words, { cwd: root, env });
    expect({ exitCode: run.exitCode, stdout: run.stdout }, run.stderr).toEqual({ exitCode, stdout: '' });
    for (const pattern of says) expect(run.stderr).toMatch(pattern);
    expect(run.stderr).toMatch(help);
    expect(bytesOf(root)).toEqual(before);
    expect(existsSync(join(root, '.tk/sim/cluster/cluster.jsonl')) && words[0] === 'bootstrap').toBe(false);
  },
);

test('an even number of control planes, CRLF and a byte-order mark are taken, the first with a warning', {
  timeout: patience,
}, async () => {
  using folder = temporaryFolder();
  const root = repositoryIn(folder.path, 'home-ops', { from: projectRoot, copies: ['cluster.yaml', 'nodes.yaml', 'templates/config'] });
  edit('nodes.yaml', (text) => text.replace(/ {2}- name: cp-3\n(?: {4}.*\n)+/, '').replaceAll('\n', '\r\n'))(root);
  edit('cluster.yaml', (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}`)(root);
  const run = await runTk(['configure', '--sim'], { cwd: root });
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stderr).toMatch(
    /^warning\[config\/even-control-planes\]: 2 control planes tolerate the loss of none, as 1 would\n +——▶ nodes\.yaml:9:17$/m,
  );
  expect(run.stderr).toMatch(/^help: use 1 or 3$/m);
  const rendered = readFileSync(join(root, '.tk/sim/repo/files/talos/talconfig.yaml'), 'utf8');
  expect(rendered).not.toMatch(/[\r\uFEFF]/);
  expect(rendered).not.toContain('cp-3');
});

test('a repository that cannot be written to still has its list, its help and its plan; a run says what is in the way', {
  timeout: patience,
}, async () => {
  using folder = temporaryFolder();
  const root = repositoryIn(folder.path, 'hut', { from: join(import.meta.dirname, 'fixtures/talhelper'), copies: ['.'] });
  // Root may write wherever the mode forbids it: a file in the place of the folder stops everybody.
  writeFileSync(join(root, '.tk'), '');
  chmodSync(root, 0o555);
  try {
    expect(await runTk(['--list'], { cwd: root })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await runTk(['bootstrap', '--sim', '--plan'], { cwd: root })).toMatchObject({ exitCode: 0, stderr: '' });
    const run = await runTk(['bootstrap', '--sim'], { cwd: root });
    expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(run.stderr).toMatch(/^error\[host\/file\]: cannot .*\.tk/m);
    expect(run.stderr).toMatch(/^help: /m);
  } finally {
    chmodSync(root, 0o755);
  }
});

const lineOf = (text: string) => text.split('\n').at(-2) ?? '';

/** What is on the screen when the signals come. */
const waiting = 'waiting for cp-1 to install';

const codes: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

test.for([
  { what: 'the first lets what runs end', signals: ['SIGTERM'] },
  // Which is heard first is chance, and so is whether the run has come to its end by the time of the other.
  { what: 'two at once end it as one does', signals: ['SIGTERM', 'SIGINT'] },
] as const)('two-stage signals: $what', { timeout: patience }, async ({ signals }) => {
  using folder = temporaryFolder();
  const root = repositoryIn(folder.path, 'hut', { from: join(import.meta.dirname, 'fixtures/talhelper'), copies: ['.'] });
  let sent = 0;
  const run = await runTk(['bootstrap', '--sim'], {
    cwd: root,
    watch(stderr, kill) {
      if (sent > 0 || !stderr.includes(waiting)) return;
      sent = signals.length;
      // A process that stands still gets them together when it goes on, however busy the machine is.
      for (const signal of ['SIGSTOP', ...signals, 'SIGCONT'] as const) kill(signal);
    },
  });
  expect(sent).toBe(signals.length);
  const heard = /^(SIG[A-Z]+): stopping; what runs is let end/m.exec(run.stderr)?.[1] ?? 'none';
  expect([...signals], run.stderr).toContain(heard);
  expect({ exitCode: run.exitCode, signal: run.signal }, run.stderr).toEqual({ exitCode: codes[heard], signal: null });
  const aborting = /^(SIG[A-Z]+): aborting/m.exec(run.stderr)?.[1];
  expect([undefined, signals.find((signal) => signal !== heard)], run.stderr).toContain(aborting);
  expect(run.stderr).toMatch(/^ Stopped\b/m);
  // The same line goes on from there, and is in nobody's way but of a second one.
  let second: ReturnType<typeof runTk> | undefined;
  const again = await runTk(['bootstrap', '--sim'], {
    cwd: root,
    watch(stderr) {
      if (stderr.includes('❯ configure')) second ??= runTk(['bootstrap', '--sim'], { cwd: root });
    },
  });
  expect(again.exitCode, again.stderr).toBe(0);
  const refused = await second;
  expect(refused?.exitCode, refused?.stderr).toBe(4);
  expect(refused?.stderr).toMatch(/^error\[(?:lock\/held|sim\/in-use)\]: /m);
  expect(etcdClusters(root)).toEqual(['c1']);
});

test('two-stage signals: what the first lets end is aborted by the second', { timeout: patience }, async () => {
  using folder = temporaryFolder();
  const root = repositoryIn(folder.path, 'hut', {
    from: join(import.meta.dirname, 'fixtures/talhelper'),
    copies: ['.'],
    files: {
      'tasks/backup.ts':
        "export default Object.assign(() => {}, { definition: { summary: 'Backup', effect: 'read', async run({ $, log }) { const command = $`sleep 600`; log('begun'); await command; } } });\n",
    },
  });
  const coming: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  const run = await runTk(['backup'], {
    cwd: root,
    watch(stderr, kill) {
      const isDue = coming.length === 2 ? stderr.includes('begun') : stderr.includes('stopping');
      const signal = isDue ? coming.shift() : undefined;
      if (signal) kill(signal);
    },
  });
  expect(run.stderr).toContain('SIGTERM: stopping; what runs is let end, a second signal aborts\nSIGINT: aborting');
  expect({ exitCode: run.exitCode, signal: run.signal }, run.stderr).toEqual({ exitCode: 143, signal: null });
});

test('a hail of signals from the first line to the last never ends the process by a signal', { timeout: patience }, async () => {
  using folder = temporaryFolder();
  const root = repositoryIn(folder.path, 'hut', { from: join(import.meta.dirname, 'fixtures/talhelper'), copies: ['.'] });
  let hail: NodeJS.Timeout | undefined;
  const run = await runTk(['bootstrap', '--sim'], {
    cwd: root,
    watch(_stderr, kill) {
      hail ??= setInterval(() => kill('SIGINT'), 1);
    },
  });
  clearInterval(hail);
  expect({ exitCode: run.exitCode, signal: run.signal }, lineOf(run.stderr)).toEqual({ exitCode: 130, signal: null });
});
