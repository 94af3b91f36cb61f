import { createRequire } from 'node:module';
import type * as library from 'semver';
import compare from 'semver/functions/compare.js';
import parse from 'semver/functions/parse.js';
import { TkError } from '../base/index.ts';
import { formatFailure } from './failures.ts';

/** Ranges cost as much to load as all the rest of a quick command, and most commands ask for none. */
const load = createRequire(import.meta.url);
const ranges = (): typeof library => load('semver');

/** A release of Talos, Kubernetes or a chart. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `['rc', 1]` for `v1.14.0-rc.1`; empty for a release. */
  readonly prerelease: readonly (string | number)[];
  /** With its `v`: `v1.14.1`. */
  readonly text: string;
}

/** Takes `v1.14.1`, `1.14.1` and `v1.14.0-rc.1`; undefined for anything else. */
export function versionOf(text: string): Version | undefined {
  const parsed = parse(text.trim());
  if (!parsed) return undefined;
  const { major, minor, patch, prerelease } = parsed;
  return { major, minor, patch, prerelease, text: `v${parsed.version}` };
}

/** Failure: `format/version`. */
export function parseVersion(text: string): Version {
  const version = versionOf(text);
  if (!version) throw new TkError(formatFailure('format/version', { text }));
  return version;
}

/** Negative when `a` is older. Pre-releases come before their release. */
export function compareVersions(a: string | Version, b: string | Version): number {
  return compare(textOf(a), textOf(b));
}

export function isAtLeast(version: string | Version, lowest: string | Version): boolean {
  return compareVersions(version, lowest) >= 0;
}

/** `1.14` of `v1.14.1`: the contract that Talos calls `v1.14`. */
export function minorOf(version: string | Version): string {
  const { major, minor } = typeof version === 'string' ? parseVersion(version) : version;
  return `${major}.${minor}`;
}

/** The newest that the range allows, by semantic version order; those that are no versions are passed over. */
export function newestInRange(versions: readonly string[], range: string): string | undefined {
  const readable = versions.filter((version) => parse(version) !== null);
  return ranges().maxSatisfying(readable, range) ?? undefined;
}

function textOf(version: string | Version): string {
  return typeof version === 'string' ? parseVersion(version).text : version.text;
}
