import { count, createRedactor, failureOf, TkError } from '../../base/index.ts';
import {
  checkVersionPair,
  type HopReason,
  type KubernetesFacts,
  planUpgradePath,
  type UpgradeHop,
  type VersionPair,
} from '../../cluster/index.ts';
import { findRepository } from '../../config/index.ts';
import { parseVersion } from '../../format/index.ts';
import { cliFailure } from '../failures.ts';
import { loadModel } from '../load-model.ts';
import { openRepository } from '../open-repository.ts';
import type { CommandContext } from './command.ts';
import { isOn, textOf } from './inputs.ts';

/** `differs`, as everywhere where CI asks. */
const cannotWork = 6;

/**
 * Changes nothing. Asks every machine of the cluster, unless told where the upgrade begins.
 *
 * Failure: `upgrade/*` when there is no way; `upgrade-k8s/node-silent`. With `--check` those are the answer, and the exit code is 6.
 */
export async function run(context: CommandContext): Promise<number> {
  if (isOn(context.values, 'check')) return check(context);
  const given = givenPair(context, 'from');
  const target = givenPair(context, 'to');
  if (given.talos !== undefined && given.kubernetes !== undefined) {
    const from = { talos: given.talos, kubernetes: given.kubernetes };
    if (target.talos === undefined && target.kubernetes === undefined)
      throw new TkError(cliFailure('usage/missing-argument', { command: 'upgrade:plan', argument: '--to-talos' }));
    const to = { ...from, ...target };
    return print(context, { from, to, hops: await planUpgradePath(from, to) });
  }
  const { pinned, asked } = await openAndAsk(context, given.talos === undefined && given.kubernetes === undefined);
  // Nobody said where to: then to what the repository says.
  const to = target.talos === undefined && target.kubernetes === undefined ? pinned : target;
  if (asked === undefined) {
    const from = { ...pinned, ...given };
    return print(context, { from, to: { ...from, ...to }, hops: await planUpgradePath(from, { ...from, ...to }) });
  }
  const hops = asked.hops(to);
  const from = { talos: asked.talos, kubernetes: asked.kubernetes };
  return print(context, { from, to: { ...from, ...to }, hops, facts: asked.facts });
}

/** Whether the versions go together, and whether there is a way to them. Asks no cluster: for CI. */
async function check(context: CommandContext): Promise<number> {
  const given = givenPair(context, 'from');
  const target = givenPair(context, 'to');
  const needsPins = target.talos === undefined || target.kubernetes === undefined;
  let to: VersionPair | undefined;
  try {
    const pinned = needsPins ? await pinsOf(context) : undefined;
    to = pairOf({ ...(pinned ?? { talos: '', kubernetes: '' }), ...target });
    await checkVersionPair(to);
    // A node of the inventory may stay behind on a Talos of its own.
    for (const talos of pinned?.nodes ?? []) await checkVersionPair({ talos, kubernetes: to.kubernetes });
    if (given.talos !== undefined || given.kubernetes !== undefined) await planUpgradePath({ ...to, ...given }, to);
  } catch (error) {
    if (!(error instanceof TkError) || !error.failures.every(({ code }) => isAboutVersions(code))) throw error;
    const { renderFailure } = await import('../../ui/index.ts');
    if (context.json) context.print(`${JSON.stringify({ schema: 1, works: false, to: to ?? null, failures: error.failures })}\n`);
    else for (const failure of error.failures) context.note(renderFailure(failure));
    return cannotWork;
  }
  context.print(
    context.json
      ? `${JSON.stringify({ schema: 1, works: true, to, failures: [] })}\n`
      : `Talos ${to.talos} runs Kubernetes ${to.kubernetes}\n`,
  );
  return 0;
}

/** A repository whose own versions do not go together cannot even be read. */
const isAboutVersions = (code: string): boolean =>
  code.startsWith('upgrade/') || /^(?:config|talconfig)\/(?:incompatible-kubernetes|unsupported-talos)$/.test(code);

const pairOf = ({ talos, kubernetes }: VersionPair): VersionPair => ({ talos, kubernetes });

/** With their `v`. Failure: `format/version`. */
function givenPair({ values }: CommandContext, end: 'from' | 'to'): Partial<VersionPair> {
  const [talos, kubernetes] = [textOf(values, `${end}-talos`), textOf(values, `${end}-kubernetes`)];
  return {
    ...(talos === undefined ? {} : { talos: parseVersion(talos).text }),
    ...(kubernetes === undefined ? {} : { kubernetes: parseVersion(kubernetes).text }),
  };
}

/** What the repository says; `nodes` are the versions of Talos that its nodes name. */
async function pinsOf({
  world,
  directory,
  isExactDirectory,
}: CommandContext): Promise<VersionPair & { readonly nodes: readonly string[] }> {
  const model = await loadModel(world, await findRepository(world.files, directory, { exactly: isExactDirectory }));
  return {
    talos: parseVersion(model.talosVersion).text,
    kubernetes: parseVersion(model.kubernetesVersion).text,
    nodes: [...new Set(model.nodes.map(({ talosVersion }) => talosVersion))],
  };
}

interface Asked extends VersionPair {
  readonly facts: KubernetesFacts;
  hops(to: Partial<VersionPair>): readonly UpgradeHop[];
}

/** `asked` is absent, with a word to the person, where there is no cluster yet. */
async function openAndAsk(
  context: CommandContext,
  asks: boolean,
): Promise<{ readonly pinned: VersionPair; readonly asked: Asked | undefined }> {
  const { world, directory, isExactDirectory, isSandbox, signal } = context;
  const repository = await openRepository({ world, redactor: createRedactor(), directory, isExactDirectory, isSandbox, isPlan: true });
  try {
    const { model, kubernetesUpgrade } = repository.cluster.view;
    const pinned = { talos: parseVersion(model.talosVersion).text, kubernetes: parseVersion(model.kubernetesVersion).text };
    if (!asks) return { pinned, asked: undefined };
    const facts = await kubernetesUpgrade.facts(signal);
    const hasCredentials = facts.nodes.some((one) => one.state === 'answered' || one.failure.code !== 'cluster/no-credentials');
    if (!hasCredentials) {
      context.note('No cluster was asked: this repository has no talosconfig. The plan begins at the versions that it names.');
      return { pinned, asked: undefined };
    }
    const versions = facts.nodes.flatMap((one) => (one.state === 'answered' ? [one.facts.talosVersion] : []));
    const { compareVersions } = await import('../../format/index.ts');
    const [talos = ''] = versions.sort(compareVersions);
    return { pinned, asked: { facts, talos, kubernetes: facts.lowest ?? '', hops: (to) => kubernetesUpgrade.hops(facts, to) } };
  } catch (error) {
    throw new TkError(failureOf(error));
  } finally {
    await repository.close();
  }
}

interface Plan {
  readonly from: VersionPair;
  readonly to: VersionPair;
  readonly hops: readonly UpgradeHop[];
  readonly facts?: KubernetesFacts;
}

function print(context: CommandContext, { from, to, hops, facts }: Plan): number {
  const nodes = facts === undefined ? {} : { nodes: facts.nodes.flatMap(nodeDocument) };
  context.print(
    context.json
      ? `${JSON.stringify({ schema: 1, from: pairOf(from), to: pairOf(to), ...nodes, hops: hops.map(withWords) })}\n`
      : planText(from, hops, facts),
  );
  return 0;
}

function nodeDocument(one: KubernetesFacts['nodes'][number]) {
  if (one.state === 'silent') return [];
  const { node, talosVersion, parts } = one.facts;
  return [
    {
      node: node.name,
      talos: talosVersion,
      kubernetes: Object.fromEntries(Object.entries(parts).map(([part, { version, image }]) => [part, version ?? image])),
    },
  ];
}

const withWords = (hop: UpgradeHop) => ({ ...hop, because: reasonText(hop.reason) });

function planText({ talos, kubernetes }: VersionPair, hops: readonly UpgradeHop[], facts: KubernetesFacts | undefined): string {
  if (hops.length === 0) return `Nothing to do: Talos ${talos}, Kubernetes ${kubernetes}\n`;
  const shown = hops.map((hop) => `${hop.what === 'talos' ? 'Talos' : 'Kubernetes'} ${hop.from} → ${hop.to}`);
  const width = Math.max(...shown.map((text) => text.length));
  const all = facts?.nodes.length ?? 0;
  const lines = hops.map((hop, index) => {
    const some = hop.nodes !== undefined && hop.nodes.length < all ? `   ${hop.nodes.join(' ')}` : '';
    return `${String(index + 1).padStart(3)}  ${(shown[index] ?? '').padEnd(width)}   ${reasonText(hop.reason)}${some}`;
  });
  return `${[`From Talos ${talos}, Kubernetes ${kubernetes} in ${count(hops.length, 'hop')}`, ...lines].join('\n')}\n`;
}

function reasonText(reason: HopReason): string {
  switch (reason.kind) {
    case 'newest-patch':
      return `the newest ${reason.minor} first: upgrades are tested from there`;
    case 'one-minor':
      return 'one minor at a time';
    case 'needed-by-talos':
      return `Talos ${reason.talos} runs nothing older than Kubernetes ${reason.lowest}`;
    case 'target':
      return 'the version asked for';
    case 'unfinished':
      return 'left behind by an upgrade that was broken off';
  }
}
