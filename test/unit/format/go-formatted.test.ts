import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { goFormattedDocuments } from '../../../lib/format/index.ts';
import { goFormattedCases } from '../../oracle/go-formatted/cases.ts';

interface Answer {
  readonly text: string;
  /** Without comments. */
  readonly plain: boolean;
  readonly written?: string;
}

const answers: readonly Answer[] = JSON.parse(
  readFileSync(new URL('../../conformance/go-formatted/answers.json', import.meta.url), 'utf8'),
);

test(`${goFormattedCases.length} files are written as Go's library writes what it has read as nodes, with their comments and without`, () => {
  expect(answers.map(({ text }) => text)).toEqual(goFormattedCases.flatMap((text) => [text, text]));
  const mine = answers.map(({ text, plain }) => ({
    text,
    plain,
    written: goFormattedDocuments(text, { comments: plain ? 'left out' : 'kept' })?.join('---\n'),
  }));
  expect(mine).toEqual(answers);
});
