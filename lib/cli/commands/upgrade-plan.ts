import { count, TkError } from '../../base/index.ts';
import { type HopReason, planUpgradePath, type UpgradeHop, type VersionPair } from '../../cluster/index.ts';
import { findRepository } from '../../config/index.ts';
import { cliFailure } from '../failures.ts';
import { parseVersion } from '../../format/index.ts';
import { loadModel } from '../load-model.ts';
import type { CommandContext } from './index.ts';
import { textOf } from './inputs.ts';

/** Changes nothing and asks no cluster. Failure: `upgrade/*` when there is no way. */
export async function run(context: CommandContext): Promise<number> {
  const { values } = context;
  if (textOf(values, 'to-talos') === undefined && textOf(values, 'to-kubernetes') === undefined)
    throw new TkError(cliFailure('usage/missing-argument', { command: 'upgrade:plan', argument: '--to-talos' }));
  const from = await startOf(context);
  const to = written({ talos: textOf(values, 'to-talos') ?? from.talos, kubernetes: textOf(values, 'to-kubernetes') ?? from.kubernetes });
  const hops = await planUpgradePath(from, to);
  context.print(context.json ? `${JSON.stringify({ schema: 1, from, to, hops: hops.map(withWords) })}\n` : planText(from, hops));
  return 0;
}

async function startOf({ world, values, directory, isExactDirectory }: CommandContext): Promise<VersionPair> {
  const talos = textOf(values, 'from-talos');
  const kubernetes = textOf(values, 'from-kubernetes');
  if (talos !== undefined && kubernetes !== undefined) return written({ talos, kubernetes });
  const model = await loadModel(world, await findRepository(world.files, directory, { exactly: isExactDirectory }));
  return written({ talos: talos ?? model.talosVersion, kubernetes: kubernetes ?? model.kubernetesVersion });
}

/** With their `v`. Failure: `format/version`. */
const written = ({ talos, kubernetes }: VersionPair): VersionPair => ({
  talos: parseVersion(talos).text,
  kubernetes: parseVersion(kubernetes).text,
});

const withWords = (hop: UpgradeHop) => ({ ...hop, because: reasonText(hop.reason) });

function planText({ talos, kubernetes }: VersionPair, hops: readonly UpgradeHop[]): string {
  if (hops.length === 0) return `Nothing to do: Talos ${talos}, Kubernetes ${kubernetes}\n`;
  const shown = hops.map((hop) => `${hop.what === 'talos' ? 'Talos' : 'Kubernetes'} ${hop.from} → ${hop.to}`);
  const width = Math.max(...shown.map((text) => text.length));
  const lines = hops.map(
    (hop, index) => `${String(index + 1).padStart(3)}  ${(shown[index] ?? '').padEnd(width)}   ${reasonText(hop.reason)}`,
  );
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
  }
}
