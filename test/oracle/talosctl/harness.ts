import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TalosTrust } from '../../../lib/base/index.ts';
import { createHostWorld } from '../../../lib/host/index.ts';
import { createKubeModel, openSandbox, type SandboxSpec, type SimulatedKube } from '../../../lib/sim/index.ts';
import { adminTrust, configsOf, driverOf, type Minor, versions } from '../../unit/sim/cluster-rig.ts';
import { type Command, network } from './commands.ts';
import { listeningWorld, type RecordedCall, type RecordedCommand } from './transcript.ts';

/** Virtual seconds per real second: boots and installs take a moment, talosctl's own deadlines are far away. */
const speed = 20;

export type StockCluster = Awaited<ReturnType<typeof openStockCluster>>;

/** A simulated cluster behind real sockets, and stock talosctl to speak to it; every call is noted. */
export async function openStockCluster(folder: string, client: Minor, server: Minor, spec: SandboxSpec) {
  const directory = mkdtempSync(join(tmpdir(), 'talosctl-'));
  let calls: RecordedCall[] = [];
  let kube: SimulatedKube | undefined;
  const sandbox = await openSandbox({
    world: createHostWorld(),
    bind: (clock) => listeningWorld(createHostWorld({ clock }), (call) => void calls.push(call)),
    directory: join(directory, 'cluster'),
    spec,
    time: 'follow',
    speed,
    hooks: { kube: (kernel, host) => (kube = createKubeModel(kernel, host)) },
  });
  const { bundle, texts } = await configsOf(sandbox.world, server, spec);
  const trust = await adminTrust(sandbox.world, bundle);
  for (const { name } of spec.machines) writeFileSync(join(directory, `${name}.yaml`), texts.get(name) ?? '');
  const endpoints = spec.machines.filter(({ role }) => role === 'controlplane').map(({ address }) => address);
  writeFileSync(join(directory, 'talosconfig'), talosconfigOf(trust, endpoints), { mode: 0o600 });
  const driver = driverOf(sandbox.world, spec, texts, trust);
  const commands: RecordedCommand[] = [];

  return {
    spec,
    driver,
    kernel: sandbox.kernel,
    kube: () => kube as SimulatedKube,
    commands: commands as readonly RecordedCommand[],
    directory,
    async run(list: readonly Command[]): Promise<void> {
      for (const command of list) {
        if (command.clients && !command.clients.includes(client)) continue;
        calls = [];
        const argv = typeof command.argv === 'function' ? command.argv({ client, server, version: versions[server].talos }) : command.argv;
        const { exitCode, stdout, stderr } = await talosctl(join(folder, `talosctl-${client}`), argv, directory, command.stopAfterMs);
        // Interrupted followers end with 0 or 130, as it happens.
        const ended = command.stopAfterMs === undefined ? exitCode : 130;
        commands.push({
          argv,
          ...(command.compares ? { compares: command.compares } : {}),
          ...(command.disrupts ? { disrupts: true } : {}),
          exitCode: ended,
          stdout: tidy(stdout, directory),
          stderr: tidy(stderr, directory),
          calls: command.keeps === 'kinds' ? kindsOf(calls, argv[0] === 'support') : [...calls],
        });
        process.stderr.write(`${client} -> ${server}  ${exitCode}  ${argv.join(' ')}\n${exitCode === 0 ? '' : stderr}`);
        if (command.disrupts) for (const { name } of spec.machines) await driver.stage(name, 'running');
      }
    },
    /** From maintenance mode to etcd waiting for its bootstrap. */
    async untilBootstrap(): Promise<void> {
      await driver.until('cp-1 to wait for bootstrap', async () => {
        const services = await driver.reader('cp-1').services(AbortSignal.timeout(5000));
        return services.some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined;
      });
      for (const { name } of spec.machines)
        await driver.until(`${name} to boot`, async () =>
          (await driver.reader(name).version(AbortSignal.timeout(5000))).tag === '' ? undefined : true,
        );
    },
    async close(): Promise<void> {
      await sandbox.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** One call of each kind, where a tool asks the same again and again. */
function kindsOf(calls: readonly RecordedCall[], whateverNode: boolean): readonly RecordedCall[] {
  const seen = new Set<string>();
  return calls.filter(({ path, node, status, fields }) => {
    const key = JSON.stringify(whateverNode ? [path, status] : [path, node, status, path.endsWith('/Watch') ? [] : fields]);
    return !seen.has(key) && seen.add(key);
  });
}

function talosctl(binary: string, argv: readonly string[], directory: string, stopAfterMs = 180_000) {
  return new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
    const options = {
      cwd: directory,
      timeout: stopAfterMs,
      killSignal: 'SIGINT' as const,
      maxBuffer: 64 * 1024 * 1024,
      env: { PATH: process.env.PATH, HOME: directory, TALOSCONFIG: join(directory, 'talosconfig') },
    };
    execFile(binary, [...argv], options, (error, stdout, stderr) => {
      resolve({ exitCode: error ? (typeof error.code === 'number' ? error.code : 130) : 0, stdout, stderr });
    });
  });
}

function talosconfigOf(trust: TalosTrust, endpoints: readonly string[]): string {
  if (trust.kind !== 'mutual') throw new Error('admin credentials are needed');
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  return [
    'context: test',
    'contexts:',
    '  test:',
    `    endpoints: [${endpoints.slice(0, 2).join(', ')}]`,
    `    nodes: [${network}.11]`,
    `    ca: ${encoded(trust.ca)}`,
    `    crt: ${encoded(trust.certificate)}`,
    `    key: ${encoded(trust.key.reveal())}`,
    '',
  ].join('\n');
}

/** Paths of this machine do not belong into a recording, nor do secrets of a config that was printed. */
function tidy(text: string, directory: string): string {
  return (
    text
      .replaceAll(directory, '…')
      .replace(/(Config diff:\n)[\s\S]*/, '$1…')
      // The people who could read a support bundle, and a bar that moves as fast as the machine that recorded it.
      .replace(/(recipients:\n)(?: {2}- .*\n)+/, '$1')
      .replace(/^.*% cluster: collect [^\n]*\n?/gm, '')
      .slice(0, 4000)
  );
}

export const pairs: readonly (readonly [client: Minor, server: Minor])[] = [
  ['1.12', '1.12'],
  ['1.13', '1.13'],
  ['1.14', '1.14'],
  ['1.14', '1.12'],
  ['1.12', '1.14'],
];
