import { join, resolve } from 'node:path';
import { type Failure, throwIfAny, TkError } from '../../base/index.ts';
import { type OpenedReleases, openReleaseTree } from '../../cluster/index.ts';
import { type ClusterModel, findRepository } from '../../config/index.ts';
import { stringifyYamlDocuments } from '../../format/index.ts';
import {
  crdsOfRelease,
  diffRelease,
  type KubeObject,
  manifestText,
  prepareRelease,
  pullRelease,
  type ReleaseChange,
  renderRelease,
  renderReleaseOffline,
} from '../../kube/index.ts';
import { renderReleaseChanges } from '../../ui/index.ts';
import { cliFailure } from '../failures.ts';
import { loadModel } from '../load-model.ts';
import { helmModule } from '../open-cluster.ts';
import { loadSettings } from '../settings.ts';
import { openSandboxWorld, sandboxDirectory } from '../sandbox/open.ts';
import { createVault } from '../vault.ts';
import type { CommandContext } from './command.ts';
import { deliver, isOn, textOf } from './inputs.ts';

type Release = OpenedReleases['releases'][number];

interface Charts {
  readonly model: ClusterModel;
  readonly chosen: readonly Release[];
  readonly ports: OpenedReleases['ports'];
  /** Failure: `cluster/no-kubeconfig`, `cluster/kubeconfig-foreign`. */
  kube(): ReturnType<OpenedReleases['kube']>;
}

/**
 * For the Kubernetes of the inputs, without asking a cluster, or with --live for the cluster as it is; one after the other, so that
 * output has one order.
 *
 * Failure: `chart/*`, `release/*` of every release; then nothing is printed or written.
 */
export async function render(context: CommandContext): Promise<number> {
  const { values, signal } = context;
  const includeCrds = isOn(values, 'include-crds');
  if (textOf(values, 'release') === undefined && !isOn(values, 'all'))
    throw new TkError(cliFailure('usage/missing-argument', { command: 'charts:render', argument: 'RELEASE' }));
  if (textOf(values, 'release') !== undefined && isOn(values, 'all'))
    throw new TkError(cliFailure('usage/flags-exclude', { one: '--all', other: 'a release' }));
  const isLive = isOn(values, 'live');
  return withCharts(context, async ({ model, chosen, ports, kube }) => {
    const reader = isLive ? await kube() : undefined;
    const rendered = await forEach(
      chosen.filter(({ role }) => role === 'release'),
      async (plan) => {
        const prepared = await prepareRelease(plan, ports, signal);
        const rendering =
          reader === undefined
            ? await renderReleaseOffline(prepared, ports, { kubeVersion: model.kubernetesVersion, includeCrds }, signal)
            : await renderRelease(prepared, reader, ports, { revision: 1, isUpgrade: false, includeCrds }, signal);
        return { plan, rendering };
      },
    );
    const out = textOf(values, 'out');
    for (const { plan, rendering } of rendered) {
      const text = manifestText(rendering);
      if (out === undefined) context.print(text);
      else
        await context.world.files.write(join(resolve(context.directory, out), plan.namespace, `${plan.name}.yaml`), text, { mode: 0o600 });
    }
    return 0;
  });
}

/** Failure: `chart/*` of every release. */
export async function pull(context: CommandContext): Promise<number> {
  return withCharts(context, async ({ chosen, ports }) => {
    const pulled = await forEach(chosen, async (plan) => {
      const { archive, version, from } = await pullRelease(plan, ports, context.signal);
      return { release: plan.name, namespace: plan.namespace, chart: plan.chart, version, digest: archive.digest, from };
    });
    if (context.json) context.print(`${JSON.stringify(pulled)}\n`);
    else for (const one of pulled) context.print(`${one.release}\t${one.chart}\t${one.version}\t${one.digest}\t${one.from}\n`);
    return 0;
  });
}

/** Each definition once, by name. Failure: `chart/*`, `release/*` of every release. */
export async function crds(context: CommandContext): Promise<number> {
  const isLive = isOn(context.values, 'live');
  return withCharts(
    context,
    async ({ chosen, ports, kube }) => {
      const reader = isLive ? await kube() : undefined;
      const found = await forEach(chosen, (plan) => crdsOfRelease(plan, ports, reader, context.signal));
      const byName = new Map<string, KubeObject>();
      for (const object of found.flat()) if (!byName.has(object.metadata.name)) byName.set(object.metadata.name, object);
      const sorted = [...byName.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      await deliver(context, stringifyYamlDocuments(sorted));
      return 0;
    },
    'as-bootstrap',
  );
}

/**
 * What installing the releases now would change in the cluster, by its own answer to a dry run. Bootstrap's releases unless others are
 * named. Exit 6 when something differs.
 *
 * Failure: `cluster/no-kubeconfig`; `chart/*`, `release/*`, `kube/*` of every release.
 */
export async function diff(context: CommandContext): Promise<number> {
  const { values, signal } = context;
  const isNamed = textOf(values, 'release') !== undefined;
  if (isNamed && isOn(values, 'all')) throw new TkError(cliFailure('usage/flags-exclude', { one: '--all', other: 'a release' }));
  return withCharts(
    context,
    async ({ chosen, ports, kube }) => {
      const reader = await kube();
      const wanted = chosen.filter(({ role, isBootstrap }) => role === 'release' && (isNamed || isOn(values, 'all') || isBootstrap));
      const changes = await forEach(wanted, (plan): Promise<ReleaseChange> => diffRelease(plan, reader, ports, signal));
      if (context.json) context.print(`${JSON.stringify(changes)}\n`);
      else context.print(renderReleaseChanges(changes));
      return changes.some(({ objects }) => objects.length > 0) ? 6 : 0;
    },
    'as-bootstrap',
  );
}

/** Goes on after a failure, so that all are told at once. */
async function forEach<T>(releases: readonly Release[], use: (release: Release) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  const failures: Failure[] = [];
  for (const release of releases) {
    try {
      results.push(await use(release));
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      failures.push(...error.failures);
    }
  }
  throwIfAny(failures);
  return results;
}

/**
 * The repository's releases, or the one that was named. With --sim charts come from the sandbox's registry. `as-bootstrap`: what was
 * rendered before and lies where `tasks.config.ts` says takes the place of charts.
 */
async function withCharts(
  context: CommandContext,
  use: (charts: Charts) => Promise<number>,
  manifests: 'charts' | 'as-bootstrap' = 'charts',
): Promise<number> {
  const { world, directory, isExactDirectory } = context;
  const repository = await findRepository(world.files, directory, { exactly: isExactDirectory });
  const sandbox = context.isSandbox ? await openSandboxWorld({ world, repository }) : undefined;
  try {
    const model = sandbox?.model ?? (await loadModel(world, repository));
    const named = textOf(context.values, 'release');
    const tree = await openReleaseTree(
      {
        world: sandbox?.world ?? world,
        model,
        vault: sandbox?.vault ?? createVault(world, repository.root),
        helmModule,
        isSandbox: sandbox !== undefined,
        cacheDirectory: join(sandbox ? sandboxDirectory(repository.root) : join(repository.root, '.tk'), 'cache'),
      },
      (release) => named === undefined || isMeant(release, named),
      context.signal,
      manifests === 'as-bootstrap' ? (await loadSettings(repository)).bootstrap?.rendered : undefined,
    );
    const chosen = chosenFrom(tree?.releases ?? [], named);
    return tree === undefined ? 0 : await use({ model, chosen, ports: tree.ports, kube: () => tree.kube() });
  } finally {
    await sandbox?.close();
  }
}

/** Failure: `usage/bad-value`. */
function chosenFrom(releases: readonly Release[], wanted: string | undefined): readonly Release[] {
  if (wanted === undefined) return releases;
  const chosen = releases.filter((release) => isMeant(release, wanted));
  if (chosen.length === 0)
    throw new TkError(
      cliFailure('usage/bad-value', {
        flag: 'RELEASE',
        value: wanted,
        expected: releases.map(({ name }) => name).join(', ') || 'nothing: this repository declares no release',
      }),
    );
  return chosen;
}

const isMeant = ({ name, namespace }: { readonly name: string; readonly namespace: string }, wanted: string): boolean =>
  name === wanted || `${namespace}/${name}` === wanted;
