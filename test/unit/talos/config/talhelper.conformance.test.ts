import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contracts, talhelperCases } from '../../../oracle/talhelper/cases.ts';
import { olderCases, olderContracts, unpackTexts } from '../../../oracle/talhelper/before-1.9.ts';
import { replayFiles, replayTexts } from '../../../oracle/talhelper/replay.ts';
import { knownGaps } from '../../../rig/known-gaps.ts';

type Recorded = { readonly files: Readonly<Record<string, string>> } | { readonly error: string };

for (const contract of contracts) {
  const cases = talhelperCases.filter((one) => one.contracts?.includes(contract) ?? true);
  test(`${cases.length} talconfigs become what talhelper makes of them at contract ${contract}, byte for byte`, async () => {
    const recorded: Record<string, Recorded> = JSON.parse(
      readFileSync(new URL(`../../../conformance/talhelper/contract-${contract}.json`, import.meta.url), 'utf8'),
    );
    const gaps = knownGaps(`talhelper/${contract}`);
    expect(Object.keys(recorded)).toEqual(cases.map(({ name }) => name));
    for (const one of cases) {
      const record = recorded[one.name];
      const result = await replayTexts(one, contract);
      const got = 'files' in result ? shortened(result.files) : 'refused';
      const wanted = record && 'files' in record ? record.files : 'refused';
      if (gaps.has(one.name)) expect([one.name, got]).not.toEqual([one.name, wanted]);
      else expect([one.name, got]).toEqual([one.name, wanted]);
    }
  });
}

const olderTexts = unpackTexts(
  JSON.parse(readFileSync(new URL('../../../conformance/talhelper/contracts-before-1.9.json', import.meta.url), 'utf8')),
);

test.each(Object.keys(olderContracts))('talconfigs for Talos %s, too, become what talhelper makes of them', async (contract) => {
  const cases = olderCases.filter((one) => one.contract === contract);
  expect(cases.length).toBeGreaterThan(10);
  for (const one of cases) {
    const wanted = Object.entries(olderTexts).filter(([key]) => key.startsWith(`${one.key}: `));
    const result = await replayFiles(one);
    if ('refused' in result) expect([one.key, result.refused]).toEqual([one.key, []]);
    else expect(Object.entries(result.files).map(([name, text]) => [`${one.key}: ${name}`, text])).toEqual(wanted);
  }
});

test('what an older Talos does not know is refused with the first that does, and so is a bundle that it cannot use', async () => {
  const talconfig = `clusterName: home
talosVersion: v1.2.9
kubernetesVersion: v1.25.5
endpoint: https://192.168.42.120:6443
nodes:
  - { hostname: cp-1, ipAddress: 192.168.42.10, controlPlane: true, installDisk: /dev/sda, nodeLabels: { rack: a } }
`;
  expect(await replayFiles({ talconfig, bundle: olderCases[0]?.bundle ?? '' })).toEqual({
    refused: ['talos-config/unknown-key {"document":"v1alpha1","path":"machine","key":"nodeLabels","since":"1.3"}'],
  });
  expect(await replayFiles({ talconfig })).toEqual({ refused: ['talos-config/bundle-encryption-secret {"found":"secretbox"}'] });
});

/** As the recording has them: one line for each long text of the bundle. */
function shortened(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(files).map(([name, text]) => [
    name,
    text.replace(/[A-Za-z0-9+/]{200,}={0,2}/g, (pem) => `<${pem.length} ${pem.slice(0, 24)}>`),
  ]);
  return Object.fromEntries(entries);
}
