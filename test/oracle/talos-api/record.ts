// Records how upstream's own Go code answers our client, and which resource definitions each Talos minor registers.
// Needs Go and the published modules. `node test/oracle/talos-api/record.ts`
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TalosTrust, TkError } from '../../../lib/base/index.ts';
import { createHostWorld } from '../../../lib/host/index.ts';
import { createTalosMutator } from '../../../lib/talos/index.ts';
import { testPki } from '../../rig/pki.ts';
import { converse } from './conversation.ts';
import { recordingDial } from './recording.ts';

const here = import.meta.dirname;
const root = join(here, '../../..');

const releases = [
  { minor: '1.12', tag: 'v1.12.6', replace: [] },
  { minor: '1.13', tag: 'v1.13.9', replace: [] },
  // Two modules that this release names are not published under those versions.
  {
    minor: '1.14',
    tag: 'v1.14.1',
    replace: ['github.com/cosi-project/runtime=v1.16.2', 'github.com/jsimonetti/rtnetlink/v2=v2.2.1-0.20260317095713-310581b9c6ac'],
  },
] as const;

function build({ minor, tag, replace }: (typeof releases)[number], folder: string): string {
  const types = readFileSync(join(here, `types/${minor}.txt`), 'utf8')
    .trim()
    .split('\n');
  const packages = [...new Set(types.map((type) => type.split('.')[0]))];
  copyFileSync(join(here, 'main.go'), join(folder, 'main.go'));
  writeFileSync(
    join(folder, 'types.go'),
    [
      'package main',
      'import (',
      '"github.com/cosi-project/runtime/pkg/resource/meta"',
      ...packages.map((name) => `${name} "github.com/siderolabs/talos/pkg/machinery/resources/${name}"`),
      ')',
      `const version = "${tag}"`,
      'var registered = []meta.ResourceWithRD{',
      ...types.map((type) => `&${type}{},`),
      '}',
    ].join('\n'),
  );
  if (minor === '1.12') {
    writeFileSync(
      join(folder, 'lifecycle.go'),
      'package main\nimport "google.golang.org/grpc"\nfunc registerNewServices(*grpc.Server) {}\n',
    );
  } else copyFileSync(join(here, 'lifecycle.go.txt'), join(folder, 'lifecycle.go'));
  writeFileSync(
    join(folder, 'go.mod'),
    [
      'module server',
      'go 1.26',
      `require github.com/siderolabs/talos/pkg/machinery ${tag}`,
      ...replace.map((one) => `replace ${one.split('=')[0]} => ${one.replace('=', ' ')}`),
    ].join('\n'),
  );
  const go = (...args: string[]) => execFileSync('go', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  go('mod', 'tidy');
  go('build', '-o', 'server', '.');
  return join(folder, 'server');
}

async function record(binary: string, minor: string, folder: string): Promise<void> {
  const pki = await testPki();
  const pair = await pki.serverPair('127.0.0.1');
  writeFileSync(join(folder, 'ca.pem'), pki.ca);
  writeFileSync(join(folder, 'server.pem'), pair.certificate);
  writeFileSync(join(folder, 'server-key.pem'), pair.key.reveal(), { mode: 0o600 });
  const server = spawn(binary, ['serve', folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = (await once(server.stdout, 'data')) as [Buffer];
  const world = createHostWorld();
  const dial = recordingDial(world.dial);
  const machine = { node: 'cp-1', host: '127.0.0.1', port: Number(port.toString()), trust: await pki.mutual('os:admin') };
  const talos = createTalosMutator({ dial, clock: world.clock }, machine, {
    uuid: '4c4c4544-0000-0000-0000-000000000001',
    hostname: 'cp-1',
  });
  const result = await converse(talos, AbortSignal.timeout(30_000));
  talos.close();
  const foreign = await testPki();
  const handshake = (trust: TalosTrust) =>
    world.dial.talos({ ...machine, trust }, AbortSignal.timeout(5000)).then(
      (connection) => {
        connection.close();
        return 'accepted';
      },
      (error: unknown) => (error instanceof TkError ? `${error.failure.facts.reason} ${error.failure.facts.detail}` : String(error)),
    );
  const handshakes = {
    ours: await handshake(machine.trust),
    'no certificate': await handshake({ kind: 'insecure' }),
    "another authority's certificate": await handshake({ ...(await foreign.mutual('os:admin')), ca: pki.ca }),
    'another authority expected': await handshake({ ...machine.trust, ca: foreign.ca }),
  };
  server.stdin.end();
  writeFileSync(
    join(root, `test/conformance/talos-api/${minor}.json`),
    `${JSON.stringify({ ...dial.recording(), handshakes, result }, undefined, 1)}\n`,
  );
}

interface Definition {
  readonly type: string;
}

/** One row per distinct definition, with the minors that have it. */
function mergeDefinitions(byMinor: ReadonlyMap<string, readonly Definition[]>): string {
  const rows = new Map<string, string[]>();
  for (const [minor, definitions] of byMinor) {
    for (const definition of definitions) {
      const text = JSON.stringify(definition);
      rows.set(text, [...(rows.get(text) ?? []), minor]);
    }
  }
  const lines = [...rows]
    .map(([text, minors]) => ({
      type: (JSON.parse(text) as Definition).type,
      line: `  { minors: ${JSON.stringify(minors)}, ${text.slice(1)},`,
    }))
    .sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : a.line < b.line ? -1 : 1));
  return [
    `// Written by test/oracle/talos-api/record.ts from upstream's packages at ${releases.map(({ tag }) => tag).join(', ')}.`,
    "import type { ResourceDefinitionRow } from './resource-definitions.ts';",
    '',
    'export const resourceDefinitionRows: readonly ResourceDefinitionRow[] = [',
    ...lines.map(({ line }) => line),
    '];',
    '',
  ].join('\n');
}

const definitions = new Map<string, readonly Definition[]>();
for (const release of releases) {
  const folder = mkdtempSync(join(tmpdir(), 'talos-api-'));
  try {
    const binary = build(release, folder);
    definitions.set(release.minor, JSON.parse(execFileSync(binary, ['definitions'], { encoding: 'utf8' })) as Definition[]);
    await record(binary, release.minor, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
writeFileSync(join(root, 'lib/upstream/resource-definitions.gen.ts'), mergeDefinitions(definitions));
