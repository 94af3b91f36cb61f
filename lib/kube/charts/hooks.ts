import { type Clock, TkError, waitFor } from '../../base/index.ts';
import type { HelmHook, RenderedHook } from '../../wasm/index.ts';
import type { KubeWriter } from '../client.ts';
import { type KubeObject, refOf } from '../object.ts';
import { objectGone } from '../waits.ts';
import { workloadReady } from '../workloads.ts';
import { releaseFailure } from './failures.ts';
import { isCrd, placed, toKubeObject, withOrigin } from './objects.ts';
import { fieldManager, timestamp } from './record.ts';
import type { ReleasePlan } from './release-plan.ts';

export type HookEvent = 'pre-install' | 'post-install' | 'pre-upgrade' | 'post-upgrade';

export interface HookPorts {
  readonly kube: KubeWriter;
  readonly clock: Clock;
  readonly observe: (seen: string) => void;
}

type DeletePolicy = 'hook-succeeded' | 'hook-failed' | 'before-hook-creation';

/**
 * Runs the hooks of one event by weight, each until it is done, and deletes by policy.
 *
 * Shape: returns every hook of the release as the record is to hold it, with when these ran.
 * Failure: `release/hook-failed`, `wait/timeout`; hooks that failed are deleted where their policy says so.
 * Source: helm pkg/action/hooks.go
 */
export async function runHooks(
  hooks: readonly RenderedHook[],
  event: HookEvent,
  plan: ReleasePlan,
  ports: HookPorts,
  signal: AbortSignal,
): Promise<readonly RenderedHook[]> {
  const mine = hooks
    .filter(({ events }) => events.includes(event))
    .sort((a, b) => (a.weight ?? 0) - (b.weight ?? 0) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const done: RenderedHook[] = [];
  for (const hook of mine) {
    ports.observe(`${event} hook ${hook.kind.toLowerCase()} ${hook.name}`);
    const objects = await objectsOf(hook, plan, ports, signal);
    await deleteByPolicy(hook, objects, 'before-hook-creation', plan, ports, signal);
    const startedAt = timestamp(ports.clock.now());
    try {
      for (const object of objects) await ports.kube.apply(object, { fieldManager, force: true }, signal);
      for (const object of objects) await waitUntilDone(object, plan, ports, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      await deleteByPolicy(hook, objects, 'hook-failed', plan, ports, signal);
      for (const earlier of done)
        await deleteByPolicy(earlier, await objectsOf(earlier, plan, ports, signal), 'hook-succeeded', plan, ports, signal);
      const cause = error instanceof TkError ? { cause: error.failure } : {};
      throw new TkError(
        releaseFailure('release/hook-failed', { release: plan.name, hook: `${hook.kind.toLowerCase()} ${hook.name}`, event }, cause),
      );
    }
    done.push({ ...hook, last_run: { started_at: startedAt, completed_at: timestamp(ports.clock.now()), phase: 'Succeeded' } });
  }
  for (const hook of done.toReversed())
    await deleteByPolicy(hook, await objectsOf(hook, plan, ports, signal), 'hook-succeeded', plan, ports, signal);
  return hooks.map((hook) => done.find((ran) => ran.path === hook.path && ran.name === hook.name && ran.kind === hook.kind) ?? hook);
}

async function objectsOf(hook: RenderedHook, plan: ReleasePlan, { kube }: HookPorts, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const objects: KubeObject[] = [];
  for (const rendered of hook.objects) {
    const object = toKubeObject(rendered);
    if (object === undefined) continue;
    const marked = plan.areHooksPostRendered === false ? object : withOrigin(object, plan);
    objects.push(await placed(marked, plan.namespace, kube, signal));
  }
  return objects;
}

/** Jobs and Pods run to their end; everything else is done when it exists. */
async function waitUntilDone(
  object: KubeObject,
  plan: ReleasePlan,
  { kube, clock, observe }: HookPorts,
  signal: AbortSignal,
): Promise<void> {
  if (object.kind !== 'Job' && object.kind !== 'Pod') return;
  await waitFor(workloadReady(kube, refOf(object), { deadlineMs: plan.timeoutMs }), clock, signal, ({ waitingFor, seen }) =>
    observe(`${waitingFor}: ${seen}`),
  );
}

async function deleteByPolicy(
  hook: HelmHook,
  objects: readonly KubeObject[],
  policy: DeletePolicy,
  plan: ReleasePlan,
  { kube, clock }: HookPorts,
  signal: AbortSignal,
): Promise<void> {
  const policies = hook.delete_policies ?? [];
  const applies = policies.length === 0 ? policy === 'before-hook-creation' : policies.includes(policy);
  if (!applies) return;
  for (const object of objects) {
    // A definition takes every object of its kind with it.
    if (isCrd(object)) continue;
    if (await kube.delete(refOf(object), { propagation: 'Background' }, signal)) {
      await waitFor(objectGone(kube, refOf(object), { deadlineMs: plan.timeoutMs }), clock, signal);
    }
  }
}
