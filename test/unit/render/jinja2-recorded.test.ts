import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createEngine, type EngineOptions, readTemplateData, type TemplateData } from '../../../lib/render/index.ts';
import type { Recording } from '../../oracle/jinja/record.ts';

const recording = JSON.parse(readFileSync(new URL('../../conformance/jinja/jinja2.json', import.meta.url), 'utf8')) as Recording;

function dataOf(name: string): TemplateData {
  const read = readTemplateData({ path: `${name}.json`, text: JSON.stringify(recording.data[name]) });
  if (read.state === 'failed') throw new Error(name);
  return read.data;
}

/** What can be compared: the whole text, or the line that failed. */
function outcomeOf(one: Recording['cases'][number]): unknown {
  const templates = one.templates === undefined ? {} : (recording.templates[one.templates] ?? {});
  const engine = createEngine({
    dialect: 'jinja',
    ...(one.options as Partial<EngineOptions>),
    loader: (name) => (Object.hasOwn(templates, name) ? { path: name, text: templates[name] ?? '' } : undefined),
  });
  const result = engine.render({ path: '<template>', text: one.template }, dataOf(one.data));
  if (result.state === 'rendered') return { text: result.text };
  const where = result.failures[0].where;
  return { failedAtLine: where?.kind === 'file' ? where.line : null };
}

test('every recorded template renders as Jinja2 3.1.6 rendered it, or fails on the same line', () => {
  const differing = recording.cases.flatMap((one) => {
    const expected = one.answer && 'text' in one.answer ? one.answer : { failedAtLine: one.answer?.error.line };
    const found = outcomeOf(one);
    return JSON.stringify(found) === JSON.stringify(expected) ? [] : [{ template: one.template, options: one.options, expected, found }];
  });
  expect(differing).toEqual([]);
  expect(recording.cases.length).toBeGreaterThan(1000);
});
