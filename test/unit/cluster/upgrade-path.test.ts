import { expect, test } from 'vitest';
import { TkError } from '../../../lib/base/index.ts';
import { type UpgradeHop, upgradePath, type VersionPair } from '../../../lib/cluster/upgrade-path.ts';
import { compareVersions, minorOf, parseVersion } from '../../../lib/format/index.ts';
import { compatibility, newestTalosPatch, type TalosMinor, operatedMinors } from '../../../lib/upstream/tables.ts';

const kubernetesMinors = Array.from({ length: 14 }, (_, index) => 26 + index);
const pairsOf = (patchOf: (minor: TalosMinor) => string, kubernetesPatch: number): readonly VersionPair[] =>
  operatedMinors.flatMap((talos) =>
    kubernetesMinors.map((minor) => ({ talos: patchOf(talos), kubernetes: `v1.${minor}.${kubernetesPatch}` })),
  );
const targets = pairsOf((minor) => newestTalosPatch[minor], 2);
const starts = [...pairsOf((minor) => `v${minor}.1`, 0), ...targets];
const indexOf = (version: string) => operatedMinors.indexOf(minorOf(version) as TalosMinor);
const supports = (talosIndex: number, kubernetes: number) => {
  const minor = operatedMinors[talosIndex];
  if (minor === undefined) return false;
  const [lowest, highest] = compatibility[minor].kubernetes.map((text) => Number(text.slice(2))) as [number, number];
  return kubernetes >= lowest && kubernetes <= highest;
};

/** Whether any order of single steps leads there over supported pairs only: the slow way to know. */
function isReachable(from: VersionPair, to: VersionPair): boolean {
  const goal = `${indexOf(to.talos)} ${parseVersion(to.kubernetes).minor}`;
  if (!supports(indexOf(to.talos), parseVersion(to.kubernetes).minor)) return false;
  const seen = new Set<string>();
  const open: [number, number][] = [[indexOf(from.talos), parseVersion(from.kubernetes).minor]];
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    const [talos, kubernetes] = here;
    if (`${talos} ${kubernetes}` === goal) return true;
    for (const next of [
      [talos + 1, kubernetes],
      [talos, kubernetes + 1],
    ] as const) {
      if (seen.has(next.join(' ')) || !supports(...next)) continue;
      seen.add(next.join(' '));
      open.push([...next]);
    }
  }
  return false;
}

function pathOrCode(from: VersionPair, to: VersionPair): readonly UpgradeHop[] | string {
  try {
    return upgradePath(from, to);
  } catch (error) {
    if (error instanceof TkError) return error.failure.code;
    throw error;
  }
}

test('over all pairs of versions a path exists exactly where single steps lead there, and each hop keeps the rules', () => {
  const found = { paths: 0, downgrades: 0, unsupported: 0 };
  const broken: unknown[] = [];
  for (const from of starts) {
    for (const to of targets) {
      const isDowngrade = compareVersions(to.talos, from.talos) < 0 || compareVersions(to.kubernetes, from.kubernetes) < 0;
      const path = pathOrCode(from, to);
      if (typeof path === 'string') {
        if (isDowngrade ? path !== 'upgrade/downgrade' : path !== 'upgrade/unsupported-pair' || isReachable(from, to))
          broken.push({ from, to, path });
        found[isDowngrade ? 'downgrades' : 'unsupported'] += 1;
        continue;
      }
      found.paths += 1;
      if (isDowngrade || !isReachable(from, to) || !isSound(from, to, path)) broken.push({ from, to, path });
    }
  }
  expect(broken).toEqual([]);
  expect(found.paths + found.downgrades + found.unsupported).toBe(starts.length * targets.length);
  expect(Math.min(found.paths, found.downgrades, found.unsupported)).toBeGreaterThan(100);
});

function isSound(from: VersionPair, to: VersionPair, path: readonly UpgradeHop[]): boolean {
  let current = from;
  for (const { what, from: before, to: next, after } of path) {
    if (before !== current[what] || after[what] !== next || compareVersions(next, before) <= 0) return false;
    const other = what === 'talos' ? 'kubernetes' : 'talos';
    if (after[other] !== current[other]) return false;
    const steps = what === 'talos' ? indexOf(next) - indexOf(before) : parseVersion(next).minor - parseVersion(before).minor;
    if (steps > 1 || !supports(indexOf(after.talos), parseVersion(after.kubernetes).minor)) return false;
    if (what === 'talos' && steps === 1) {
      const here = minorOf(before) as TalosMinor;
      if (supports(indexOf(before), parseVersion(current.kubernetes).minor) && compareVersions(before, newestTalosPatch[here]) < 0)
        return false;
      // The installer's own gate.
      if (compareVersions(before, `v${compatibility[minorOf(next) as TalosMinor].upgradableFrom}`) < 0) return false;
    }
    current = after;
  }
  return current.talos === to.talos && current.kubernetes === to.kubernetes;
}

test('Kubernetes moves only as far as the next Talos needs until Talos has arrived', () => {
  const hops = upgradePath({ talos: '1.12.1', kubernetes: '1.31.4' }, { talos: 'v1.14.1', kubernetes: 'v1.34.0' });
  expect(hops.map(({ what, to, reason }) => `${what} ${to} ${reason.kind}`)).toEqual([
    'talos v1.12.11 newest-patch',
    'talos v1.13.9 one-minor',
    'kubernetes v1.32.4 needed-by-talos',
    'talos v1.14.1 target',
    'kubernetes v1.33.6 one-minor',
    'kubernetes v1.34.0 target',
  ]);
});

test('within a minor the target is one hop, and equal versions are none', () => {
  const here = { talos: 'v1.13.2', kubernetes: 'v1.35.1' };
  expect(upgradePath(here, here)).toEqual([]);
  expect(upgradePath(here, { talos: 'v1.13.5', kubernetes: 'v1.35.3' }).map(({ to }) => to)).toEqual(['v1.13.5', 'v1.35.3']);
});

test('a cluster outside of the table is led back into it, or told that no way leads there', () => {
  const tooNew = { talos: 'v1.12.1', kubernetes: 'v1.36.0' };
  expect(upgradePath(tooNew, { talos: 'v1.14.1', kubernetes: 'v1.36.0' }).map(({ to }) => to)).toEqual(['v1.13.9', 'v1.14.1']);
  expect(pathOrCode({ talos: 'v1.12.1', kubernetes: 'v1.37.0' }, { talos: 'v1.14.1', kubernetes: 'v1.37.0' })).toBe(
    'upgrade/unsupported-pair',
  );
  expect(pathOrCode({ talos: 'v1.6.0', kubernetes: 'v1.29.0' }, { talos: 'v1.9.1', kubernetes: 'v1.29.0' })).toBe('upgrade/unknown-talos');
  expect(pathOrCode(tooNew, { talos: 'v1.15.0', kubernetes: 'v1.36.0' })).toBe('upgrade/unknown-talos');
  expect(pathOrCode(tooNew, { talos: 'newest', kubernetes: 'v1.36.0' })).toBe('format/version');
});
