import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { contracts, talhelperCases } from '../../../oracle/talhelper/cases.ts';
import { documentsOf, replay } from '../../../oracle/talhelper/replay.ts';
import { knownGaps } from '../../../rig/known-gaps.ts';

type Recorded = { readonly files: Readonly<Record<string, string>> } | { readonly error: string };

for (const contract of contracts) {
  const cases = talhelperCases.filter((one) => one.contracts?.includes(contract) ?? true);
  test(`${cases.length} talconfigs become what talhelper makes of them at contract ${contract}, document by document`, async () => {
    const recorded: Record<string, Recorded> = JSON.parse(
      readFileSync(new URL(`../../../conformance/talhelper/contract-${contract}.json`, import.meta.url), 'utf8'),
    );
    const gaps = knownGaps(`talhelper/${contract}`);
    expect(Object.keys(recorded)).toEqual(cases.map(({ name }) => name));
    for (const one of cases) {
      const record = recorded[one.name];
      const result = await replay(one, contract);
      const got = 'files' in result ? result.files : 'refused';
      const wanted =
        record && 'files' in record
          ? Object.fromEntries(Object.entries(record.files).map(([name, text]) => [name, documentsOf(text)]))
          : 'refused';
      if (gaps.has(one.name)) expect([one.name, got]).not.toEqual([one.name, wanted]);
      // The matcher is slow on documents of this size: only a difference is worth its words.
      else if (!isDeepStrictEqual(got, wanted)) expect([one.name, got]).toEqual([one.name, wanted]);
    }
  });
}
