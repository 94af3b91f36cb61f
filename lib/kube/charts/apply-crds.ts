import { type Clock, waitFor } from '../../base/index.ts';
import type { KubeReader, KubeWriter } from '../client.ts';
import { type KubeObject, refOf } from '../object.ts';
import { crdsServed } from '../waits.ts';
import { withOrigin } from './objects.ts';
import { fieldManager } from './record.ts';
import type { ReleasePlan } from './release-plan.ts';

export interface InstallOptions {
  /** Told what is being done and waited for. */
  readonly observe?: (seen: string) => void;
  /** Waits for workloads, Jobs and hooks. Default: true. */
  readonly shouldWait?: boolean;
  /** Every API server, so that a new kind is known to each before it is used. Default: the one that `kube` speaks to. */
  readonly servers?: readonly { readonly node: string; readonly kube: KubeReader }[];
}

/** Applies definitions, those that exist only where the plan says "create-replace", and waits until every API server serves them. */
export async function applyCrds(
  definitions: readonly KubeObject[],
  plan: ReleasePlan,
  kube: KubeWriter,
  ports: { readonly clock: Clock },
  options: InstallOptions,
  signal: AbortSignal,
): Promise<void> {
  if (definitions.length === 0) return;
  for (const definition of definitions) {
    if (plan.crds === 'create' && (await kube.get(refOf(definition), signal)) !== undefined) continue;
    options.observe?.(`applying customresourcedefinition ${definition.metadata.name}`);
    await kube.apply(withOrigin(definition, plan), { fieldManager, force: true }, signal);
  }
  await waitForCrds(definitions, plan, kube, ports, options, signal);
}

/** Established, and served by every API server that is given. */
export async function waitForCrds(
  definitions: readonly KubeObject[],
  plan: ReleasePlan,
  kube: KubeReader,
  { clock }: { readonly clock: Clock },
  { servers, observe }: InstallOptions,
  signal: AbortSignal,
): Promise<void> {
  const names = definitions.map(({ metadata }) => metadata.name);
  const condition = crdsServed(servers ?? [{ node: kube.server, kube }], names, { deadlineMs: plan.timeoutMs });
  await waitFor(condition, clock, signal, ({ waitingFor, seen }) => observe?.(`waiting for ${waitingFor}: ${seen}`));
}
