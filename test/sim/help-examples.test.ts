import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { findCommand, parseArguments, splitGlobalFlags } from '../../lib/cli/argv.ts';
import { manifestEntryOf, taskNameOf } from '../../lib/cli/tasks/manifest.ts';
import { paramShapesOf, parseParams, type Task } from '../../lib/core/index.ts';
import { simulate } from '../rig/watched.ts';

const directory = join(import.meta.dirname, '../../tasks');

/** Words as a shell cuts them. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

/** What the cluster of the test rightly refuses: it is well, and has no Flux. */
const refusals: Readonly<Record<string, readonly string[]>> = {
  'talos:etcd-recover talos/backups/etcd-20260102T030405Z.db': ['etcd/works'],
  'talos:etcd-remove-member cp-3 --plan': ['etcd/member-works'],
  'flux:reconcile': ['flux/no-kustomization'],
};

test('every example of a help can be typed, and does what it says on a simulated cluster', { timeout: 90_000 }, async () => {
  await using rig = await simulate({
    controlPlanes: 3,
    workers: 1,
    files: { 'patch.yaml': 'machine: { sysctls: { vm.swappiness: "10" } }\n' },
  });
  const kept = { path: 'talos/backups/etcd-20260102T030405Z.db' };
  expect((await rig.tk('talos:etcd-snapshot', kept)).exitCode).toBe(0);
  const tasks = new Map<string, Task>();
  for (const file of readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.name.endsWith('.ts'))) {
    const path = join(file.parentPath, file.name);
    const loaded = (await import(path)) as { readonly default: Task };
    tasks.set(taskNameOf(relative(directory, path)) ?? '', loaded.default);
  }
  const withoutExample: string[] = [];
  const ended: Record<string, unknown> = {};
  for (const [name, task] of tasks) {
    const { params, examples, effect } = manifestEntryOf(name, task, paramShapesOf(task));
    if (examples === undefined && params.some((param) => param.required || param.name === 'ip')) withoutExample.push(name);
    for (const example of examples ?? []) {
      const { words, flags } = splitGlobalFlags(wordsOf(example));
      const found = findCommand(words, new Set(tasks.keys()));
      const parsed = parseParams(name, task, parseArguments(name, found.rest, params));
      if (found.name !== name || !parsed.ok) ended[example] = parsed;
      else if (flags.plan || effect === 'mutate' || effect === 'destroy') {
        const failed = (await rig.plan(name, parsed.value)).tasks.flatMap(({ failure }) => failure?.code ?? []);
        if (String(failed) !== String(refusals[example] ?? [])) ended[example] = failed;
      } else {
        const isEndless = /--(follow|watch)/.test(example);
        const run = await rig.tk(name, parsed.value, isEndless ? { ctrlCAfterMs: 10_000 } : {});
        if (run.exitCode !== (isEndless ? 130 : 0) || run.text !== '') ended[example] = [run.exitCode, run.text];
      }
    }
  }
  expect({ ended, withoutExample }).toEqual({ ended: {}, withoutExample: [] });
});
