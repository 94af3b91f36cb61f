import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contracts, talhelperCases } from '../../../oracle/talhelper/cases.ts';
import { replayTexts } from '../../../oracle/talhelper/replay.ts';
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

/** As the recording has them: one line for each long text of the bundle. */
function shortened(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(files).map(([name, text]) => [
    name,
    text.replace(/[A-Za-z0-9+/]{200,}={0,2}/g, (pem) => `<${pem.length} ${pem.slice(0, 24)}>`),
  ]);
  return Object.fromEntries(entries);
}
