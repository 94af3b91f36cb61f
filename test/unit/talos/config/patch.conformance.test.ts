import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { TkError } from '../../../../lib/base/index.ts';
import { parseYamlBulk } from '../../../../lib/format/index.ts';
import { patchMachineConfig } from '../../../../lib/talos/machine-config.ts';
import { bases } from '../../../oracle/patch/bases.ts';
import { type PatchCase, patchCases } from '../../../oracle/patch/cases.ts';
import { knownGaps } from '../../../rig/known-gaps.ts';

type Recorded = { readonly documents: unknown[] } | { readonly error: string };

/** What tk makes of a case: its documents, or that it refused. */
function patched({ base, patches }: PatchCase, talosVersion: '1.13' | '1.14'): unknown {
  try {
    const { text } = patchMachineConfig({
      base: { path: 'base.yaml', text: bases[base] ?? '' },
      patches: patches.map((patch, index) => ({ path: `patch-${index}.yaml`, text: patch })),
      talosVersion,
    });
    return JSON.parse(JSON.stringify(parseYamlBulk(text, { version: 'go' })));
  } catch (error) {
    if (error instanceof TkError) return 'refused';
    throw error;
  }
}

for (const minor of ['1.13', '1.14'] as const) {
  test(`${patchCases.length} patches come out as talosctl ${minor} makes them`, () => {
    const recorded: Record<string, Recorded> = JSON.parse(
      readFileSync(new URL(`../../../conformance/patch/talosctl-${minor}.json`, import.meta.url), 'utf8'),
    );
    const gaps = knownGaps(`patch/${minor}`);
    const differing: string[] = [];
    for (const one of patchCases) {
      const record = recorded[one.name];
      const wanted = record && 'documents' in record ? record.documents : 'refused';
      const got = patched(one, minor);
      if (gaps.has(one.name)) {
        if (JSON.stringify(got) === JSON.stringify(wanted))
          differing.push(`${one.name}: no longer differs, remove its line from known-gaps.txt`);
        continue;
      }
      // The matcher is slow on documents of this size: only a difference is worth its words.
      if (!isDeepStrictEqual(got, wanted)) expect([one.name, got]).toEqual([one.name, wanted]);
    }
    expect(differing).toEqual([]);
    expect(Object.keys(recorded)).toEqual(patchCases.map(({ name }) => name));
  });
}
