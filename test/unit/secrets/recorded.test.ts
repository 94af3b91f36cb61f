import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Secret } from '../../../lib/base/index.ts';
import { openSops, parseSopsRules, plainTextOf, ruleFor, sealSops, type SopsRules } from '../../../lib/secrets/index.ts';
import { ports, recorded, ringOf } from './ports.ts';

const folder = new URL('../../conformance/sops/', import.meta.url).pathname;
const names = readdirSync(join(folder, 'plain'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, 'plain').length + 1))
  .sort();

function rules(): SopsRules {
  const parsed = parseSopsRules({ path: '.sops.yaml', text: recorded('.sops.yaml') });
  if (parsed.state === 'failed') throw new Error('rules');
  return parsed.rules;
}

const ring = ringOf('age.key', 'age-pq.key');
const withoutComments = (text: string) => text.split('\n').filter((line) => !/^\s*#/.test(line));

test.each(names)('%s, encrypted by sops 3.13.3, opens as sops prints it', async (name) => {
  const { indents } = rules();
  const opened = await openSops({ path: name, text: recorded(`sops/${name}`) }, ring, ports());
  const text = plainTextOf(name, opened.documents, { indents });
  if (/\.ya?ml$/.test(name)) expect(withoutComments(text)).toEqual(withoutComments(recorded(`printed/${name}`)));
  else expect(text).toBe(recorded(`printed/${name}`));
});

test.each(names)('%s, encrypted by us and opened by sops when it was recorded, still opens', async (name) => {
  const opened = await openSops({ path: name, text: recorded(`tk/${name}`) }, ring, ports());
  const text = plainTextOf(name, opened.documents, { indents: rules().indents });
  if (/\.ya?ml$/.test(name)) expect(withoutComments(text)).toEqual(withoutComments(recorded(`printed/${name}`)));
  else expect(text).toBe(recorded(`printed/${name}`));
});

/** Everything that is random or a time becomes a word. */
const shapeOf = (text: string): string =>
  text
    .replace(/(data|iv|tag):[^,\]]*/g, '$1')
    .replace(/-----BEGIN AGE[^]*?END AGE ENCRYPTED FILE-----/g, 'age')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'time');

test.each(names)('%s has the shape that sops gives it', async (name) => {
  const text = new Secret(recorded(`plain/${name}`));
  const ours = await sealSops({ path: name, text, rule: ruleFor(rules(), name) }, ports(), { indents: rules().indents });
  expect(shapeOf(ours)).toBe(shapeOf(recorded(`sops/${name}`)));
});
