import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkForNode, validateMachineConfig } from '../../../../lib/talos/machine-config.ts';
import { generations } from '../../../oracle/gen-config/cases.ts';
import { talhelperCases } from '../../../oracle/talhelper/cases.ts';
import { olderTexts } from '../../../oracle/talhelper/older-texts.ts';
import { replayTexts } from '../../../oracle/talhelper/replay.ts';
import { validateCases } from '../../../oracle/validate/cases.ts';
import { configOf } from '../../../oracle/validate/replay.ts';
import { knownGaps } from '../../../rig/known-gaps.ts';

const recording = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../conformance/machineconfig/${name}.json`, import.meta.url), 'utf8'));

const badUrls = [
  'two ports',
  'an escape that is none',
  'a space in its host',
  'an address of IPv6 without brackets',
  'brackets around a name',
];

/** The decoder's own words for a value of the wrong type; ours name the field instead. */
const wordsOfOurOwn = new Set([
  ...[...badUrls, 'a port that is no number'].map((what) => `an endpoint with ${what}`),
  'a log to an address with an escape that is none',
  'no type',
  'a list where a text is',
  'a text where a list is',
  'an unknown enumeration',
  'a bad address',
  'a bad size',
  '1.12 a raw volume with a negative size',
]);

for (const minor of generations) {
  test(`${validateCases.length} configurations are taken and refused as talosctl ${minor} does, with its words`, () => {
    const recorded: Record<string, string> = recording('validate');
    const gaps = knownGaps(`validate/${minor}`);
    for (const one of validateCases) {
      // talosctl prints its warnings before what is wrong.
      const said = (recorded[`${minor} ${one.name}`] ?? '').replace(/^WARNING: .*\n/gm, '');
      const ours = checkForNode(configOf(one, minor), minor)?.trim() ?? 'accepted';
      if (gaps.has(one.name)) expect([one.name, ours]).not.toEqual([one.name, said]);
      else if (wordsOfOurOwn.has(one.name) || wordsOfOurOwn.has(`${minor} ${one.name}`))
        expect([one.name, ours === 'accepted']).toEqual([one.name, said === 'accepted']);
      else expect([one.name, ours]).toEqual([one.name, said]);
    }
  });

  test(`everything that we make for ${minor} was accepted by its talosctl, or is refused by us with the same words`, async () => {
    const recorded: Record<string, { sha256: string; accepted: boolean; said?: string }> = recording('accepted');
    let seen = 0;
    for (const one of talhelperCases) {
      if (one.contracts && !one.contracts.includes(minor as '1.12')) continue;
      const made = await replayTexts(one, minor, { unchecked: true });
      for (const [name, text] of Object.entries('files' in made ? made.files : {})) {
        const record = recorded[`${minor} ${one.name} ${name}`];
        seen += 1;
        expect([one.name, name, createHash('sha256').update(text).digest('hex')]).toEqual([one.name, name, record?.sha256]);
        // Both roles of a case hold the same documents in question.
        if (record?.accepted && name.includes('worker')) continue;
        const said = record?.said?.replace(/^WARNING: .*\n/gm, '');
        expect([one.name, name, checkForNode(text, minor)?.trim()]).toEqual([one.name, name, record?.accepted ? undefined : said]);
      }
    }
    expect(seen).toBe(Object.keys(recorded).filter((key) => key.startsWith(`${minor} `)).length);
  });
}

test('a problem is named with its line, its column, and what was probably meant', () => {
  const text =
    'version: v1alpha1\nmachine:\n  type: worker\n  kubelet:\n    extraArg:\n      a: b\n  network:\n    kubespan: {}\ncluster: {}\n---\napiVersion: v1alpha1\nkind: HostnameConfg\nhostname: x\n';
  const { failures } = validateMachineConfig({ path: 'worker.yaml', text }, { talosVersion: 'v1.13.9', keepUnknownKinds: false });
  const shown = failures.map(({ code, facts, where }) => [
    code,
    facts['key'] ?? facts['kind'] ?? '',
    facts['suggestion'] ?? '',
    where?.kind === 'file' ? `${where.line}:${where.column}` : '',
  ]);
  expect(shown.slice(0, 2)).toEqual([
    ['talos-config/unknown-key', 'extraArg', 'extraArgs', '5:5'],
    ['talos-config/unknown-kind', 'HostnameConfg', 'HostnameConfig', '12:7'],
  ]);
});

test('a kind of a later Talos is refused with the version that brings it, and passes where nobody knows it', () => {
  const later = 'apiVersion: v1alpha1\nkind: SysctlConfig\nparams: {}\n';
  const never = 'apiVersion: v1alpha1\nkind: QuantumConfig\nspin: up # kept\n';
  const codes = (text: string) =>
    validateMachineConfig({ path: 'x.yaml', text }, { talosVersion: '1.13' }).failures.map(({ code, facts }) => [
      code,
      facts['since'] ?? null,
    ]);
  expect(codes(later)).toEqual([['talos-config/unknown-kind', '1.14']]);
  expect(codes(never)).toEqual([]);
});

test('a configuration for a newer Talos is refused by an older one exactly where its talosctl refuses it, with the same words', async () => {
  const recorded: Record<string, { sha256: string; said?: string }> = recording('older');
  const texts = await olderTexts();
  expect(texts.map(({ key }) => key)).toEqual(Object.keys(recorded));
  for (const { key, text, older } of texts) {
    expect([key, createHash('sha256').update(text).digest('hex')]).toEqual([key, recorded[key]?.sha256]);
    const ours = checkForNode(text, older)?.trim();
    // A node looks at the version of the kubelet, too, which talosctl does not.
    const said = recorded[key]?.said ?? (ours?.includes('is too new to be used with Talos') ? ours : undefined);
    expect([key, ours]).toEqual([key, said]);
  }
});
