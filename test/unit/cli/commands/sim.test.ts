import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createHostWorld } from '../../../../lib/host/index.ts';
import { findRepository } from '../../../../lib/config/index.ts';
import { keptMark, openSandboxWorld } from '../../../../lib/cli/sandbox/open.ts';
import { projectRoot, temporaryFolder } from '../../../rig/process.ts';
import { inFolder } from './in-folder.ts';

const ofProject = (name: string) => readFileSync(join(projectRoot, name), 'utf8');
const repository = () => temporaryFolder({ 'cluster.yaml': ofProject('cluster.yaml'), 'nodes.yaml': ofProject('nodes.yaml') });

/** Runs `sim:up` until `use` has ended. */
async function whileUp(folder: string, use: () => Promise<void>) {
  const stopping = new AbortController();
  let report: (note: string) => void = () => {};
  const listening = new Promise<string>((resolve) => {
    report = (note) => (note.startsWith('Tasks with') ? resolve(note) : undefined);
  });
  const up = inFolder(folder, ['sim:up', '--speed=50'], { signal: stopping.signal, onNote: (note) => report(note) });
  await Promise.race([listening, up]);
  try {
    await use();
  } finally {
    stopping.abort();
  }
  return up;
}

test('a repository has no sandbox until something makes one', async () => {
  using folder = repository();
  expect((await inFolder(folder.path, ['sim:status'])).failures).toEqual(['usage/no-sandbox']);
  expect((await inFolder(folder.path, ['sim:reset'])).notes).toEqual(['there was no sandbox']);
  expect((await inFolder(folder.path, ['sim:up', '--speed=0'])).failures).toEqual(['usage/bad-value']);
  expect(existsSync(join(folder.path, '.tk'))).toBe(false);
});

test('sim:up keeps the sandbox for other processes, and what it leaves behind can be looked at and thrown away', async () => {
  using folder = repository();
  const world = createHostWorld();
  const found = await findRepository(world.files, folder.path, { exactly: true });
  const up = await whileUp(folder.path, async () => {
    const status = await inFolder(folder.path, ['sim:status'], { json: true });
    expect(JSON.parse(status.stdout)).toMatchObject({ isListening: true, etcd: { clusters: 0, members: 0 } });
    expect((await inFolder(folder.path, ['sim:reset'])).failures).toEqual(['sim/in-use']);
    expect((await inFolder(folder.path, ['sim:up'])).failures).toEqual(['sim/in-use']);
    // A task of another process reaches the machines of this one, and writes its talosconfig where sim:up finds it.
    const used = await openSandboxWorld({ world, repository: found });
    expect(used.endpoints().filter(({ port }) => port === 50_000)).toHaveLength(used.model.nodes.length);
    await used.world.files.write(
      used.model.paths.talosconfig,
      `contexts:\n  home:\n    endpoints:\n      - ${used.model.nodes[0]?.address}\n`,
    );
    await used.close();
    const outside = join(folder.path, '.tk/sim/talosconfig');
    await expect.poll(() => existsSync(outside), { timeout: 10_000 }).toBe(true);
    expect(readFileSync(outside, 'utf8')).toMatch(/^contexts:\n {2}home:\n {4}endpoints:\n {6}- 127\.0\.0\.1:\d+\n$/);
    expect(statSync(outside).mode & 0o777).toBe(0o600);
  });
  expect(up.stdout).toBe(`export TALOSCONFIG=${folder.path}/.tk/sim/talosconfig\nexport KUBECONFIG=${folder.path}/.tk/sim/kubeconfig\n`);
  expect(up.failures).toEqual([]);
  expect(existsSync(keptMark(folder.path))).toBe(false);
  expect(existsSync(join(folder.path, '.tk/sim/talosconfig'))).toBe(false);
  const lines = (await inFolder(folder.path, ['sim:status'])).stdout.split('\n');
  expect(lines[0]).toMatch(/^cp-1 +192\.168\.42\.10 +controlplane +maintenance +v1\.\d+\.\d+$/);
  expect(lines.at(-2)).toMatch(/^etcd not bootstrapped · .* of simulated time$/);
  expect((await inFolder(folder.path, ['sim:reset'])).notes).toEqual(['the sandbox is gone']);
  expect(existsSync(join(folder.path, '.tk/sim'))).toBe(false);
  expect(existsSync(join(folder.path, 'talos'))).toBe(false);
});

test('a sandbox that a task has open for itself is not shared, whatever a killed sim:up left behind', async () => {
  using folder = repository();
  const world = createHostWorld();
  const found = await findRepository(world.files, folder.path, { exactly: true });
  await world.files.write(keptMark(folder.path), '');
  const first = await openSandboxWorld({ world, repository: found });
  expect(existsSync(keptMark(folder.path))).toBe(false);
  await expect(openSandboxWorld({ world, repository: found })).rejects.toMatchObject({ failure: { code: 'sim/in-use' } });
  await first.close();
});
