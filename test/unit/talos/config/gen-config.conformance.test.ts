import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { genConfigCases, generations, olderContracts, talosVersions } from '../../../oracle/gen-config/cases.ts';
import { replay } from '../../../oracle/gen-config/replay.ts';
import { knownGaps } from '../../../rig/known-gaps.ts';

const recording = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../conformance/gen-config/${name}.json`, import.meta.url), 'utf8'));

for (const minor of generations) {
  test(`gen config with ${genConfigCases.length} sets of flags writes the same text as talosctl ${minor}`, () => {
    const recorded = recording(`talosctl-${minor}`);
    const gaps = knownGaps(`gen-config/${minor}`);
    expect(Object.keys(recorded)).toEqual(genConfigCases.map(({ name }) => name));
    for (const one of genConfigCases) {
      const made = replay(one, talosVersions[minor] ?? '', minor);
      if (gaps.has(one.name)) expect([one.name, made]).not.toEqual([one.name, recorded[one.name]]);
      else expect([one.name, made]).toEqual([one.name, recorded[one.name]]);
    }
  });
}

test('older contracts are what talosctl 1.12 makes of them', () => {
  const recorded = recording('older-contracts');
  for (const contract of olderContracts) {
    const gaps = knownGaps(`gen-config/${contract}`);
    for (const one of genConfigCases.slice(0, 19)) {
      // talosctl 1.12 writes its own default versions whatever the contract.
      const flags = { kubernetesVersion: '1.35.2', installImage: 'ghcr.io/siderolabs/installer:v1.12.6', ...one.flags };
      const made = replay({ ...one, flags }, `v${contract}`, '1.12');
      if (gaps.has(one.name)) expect([contract, one.name, made]).not.toEqual([contract, one.name, recorded[`${contract} ${one.name}`]]);
      else expect([contract, one.name, made]).toEqual([contract, one.name, recorded[`${contract} ${one.name}`]]);
    }
  }
});
