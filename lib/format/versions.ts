import { TkError } from '../base/index.ts';
import { formatFailure } from './failures.ts';
import { compareAny, parseAny, ranges } from './semantic-version.ts';

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

/** Of a release, with as many digits as a number surely holds. The library, which costs more than this to load, reads all others. */
const release = /^v?(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})$/;

function releaseOf(text: string): Version | undefined {
  const found = release.exec(text);
  if (!found) return undefined;
  const [major = 0, minor = 0, patch = 0] = found.slice(1).map(Number);
  return { major, minor, patch, prerelease: [], text: `v${major}.${minor}.${patch}` };
}

/** Takes `v1.14.1`, `1.14.1` and `v1.14.0-rc.1`; undefined for anything else. */
export function versionOf(text: string): Version | undefined {
  const plain = releaseOf(text.trim());
  if (plain) return plain;
  const parsed = parseAny(text.trim());
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
  const [left, right] = [textOf(a), textOf(b)];
  const [one, other] = [releaseOf(left), releaseOf(right)];
  if (!one || !other) return compareAny(left, right);
  return Math.sign(one.major - other.major || one.minor - other.minor || one.patch - other.patch);
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
  const readable = versions.filter((version) => parseAny(version) !== null);
  return ranges().maxSatisfying(readable, range) ?? undefined;
}

function textOf(version: string | Version): string {
  return typeof version === 'string' ? parseVersion(version).text : version.text;
}
