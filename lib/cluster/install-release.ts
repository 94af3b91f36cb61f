import type { StepFunction } from '../core/index.ts';
import type { Cluster, InstalledRelease } from './cluster.ts';

/** The part of a task's context that installing a release needs. */
export interface ReleaseContext {
  readonly cluster: Cluster;
  readonly step: StepFunction;
  detail(text: string): void;
  skip(reason: string): void;
}

/**
 * Installs one of the repository's bootstrap releases, or finds that it is there as wanted.
 *
 * Shape: undefined when the repository declares no release of this name; that is a reason to skip, not an error.
 * Failure: `chart/*` when it cannot be had or rendered, `wait/timeout` when its workloads do not come up.
 */
export async function installRelease({ cluster, step, detail, skip }: ReleaseContext, name: string): Promise<InstalledRelease | undefined> {
  const release = (await cluster.releases.forBootstrap()).find((candidate) => candidate.name === name);
  if (release === undefined) {
    skip(
      cluster.model.paths.kubernetes === undefined
        ? 'the repository has no kubernetes/ tree'
        : `the repository declares no release ${name}`,
    );
    return undefined;
  }
  const result = await step.probeAct<InstalledRelease>(`${release.name} ${release.version}`, {
    async probe(handle) {
      const state = await cluster.releases.state(release, handle.signal);
      if (state.state !== 'equal') return { state: 'not-done', ...(state.state === 'differs' ? { seen: state.because } : {}) };
      return {
        state: 'done',
        seen: `revision ${state.revision} is equal`,
        value: { state: 'equal', revision: state.revision, objects: 0 },
      };
    },
    async act(handle) {
      const installed = await cluster.releases.install(release, (seen) => handle.detail(seen), handle.signal);
      handle.detail(`${installed.objects} objects`);
      return installed;
    },
  });
  if (result.state === 'already-done') skip(`${release.name} ${release.version} is equal`);
  else detail(`${release.name} ${release.version}, ${result.value.objects} objects`);
  return result.value;
}
