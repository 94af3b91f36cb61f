import { failuresOf } from '../../base/index.ts';

export type ChartSourceFailures = {
  /** No connection to where the chart comes from, and the cache does not have it. `reason` as the dialler tells it. */
  'chart/source-unreachable': { source: string; host: string; reason: string };
  /** The source is there and does not know this chart. */
  'chart/not-found': { source: string; version?: string };
  /** The source knows the chart and not this version. `available`: the nearest ones, newest first. */
  'chart/version-not-found': { source: string; wanted: string; available: readonly string[] };
  /** `credentials`: where those came from that were refused. */
  'chart/unauthorized': { source: string; host: string; status: number; credentials: string };
  /** What arrived is not what was named. */
  'chart/digest-mismatch': { source: string; what: string; expected: string; actual: string };
  'chart/too-large': { source: string; sizeBytes: number; limitBytes: number };
  /** 429 until patience ran out. */
  'chart/rate-limited': { source: string; host: string; waitedMs: number };
  'chart/server-error': { source: string; host: string; status: number };
  'chart/malformed-answer': { source: string; what: string; reason: string };
  'chart/folder': { path: string; reason: string };
  'chart/credentials-malformed': { path: string; reason: string };
  /** Docker keeps this host's login in a program of its own, and that gave none. */
  'chart/credential-program': { host: string; program: string; reason: string };
};

export const chartSourceFailure = failuresOf<ChartSourceFailures>();

export type ReleaseFailures = {
  /** A HelmRelease, or a file of ours, that cannot be read as what it is. */
  'release/malformed': { release: string; field: string; expected: string };
  /** Names an OCIRepository, HelmRepository, HelmChart or GitRepository that the tree does not have. */
  'release/source-missing': { release: string; kind: string; name: string; namespace: string };
  'release/source-unsupported': { release: string; kind: string; reason: string };
  /** A patch of the tree or of a post-renderer that cannot be read or does not fit. */
  'release/patch': { release: string; reason: string };
  /** The Secret that a chart's source names for its login or its certificate authority; `key` when only that is missing. */
  'release/login-missing': { release: string; name: string; namespace: string; key?: string };
  'release/values-missing': { release: string; kind: string; name: string; namespace: string; key?: string };
  'release/values-malformed': { release: string; origin: string; reason: string };
  'release/needs-unknown': { release: string; needs: string; known: readonly string[] };
  'release/needs-cycle': { releases: readonly string[] };
  'release/substitution': { file: string; reason: string };
  /** Values that the chart's schema refuses, with the place that set each. */
  'release/values-schema': { release: string; chart: string; path: string; problem: string; value?: string };
  /** A file of helmfile uses what only helmfile itself can run. */
  'release/helmfile-unsupported': { field: string; reason: string };
  'release/file-missing': { release: string; field: string; path: string };
  /** A template of a helmfile. Commands in it are not run, and nothing outside of the repository is read. */
  'release/helmfile-template': { file: string; line?: number; problem: string };
  /** Somebody is at work on this release right now: its record is pending and its last change is younger than `staleAfterMs`. */
  'release/pending': { release: string; revision: number; status: string; ageMs: number; staleAfterMs: number };
  'release/hook-failed': { release: string; hook: string; event: string };
};

export const releaseFailure = failuresOf<ReleaseFailures>();
