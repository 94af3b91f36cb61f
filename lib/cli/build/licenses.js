import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The notices of the packages whose code is part of ours: name, version, licence, and every text that they bring for it. */
export function licensesOf(folders) {
  const notices = folders.map((folder) => {
    const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const texts = readdirSync(folder)
      .filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file))
      .sort()
      .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
    const by = typeof author === 'string' ? author : author?.name;
    if (texts.length === 0 && license === undefined) throw new Error(`${name} says nothing about its licence`);
    return { name, version, text: [`${name} ${version}`, [license, by].filter(Boolean).join(', '), ...texts].filter(Boolean).join('\n\n') };
  });
  notices.sort((one, other) => (`${one.name} ${one.version}` < `${other.name} ${other.version}` ? -1 : 1));
  return `Packages whose code is part of the files below dist/, and their licences.\n${notices.map(({ text }) => `\n${'-'.repeat(80)}\n\n${text}\n`).join('')}`;
}
