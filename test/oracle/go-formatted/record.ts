// Records what yaml.v3 writes for every case: node test/oracle/go-formatted/record.ts FORMATTER
//
// FORMATTER is library/main.go, built.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goFormattedCases } from './cases.ts';

const questions = goFormattedCases.flatMap((text) => [
  { text, plain: true },
  { text, plain: false },
]);
const { stdout } = spawnSync(process.argv[2] ?? '', {
  input: questions.map((question) => `${JSON.stringify(question)}\n`).join(''),
  encoding: 'utf8',
});
const answers = stdout
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly text?: string });
writeFileSync(
  join(import.meta.dirname, '../../conformance/go-formatted/answers.json'),
  `${JSON.stringify(
    questions.map((question, index) => ({ ...question, ...answers[index], text: question.text, written: answers[index]?.text })),
    null,
    1,
  )}\n`,
);
