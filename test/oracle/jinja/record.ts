/**
 * Asks upstream's own programs again about every recorded template, and writes their answers into the recordings.
 *
 *   node test/oracle/jinja/record.ts jinja2 PYTHON       PYTHON has jinja2 3.1.6
 *   node test/oracle/jinja/record.ts minijinja PROGRAM   PROGRAM is minijinja-cli 3.0.5
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RecordedCase {
  readonly template: string;
  /** Name of a set in `data`. */
  readonly data: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly templates?: string;
  answer?:
    | { readonly text: string }
    | { readonly error: { readonly kind: string; readonly message: string; readonly line: number | null } };
}

export interface Recording {
  readonly data: Readonly<Record<string, unknown>>;
  readonly templates: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly cases: RecordedCase[];
}

const [which = '', program = ''] = process.argv.slice(2);
const path = join(import.meta.dirname, '../../conformance/jinja', `${which}.json`);
const recording = JSON.parse(readFileSync(path, 'utf8')) as Recording;

/** An answer that names an address of the Python process cannot be compared with anything. */
const hasAddress = (answer: RecordedCase['answer']) => answer !== undefined && 'text' in answer && / at 0x[0-9a-f]+/.test(answer.text);

function askJinja2(): void {
  const asked = recording.cases.map((one) => ({
    template: one.template,
    data: recording.data[one.data],
    options: one.options ?? {},
    templates: one.templates === undefined ? {} : recording.templates[one.templates],
  }));
  const output = execFileSync(program, [join(import.meta.dirname, 'answer.py')], { input: JSON.stringify(asked), maxBuffer: 1 << 28 });
  const answers = JSON.parse(output.toString()) as NonNullable<RecordedCase['answer']>[];
  recording.cases.forEach((one, index) => {
    one.answer = answers[index] as NonNullable<RecordedCase['answer']>;
  });
}

function askMinijinja(): void {
  const folder = mkdtempSync(join(tmpdir(), 'minijinja-'));
  for (const one of recording.cases) {
    const templates = one.templates === undefined ? {} : recording.templates[one.templates];
    for (const [name, text] of Object.entries(templates ?? {})) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, 'template.txt'), one.template);
    writeFileSync(join(folder, 'data.json'), JSON.stringify(recording.data[one.data]));
    const flags = (one.options?.['flags'] as string[] | undefined) ?? [];
    const { status, stdout, stderr } = spawnSync(program, ['--no-newline', ...flags, 'template.txt', 'data.json'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: '', HOME: folder },
    });
    const line = /template\.txt:(\d+)/.exec(stderr)?.[1];
    one.answer =
      status === 0
        ? { text: stdout }
        : {
            error: {
              kind: 'error',
              message: (stderr.split('\n')[0] ?? '').replaceAll(`${folder}/`, ''),
              line: line === undefined ? null : Number(line),
            },
          };
  }
  rmSync(folder, { recursive: true });
}

if (which === 'jinja2') askJinja2();
else askMinijinja();
const kept = recording.cases.filter((one) => !hasAddress(one.answer));
const lines = kept.map((one) => `  ${JSON.stringify(one)}`).join(',\n');
writeFileSync(
  path,
  `{\n "data": ${JSON.stringify(recording.data)},\n "templates": ${JSON.stringify(recording.templates)},\n "cases": [\n${lines}\n ]\n}\n`,
);
console.log(`${kept.length} answers recorded`);
