import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GrpcError, type GrpcHandler, type World } from '../../../lib/base/index.ts';
import { createHostWorld } from '../../../lib/host/index.ts';
import { createKubeModel, openSandbox, type Sandbox } from '../../../lib/sim/index.ts';
import { generateTalosconfig } from '../../../lib/talos/machine-config.ts';
import { configsOf, type Minor, specOf } from '../../unit/sim/cluster-rig.ts';
import { phases, reached, type RecordedCall, type RecordedCommand } from '../../conformance/sim/talosctl.ts';

/**
 * Records what stock talosctl sends to a simulated cluster of its own generation, and what it prints.
 *
 *     node --conditions=talos-tk-source test/oracle/sim/record.ts 1.14 PATH_OF_TALOSCTL
 *
 * Linux only: the machines listen on 127.0.<minor>.x.
 */
const [minor = '1.14', talosctl = 'talosctl'] = process.argv.slice(2);
const network = `127.0.${minor.split('.')[1]}`;
const spec = specOf(minor as Minor, 3, 1, network);
const directory = await mkdtemp(join(tmpdir(), 'tk-record-'));
const calls: RecordedCall[] = [];

function recording(world: World): World {
  const wrap = (handler: GrpcHandler): GrpcHandler =>
    async function* (call) {
      const requests: Uint8Array[] = [];
      for await (const request of call.requests) requests.push(request);
      const [first = new Uint8Array()] = requests;
      const { node, nodes } = call.metadata;
      const recorded = {
        path: call.path,
        ...(node === undefined ? {} : { node: String(node) }),
        ...(nodes === undefined ? {} : { nodes: String(nodes) }),
        isInsecure: call.client === undefined,
        request: call.path.endsWith('/ApplyConfiguration') ? 'config' : Buffer.from(first).toString('base64'),
        code: 0,
        messages: 0,
      };
      try {
        for await (const message of handler({
          ...call,
          requests: (async function* () {
            yield* requests;
          })(),
        })) {
          recorded.messages += 1;
          yield message;
        }
      } catch (error) {
        recorded.code = error instanceof GrpcError ? error.status.code : 2;
        throw error;
      } finally {
        calls.push(recorded);
      }
    };
  return { ...world, listen: { ...world.listen, grpc: (options) => world.listen.grpc({ ...options, handler: wrap(options.handler) }) } };
}

const sandbox = await openSandbox({
  world: createHostWorld(),
  bind: (clock) => recording(createHostWorld({ clock })),
  directory: join(directory, 'state'),
  spec,
  time: 'follow',
  speed: 20,
  hooks: { kube: (kernel, host) => createKubeModel(kernel, host) },
});
const { bundle, texts } = await configsOf(sandbox.world, minor as Minor, spec);
for (const [name, text] of texts) await writeFile(join(directory, `${name}.yaml`), text);
const endpoints = spec.machines.filter(({ role }) => role === 'controlplane').map(({ address }) => address);
const talosconfig = await generateTalosconfig(sandbox.world, bundle, { clusterName: 'test', endpoints });
await writeFile(join(directory, 'talosconfig'), talosconfig.text.reveal(), { mode: 0o600 });

const recorded: RecordedCommand[] = [];
for (const phase of phases) {
  await waitUntil(sandbox, phase.when);
  for (const line of phase.commands) {
    calls.length = 0;
    const argv = line.replaceAll('NET', network).split(' ');
    const { exitCode, output } = await run(argv);
    // Parallel calls arrive in any order.
    const sorted = [...calls].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    recorded.push({ when: phase.when, command: line, exitCode, output, calls: sorted });
  }
}
await sandbox.close();
await rm(directory, { recursive: true });
await writeFile(join(import.meta.dirname, `../../conformance/sim/talosctl-${minor}.json`), `${JSON.stringify(recorded, null, 1)}\n`);

function run(argv: readonly string[]): Promise<{ readonly exitCode: number; readonly output: readonly string[] }> {
  return new Promise((resolve) => {
    execFile(
      talosctl,
      argv,
      { cwd: directory, timeout: 60_000, env: { TALOSCONFIG: join(directory, 'talosconfig'), HOME: directory } },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({
          exitCode,
          output: `${stdout}${stderr}`
            .split('\n')
            .map((line) => line.trimEnd())
            .filter((line) => line !== '')
            .slice(0, 40)
            .map(steady),
        });
      },
    );
  });
}

/** What differs from run to run stands as its kind. */
function steady(line: string): string {
  return line
    .replace(/\b[0-9a-f]{16}\b/g, '<member>')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<actor>')
    .replace(/\b\d+h\d+m\d+s ago/g, '<age>')
    .replace(/\[\d{10}\.\d{3}\]/g, '[<time>]')
    .replace(/\b\d{4}-\d\d-\d\d[T ][\d:.]+(?: ?[+Z][\w ]*)?/g, '<time>')
    .replace(/PID \d+/g, 'PID <n>')
    .replaceAll(network, 'NET');
}

async function waitUntil(box: Sandbox, when: (typeof phases)[number]['when']): Promise<void> {
  while (!reached(when, spec, (key) => box.kernel.store.get(key))) await new Promise((resolve) => setTimeout(resolve, 200));
}
