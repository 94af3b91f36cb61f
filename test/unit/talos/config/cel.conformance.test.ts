import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { selectorError } from '../../../../lib/talos/config/cel/selector.ts';
import { validateMachineConfig } from '../../../../lib/talos/machine-config.ts';
import { renderFailure } from '../../../../lib/ui/failure-text.ts';
import type { ExpressionSubject } from '../../../../lib/upstream/tables.ts';
import { randomExpressions, writtenExpressions } from '../../../oracle/cel/cases.ts';

const answers: readonly (readonly [environment: ExpressionSubject, text: string, said: string])[] = JSON.parse(
  readFileSync(new URL('../../../conformance/cel/answers.json', import.meta.url), 'utf8'),
);

test(`${answers.length} expressions are taken and refused as Talos does`, () => {
  const asked = [...writtenExpressions, ...randomExpressions(400, 1)].map(({ environment, text }) => [environment, text]);
  expect(answers.map(([environment, text]) => [environment, text])).toEqual(asked);
  const verdicts = answers.map(([environment, text, said]) => [environment, text, said === '']);
  expect(answers.map(([environment, text]) => [environment, text, selectorError(text, environment, '1.14') === undefined])).toEqual(
    verdicts,
  );
});

test('the words are those of Talos, but for what its parser would have expected instead', () => {
  const words = (said: string) =>
    said.includes('Syntax error') || said.split('ERROR:').length > 2 ? 'more than one or other words' : said;
  const written = answers.slice(0, writtenExpressions.length).filter(([, , said]) => words(said) === said);
  expect(written.map(([environment, text]) => [environment, text, selectorError(text, environment, '1.14') ?? ''])).toEqual(written);
});

test('a field that a version does not have yet is not there', () => {
  const text = 'disk.firmware_version == "1"';
  expect(selectorError(text, 'disk', '1.14')).toBe(undefined);
  expect(selectorError(text, 'disk', '1.13')).toBe(`ERROR: <input>:1:5: undefined field 'firmware_version'\n | ${text}\n | ....^`);
});

test('a selector that no node could compile is told with its place and what to write', () => {
  const text =
    'apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: data\nprovisioning:\n  minSize: 1GB\n  diskSelector:\n    match: disk.size > 100\n';
  const { failures } = validateMachineConfig({ path: 'data.yaml', text }, { talosVersion: '1.14' });
  expect(failures.map((failure) => renderFailure(failure))).toEqual([
    [
      'error[talos-config/invalid]: `UserVolumeConfig data` is not valid',
      ' ——▶ data.yaml:7:5',
      "because: disk selector is invalid: found no matching overload for '_>_' applied to '(uint, int)', at character 11",
      'help: a number beside a size has no sign: write `100u * GB`, with its `u`',
    ].join('\n'),
  ]);
});
