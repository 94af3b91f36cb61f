// Writes the fields that selectors may ask: node test/oracle/cel/fields/write.ts MINOR=FILE…
//
// FILE is what main.go printed for that minor; oldest first.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Messages = Readonly<Record<string, Readonly<Record<string, string>>>>;

const versions = process.argv.slice(2).map((word) => {
  const [minor = '', file = ''] = word.split('=');
  return { minor, messages: JSON.parse(readFileSync(file, 'utf8')) as Messages };
});
const [oldest, newest] = [versions[0]?.minor ?? '', versions.at(-1)?.messages ?? {}];
const spelled = (type: string) => type.replace(/^list (.*)$/, 'list($1)').replace(/^map (\S+) (\S+)$/, 'map($1,$2)');
const lines = Object.keys(newest)
  .sort()
  .flatMap((name) => [
    name,
    ...Object.keys(newest[name] ?? {})
      .sort()
      .map((field) => {
        const since = versions.find(({ messages }) => messages[name]?.[field] !== undefined)?.minor;
        return `  ${field} ${spelled(newest[name]?.[field] ?? '')}${since === oldest ? '' : ` ${since}`}`;
      }),
  ]);
writeFileSync(
  join(import.meta.dirname, '../../../../lib/upstream/schema/expressions.gen.ts'),
  [
    '// Generated from the messages that disks, volumes and links are to expressions, of Talos 1.12.6, 1.13.9 and 1.14.1. Do not edit.',
    '// One message a line, then its fields with their types; the first minor follows where 1.12 does not have it yet.',
    `export const expressionMessages = \`\n${lines.join('\n')}\n\`;\n`,
  ].join('\n'),
);
