import type { PlannedStep } from '../core/index.ts';
import type { ClusterView, ReleaseState, ReleaseView } from './cluster.ts';

export interface ReleaseFacts {
  readonly release: ReleaseView;
  /** Absent when the cluster could not be asked: there is none yet. */
  readonly state?: ReleaseState;
}

/** What is known of these bootstrap releases; names that the repository does not declare are left out. Reads only. */
export async function probeReleases(
  { cluster, signal }: { readonly cluster: ClusterView; readonly signal: AbortSignal },
  accepts: (name: string) => boolean,
): Promise<readonly ReleaseFacts[]> {
  const releases = (await cluster.releases.forBootstrap()).filter((release) => accepts(release.name));
  const isReachable = await cluster.kubernetes.isReachable(signal);
  return Promise.all(
    releases.map(async (release) => (isReachable ? { release, state: await cluster.releases.state(release, signal) } : { release })),
  );
}

/** One line for each release: skipped when it is equal. */
export function planReleases(facts: readonly ReleaseFacts[] | undefined): readonly PlannedStep[] {
  if (facts === undefined) return [{ decision: 'unknown', title: 'install', reason: 'the repository and the cluster were not asked' }];
  return facts.map(({ release, state }): PlannedStep => {
    const title = `${release.name} ${release.version}`;
    if (state?.state === 'equal') return { decision: 'skip', title, reason: `revision ${state.revision} is equal` };
    return {
      decision: 'run',
      title,
      ...(state?.state === 'differs' ? { reason: state.because } : {}),
      calls: [{ target: `${release.namespace}/${release.name}`, call: state?.state === 'differs' ? 'upgrade release' : 'install release' }],
    };
  });
}
