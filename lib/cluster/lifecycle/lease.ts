import { type Clock, eitherOf, type Files, hasCode, type Json, minutes, type Random, seconds, TkError } from '../../base/index.ts';
import type { KubeObject, KubeWriter } from '../../kube/index.ts';
import { lifecycleFailure } from './failures.ts';
import type { ClusterLease } from './lifecycle.ts';
import { fields, text } from './node-mark.ts';
import { microTime, readTime } from './utc.ts';
import { within } from './within.ts';

export interface LeaseParts {
  readonly clock: Clock;
  readonly kube: () => Promise<KubeWriter>;
  /** Who this checkout is, over runs: see `operatorId`. */
  readonly operator: string;
}

const leaseRef = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system', name: 'talos-tk' } as const;

/** A holder that has not renewed for this long is gone. Long enough for the API server of a single control plane to be away. */
const durationMs = minutes(10);
const renewEveryMs = minutes(1);
/** For giving it back when the run ends. */
const releaseDeadlineMs = seconds(10);

/**
 * Takes the cluster's lease. Two people who upgrade the same cluster from two laptops have no other place to meet.
 *
 * Shape: the holder is the checkout, not the run: the lock of the repository keeps its runs apart, so a run that was killed does not
 * keep the next one out. `leaseTransitions` counts the holders, and a lease whose count has moved on is no longer ours. It is renewed
 * until it is released, or `signal` fires.
 * Failure: `gate/lease` while somebody else holds it.
 */
export async function takeLease({ clock, kube, operator }: LeaseParts, run: string, signal: AbortSignal): Promise<ClusterLease> {
  const holder = `${operator}/${run}`;
  const transitions = await acquire(await kube(), clock, operator, holder, signal);
  const ended = new AbortController();
  // Whoever is in a hurry gives nothing back; then it is at least not kept.
  const isOver = eitherOf(ended.signal, signal).signal;
  const renewing = keepRenewed();
  renewing.catch(() => {});

  const own = async (limited: AbortSignal): Promise<KubeObject> => {
    const lease = await (await kube()).get(leaseRef, limited);
    const spec = fields(lease?.spec);
    if (lease && spec.holderIdentity === holder && spec.leaseTransitions === transitions) return lease;
    throw heldBy(text(spec.holderIdentity) || 'nobody', text(spec.renewTime));
  };
  const renew = async (limited: AbortSignal) => {
    const lease = await own(limited);
    await (await kube()).replace(leaseWith(lease, { ...fields(lease.spec), renewTime: microTime(clock.now()) }), limited);
  };

  async function keepRenewed(): Promise<void> {
    while (!isOver.aborted) {
      await clock.sleep(renewEveryMs, isOver);
      // An API server that is away for a while is what upgrades are made of; whether it is still ours is what `verify` asks.
      await renew(isOver).catch(() => {});
    }
  }

  return {
    holder,
    async verify(limited) {
      await own(limited);
    },
    async release(stopped) {
      ended.abort();
      try {
        await within(clock, releaseDeadlineMs, stopped, async (limited) => {
          const lease = await own(limited);
          await (await kube()).replace(
            leaseWith(lease, { ...fields(lease.spec), holderIdentity: '', renewTime: microTime(clock.now()) }),
            limited,
          );
        });
      } catch (error) {
        // It ends by itself.
        if (!(error instanceof TkError)) throw error;
      }
    },
  };
}

const attempts = 4;

/** Returns the number of this tenure. */
async function acquire(kube: KubeWriter, clock: Clock, operator: string, holder: string, signal: AbortSignal): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const lease = await kube.get(leaseRef, signal);
    const spec = fields(lease?.spec);
    const current = text(spec.holderIdentity);
    // A time that cannot be read was not written by a tk; nobody keeps a lease with it for ever.
    const renewedMs = readTime(text(spec.renewTime)) ?? 0;
    const isOthers = current !== '' && !current.startsWith(`${operator}/`);
    if (isOthers && clock.now() - renewedMs < durationMs) throw heldBy(current, text(spec.renewTime));
    const tenure = (typeof spec.leaseTransitions === 'number' ? spec.leaseTransitions : 0) + 1;
    const wanted = {
      holderIdentity: holder,
      leaseDurationSeconds: durationMs / 1000,
      leaseTransitions: tenure,
      acquireTime: microTime(clock.now()),
      renewTime: microTime(clock.now()),
    };
    try {
      if (lease === undefined) {
        const { apiVersion, kind, ...metadata } = leaseRef;
        await kube.create({ apiVersion, kind, metadata, spec: wanted }, signal);
      } else await kube.replace(leaseWith(lease, wanted), signal);
      return tenure;
    } catch (error) {
      // Somebody was faster: what they wrote decides.
      if (!hasCode(error, 'kube/stale', 'kube/exists') || attempt >= attempts) throw error;
    }
  }
}

const leaseWith = (lease: KubeObject, spec: { readonly [key: string]: Json | undefined }): KubeObject => ({ ...lease, spec });

const heldBy = (holder: string, renewed: string): TkError => new TkError(lifecycleFailure('gate/lease', { holder, renewed }));

/** A name that stays with this checkout: kept beside the caches, made at the first run that needs it. */
export async function operatorId(files: Files, random: Random, cacheDirectory: string, cluster: string): Promise<string> {
  const path = `${cacheDirectory}/operator`;
  const known = (await files.readText(path))?.trim();
  if (known) return known;
  const made = `tk-${cluster}-${Buffer.from(random.bytes(6)).toString('hex')}`;
  await files.write(path, `${made}\n`, { mode: 0o600 });
  return made;
}
