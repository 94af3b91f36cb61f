import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createEngine, type EngineOptions, readTemplateData, type TemplateData } from '../../../lib/render/index.ts';
import type { Recording } from '../../oracle/jinja/record.ts';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../conformance/jinja/${name}.json`, import.meta.url), 'utf8')) as Recording;

function dataOf(recording: Recording, name: string): TemplateData {
  const data = readTemplateData({ path: `${name}.json`, text: JSON.stringify(recording.data[name]) });
  if (data.state === 'failed') throw new Error(name);
  return data.data;
}

/** What can be compared: the whole text, or the line that failed. */
function outcomeOf(recording: Recording, dialect: 'jinja' | 'minijinja', one: Recording['cases'][number]): unknown {
  const templates = one.templates === undefined ? {} : (recording.templates[one.templates] ?? {});
  const engine = createEngine({
    dialect,
    ...(one.options as Partial<EngineOptions>),
    loader: (name) => (Object.hasOwn(templates, name) ? { path: name, text: templates[name] ?? '' } : undefined),
  });
  const result = engine.render({ path: '<template>', text: one.template }, dataOf(recording, one.data));
  if (result.state === 'rendered') return { text: result.text };
  const where = result.failures[0].where;
  return { failedAtLine: where?.kind === 'file' ? where.line : null };
}

function differences(recording: Recording, dialect: 'jinja' | 'minijinja'): unknown[] {
  return recording.cases.flatMap((one) => {
    const found = outcomeOf(recording, dialect, one);
    const { answer } = one;
    // minijinja names the line of the outermost template, we name the line that failed.
    const isLineKnown = answer && 'error' in answer && answer.error.line !== null && (dialect === 'jinja' || one.templates === undefined);
    const expected =
      answer && 'text' in answer
        ? answer
        : isLineKnown
          ? { failedAtLine: answer.error.line }
          : 'text' in (found as object)
            ? 'a failure'
            : found;
    return JSON.stringify(found) === JSON.stringify(expected) ? [] : [{ template: one.template, options: one.options, expected, found }];
  });
}

test('every recorded template renders as Jinja2 3.1.6 rendered it, or fails on the same line', () => {
  const recording = read('jinja2');
  expect(differences(recording, 'jinja')).toEqual([]);
  expect(recording.cases.length).toBeGreaterThan(1600);
});

test('every recorded template renders as minijinja-cli 3.0.5 rendered it, or fails on the same line', () => {
  const recording = read('minijinja');
  expect(differences(recording, 'minijinja')).toEqual([]);
  expect(recording.cases.length).toBeGreaterThan(1000);
});
