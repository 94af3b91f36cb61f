// Runs stock talosctl against the simulator behind real sockets and records every call.
// `node test/oracle/talosctl/record.ts FOLDER`, where FOLDER holds talosctl-1.12, talosctl-1.13 and talosctl-1.14. Linux only.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TalosTrust } from '../../../lib/base/index.ts';
import { createHostWorld } from '../../../lib/host/index.ts';
import { createKubeModel, openSandbox } from '../../../lib/sim/index.ts';
import { adminTrust, configsOf, driverOf, type Minor, specOf, versions } from '../../unit/sim/cluster-rig.ts';
import { commandsAfterBoot, commandsInMaintenance, bootstrapCommands, type Command, network } from './commands.ts';
import { listeningWorld, type RecordedCall, type RecordedCommand, type Transcript } from './transcript.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where the talosctl binaries lie');

/** Virtual seconds per real second: boots and installs take a moment, talosctl's own deadlines are far away. */
const speed = 20;

async function record(client: Minor, server: Minor): Promise<Transcript> {
  const directory = mkdtempSync(join(tmpdir(), 'talosctl-'));
  let calls: RecordedCall[] = [];
  const real = createHostWorld();
  const spec = specOf(server, 3, 1, network);
  const sandbox = await openSandbox({
    world: real,
    bind: (clock) => listeningWorld(createHostWorld({ clock }), (call) => void calls.push(call)),
    directory: join(directory, 'cluster'),
    spec,
    time: 'follow',
    speed,
    hooks: { kube: (kernel, host) => createKubeModel(kernel, host) },
  });
  try {
    const { bundle, texts } = await configsOf(sandbox.world, server, spec);
    const trust = await adminTrust(sandbox.world, bundle);
    for (const { name } of spec.machines) writeFileSync(join(directory, `${name}.yaml`), texts.get(name) ?? '');
    writeFileSync(join(directory, 'talosconfig'), talosconfigOf(trust), { mode: 0o600 });
    const driver = driverOf(sandbox.world, spec, texts, trust);
    const commands: RecordedCommand[] = [];
    const run = async (list: readonly Command[]) => {
      for (const command of list) {
        if (command.clients && !command.clients.includes(client)) continue;
        calls = [];
        const argv = typeof command.argv === 'function' ? command.argv({ client, server, version: versions[server].talos }) : command.argv;
        const { exitCode, stdout, stderr } = await talosctl(client, argv, directory, command.stopAfterMs);
        // Interrupted followers end with 0 or 130, as it happens.
        const ended = command.stopAfterMs === undefined ? exitCode : 130;
        commands.push({
          argv,
          ...(command.compares ? { compares: command.compares } : {}),
          ...(command.disrupts ? { disrupts: true } : {}),
          exitCode: ended,
          stdout: tidy(stdout, directory),
          stderr: tidy(stderr, directory),
          calls: [...calls],
        });
        if (command.disrupts) for (const { name } of spec.machines) await driver.stage(name, 'running');
        process.stderr.write(`${client} -> ${server}  ${exitCode}  ${argv.join(' ')}\n${exitCode === 0 ? '' : stderr}`);
      }
    };
    await run(commandsInMaintenance);
    await driver.until('cp-1 to wait for bootstrap', async () => {
      const services = await driver.reader('cp-1').services(AbortSignal.timeout(5000));
      return services.some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined;
    });
    for (const { name } of spec.machines)
      await driver.until(`${name} to boot`, async () =>
        (await driver.reader(name).version(AbortSignal.timeout(5000))).tag === '' ? undefined : true,
      );
    await run(bootstrapCommands);
    for (const { name } of spec.machines) await driver.stage(name, 'running');
    await run(commandsAfterBoot);
    return { client, talosVersion: versions[server].talos, commands };
  } finally {
    await sandbox.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function talosctl(client: Minor, argv: readonly string[], directory: string, stopAfterMs = 90_000) {
  return new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
    const options = {
      cwd: directory,
      timeout: stopAfterMs,
      killSignal: 'SIGINT' as const,
      env: { PATH: process.env.PATH, HOME: directory, TALOSCONFIG: join(directory, 'talosconfig') },
    };
    execFile(join(folder ?? '', `talosctl-${client}`), [...argv], options, (error, stdout, stderr) => {
      resolve({ exitCode: error ? (typeof error.code === 'number' ? error.code : 130) : 0, stdout, stderr });
    });
  });
}

function talosconfigOf(trust: TalosTrust): string {
  if (trust.kind !== 'mutual') throw new Error('admin credentials are needed');
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  return [
    'context: test',
    'contexts:',
    '  test:',
    `    endpoints: [${network}.11, ${network}.12]`,
    `    nodes: [${network}.11]`,
    `    ca: ${encoded(trust.ca)}`,
    `    crt: ${encoded(trust.certificate)}`,
    `    key: ${encoded(trust.key.reveal())}`,
    '',
  ].join('\n');
}

/** Paths of this machine do not belong into a recording, nor do secrets of a config that was printed. */
function tidy(text: string, directory: string): string {
  return text
    .replaceAll(directory, '…')
    .replace(/(Config diff:\n)[\s\S]*/, '$1…')
    .slice(0, 4000);
}

const pairs: readonly (readonly [client: Minor, server: Minor])[] = [
  ['1.12', '1.12'],
  ['1.13', '1.13'],
  ['1.14', '1.14'],
  ['1.14', '1.12'],
  ['1.12', '1.14'],
];
const wanted = process.argv[3];
for (const [client, server] of pairs) {
  if (wanted !== undefined && wanted !== `${client}-to-${server}`) continue;
  const { commands, ...head } = await record(client, server);
  // One command a line, so that a new recording reads as a difference.
  const lines = commands.map((command) => JSON.stringify(command)).join(',\n');
  const text = `${JSON.stringify(head).slice(0, -1)},"commands":[\n${lines}\n]}\n`;
  writeFileSync(join(import.meta.dirname, `../../conformance/talosctl/${client}-to-${server}.json`), text);
}
