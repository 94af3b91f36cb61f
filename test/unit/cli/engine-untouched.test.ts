import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRedactor } from '../../../lib/base/index.ts';
import { loadModel } from '../../../lib/cli/load-model.ts';
import { openRepositoryCluster } from '../../../lib/cli/open-cluster.ts';
import { settingsSchema } from '../../../lib/cluster/index.ts';
import { findRepository } from '../../../lib/config/index.ts';
import { createEngine, createRegistry } from '../../../lib/core/index.ts';
import { createMemoryWorld } from '../../../lib/sim/index.ts';
import { projectRoot } from '../../rig/process.ts';
import { builtInTasks } from '../../rig/tasks.ts';

const root = '/home/user/home-ops';
/** What a task cannot be planned without. */
const params: Readonly<Record<string, object>> = {
  explain: { path: 'machine.kubelet.extraArgs' },
  'talos:etcd-recover': { snapshot: 'x.snapshot' },
  'talos:etcd-remove-member': { member: 'cp-1' },
  'talos:get': { type: 'members' },
  'talos:patch': { patch: ['{}'] },
  'talos:service': { service: 'kubelet', action: 'restart' },
};

/** tk's own repository: it is its first user. */
function ownFiles(): Readonly<Record<string, string>> {
  const manifests = readdirSync(join(projectRoot, 'kubernetes'), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(projectRoot.length).replace(/^\/+/, ''));
  return Object.fromEntries(
    ['cluster.yaml', 'nodes.yaml', ...manifests].map((path) => [join(root, path), readFileSync(join(projectRoot, path), 'utf8')]),
  );
}

test('no task that --list names touches the Helm engine before it runs, with a tree full of charts', async () => {
  const { world } = createMemoryWorld({ seed: 'untouched', files: ownFiles() });
  const rendered: string[] = [];
  const counting = {
    ...world,
    compute: {
      run: (module: string) => {
        rendered.push(module);
        return Promise.reject(new Error('nothing here computes'));
      },
    },
  };
  const model = await loadModel(counting, await findRepository(counting.files, root, { exactly: true }));
  const redactor = createRedactor();
  const cluster = await openRepositoryCluster({
    world: counting,
    model,
    settings: settingsSchema.parse({}),
    isSandbox: true,
    cacheDirectory: join(root, '.tk/sim/cache'),
    redactor,
  });
  const tasks = await builtInTasks();
  const registry = createRegistry();
  for (const [name, task] of tasks) registry.register(name, task);
  const engine = createEngine({
    world: counting,
    registry,
    kit: { plan: () => ({ cluster: cluster.view }), run: () => ({ cluster: cluster.view, $: undefined as never }) },
    stateDirectory: join(root, '.tk/sim'),
    root,
    identity: cluster.identity,
    version: 'test',
    redactor,
    prompter: undefined as never,
    sinks: [],
    stdout: () => {},
    failureClasses: {},
    owner: 'a test',
  });
  const { signal } = new AbortController();
  for (const [name, task] of tasks) {
    const call = { kind: 'call', task, params: params[name] ?? {} } as const;
    const plan = await engine.plan([call], { mode: 'plan', offline: true, signal });
    expect(plan.tasks, name).not.toEqual([]);
  }
  expect(rendered).toEqual([]);
  expect(tasks.size).toBeGreaterThan(60);
});
