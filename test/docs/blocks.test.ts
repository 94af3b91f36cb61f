import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findCommand, parseArguments, splitGlobalFlags } from '../../lib/cli/argv.ts';
import { commands } from '../../lib/cli/commands/index.ts';
import { taskNameOf } from '../../lib/cli/tasks/manifest.ts';
import { isTask, paramShapesOf } from '../../lib/core/index.ts';
import { projectRoot, runTk } from '../rig/process.ts';
import { repositoryIn } from '../rig/repository.ts';

const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(projectRoot, 'docs')).map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);
const textOf = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = pages.flatMap((page) => {
  const text = textOf(page);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length,
    language: match[1] ?? '',
    text: match[2] ?? '',
  }));
});

test('what the docs show as TypeScript compiles as it stands, with every check on', { timeout: 120_000 }, () => {
  const written = blocks.filter(({ language }) => language === 'ts');
  expect(written.length).toBeGreaterThan(3);
  // Inside of the checkout: there the package finds itself under its own name.
  mkdirSync(join(projectRoot, '.tk'), { recursive: true });
  const folder = mkdtempSync(join(projectRoot, '.tk/docs-'));
  try {
    const files = written.map(({ page, line, text }) => {
      const named = /^\/\/ (\S+\.ts)\b/.exec(text)?.[1] ?? 'block.ts';
      const path = join(`${page.replaceAll(/\W+/g, '-')}-${line}`, named);
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
      return path;
    });
    writeFileSync(
      join(folder, 'tsconfig.json'),
      // Against the declarations that users get.
      JSON.stringify({
        extends: '../../tsconfig.json',
        compilerOptions: { noEmit: true, rootDir: '../..', customConditions: [] },
        include: [],
        files,
      }),
    );
    const checked = spawnSync(process.execPath, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' });
    expect(checked.stdout.replaceAll(folder, '')).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('tasks of the docs load under the names that they say, and the lines that start them do what is said', {
  timeout: 120_000,
}, async () => {
  // Below the checkout, where the package finds itself under its own name.
  mkdirSync(join(projectRoot, '.tk'), { recursive: true });
  const folder = mkdtempSync(join(projectRoot, '.tk/docs-'));
  try {
    const root = repositoryIn(folder, 'hut', { from: join(projectRoot, 'test/e2e/fixtures/talhelper'), copies: ['.'] });
    const said = blocks.flatMap(({ text }) => {
      const [, file, command] = /^\/\/ (tasks\/\S+\.ts)(?: +→ +tk (\S+).*)?\n/.exec(text) ?? [];
      const name = file === undefined ? undefined : taskNameOf(file.slice('tasks/'.length));
      if (file === undefined || name === undefined) return [];
      if (command !== undefined) expect(command).toBe(name);
      mkdirSync(join(root, dirname(file)), { recursive: true });
      writeFileSync(join(root, file), text);
      return [{ name, summary: /summary: '([^']+)'/.exec(text)?.[1] ?? '' }];
    });
    expect(said.length).toBeGreaterThan(3);
    const list = await runTk(['--list'], { cwd: root });
    expect(list).toMatchObject({ exitCode: 0, stderr: '' });
    for (const { name, summary } of said) expect(list.stdout).toMatch(new RegExp(`^ {2}${name} +${summary}$`, 'm'));

    const [, line = ''] = /^ {4}npx tk (snapshot-age .*)$/m.exec(textOf('docs/tasks.md')) ?? [];
    mkdirSync(join(root, 'snapshots'));
    writeFileSync(join(root, 'snapshots/latest.db'), '');
    const young = await runTk(line.split(' '), { cwd: root });
    expect(young).toMatchObject({ exitCode: 0, stdout: '', stderr: expect.stringContaining('✔ snapshot-age days=3: 0 days old') });
    utimesSync(join(root, 'snapshots/latest.db'), 0, 0);
    const old = await runTk(line.split(' '), { cwd: root });
    expect(old.exitCode).toBe(1);
    expect(old.stderr).toMatch(
      /^error\[task\/failed\]: the newest snapshot is \d+ days old\nstep: snapshot-age days=3\nhelp: npx tk talos:etcd-snapshot$/m,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Command lines of the pages: `npx tk …` in code of any kind. Placeholders and comments are no words. */
const lines = pages.flatMap((page) =>
  textOf(page)
    .split('\n')
    .flatMap((text, index) =>
      [...text.matchAll(/npx tk((?: [^\s`()·|'"]+)*)/g)].map((match) => ({
        where: `${page}:${index + 1}`,
        words: (match[1] ?? '')
          .trim()
          .split(' ')
          .filter((word) => word !== ''),
      })),
    ),
);

test('every command line of the docs names something that there is, with words that it takes', { timeout: 60_000 }, async () => {
  const tasks = new Map<string, Awaited<ReturnType<typeof shapesOf>>>();
  for (const path of readdirSync(join(projectRoot, 'tasks'), { recursive: true, encoding: 'utf8' })) {
    const name = taskNameOf(path.replaceAll('\\', '/'));
    if (name !== undefined) tasks.set(name, await shapesOf(path));
  }
  const names = new Set([...tasks.keys(), ...commands.map(({ name }) => name)]);
  const problems: string[] = [];
  let checked = 0;
  for (const { where, words } of lines) {
    // What follows an operator of the shell, or is told in prose, is not part of the line.
    const end = words.findIndex((word) => ['&&', '#', '|'].includes(word) || /^[A-Z]+$/.test(word) || word.includes('…'));
    const typed = end === -1 ? words : words.slice(0, end);
    if (typed.length === 0 || typed[0] === 'resume') continue;
    try {
      const { words: rest, flags } = splitGlobalFlags(typed.map((word) => word.replace(/[.,:;]$/, '')));
      if (rest.length === 0 || flags.help) continue;
      // An example of a task that the page itself defines.
      if (blocks.some(({ text }) => text.includes(`tasks/${(rest[0] ?? '').replaceAll(':', '/')}.ts`))) continue;
      const { name, rest: after } = findCommand(rest, names);
      const command = commands.find((candidate) => candidate.name === name);
      const shape = command
        ? command.arguments.map((argument) => ({ ...argument, required: false }))
        : (tasks.get(name) ?? []).flatMap((param) =>
            [param.name, ...param.aliases].map((each) => ({ ...param, name: each, required: false })),
          );
      parseArguments(name, after, shape);
      checked += 1;
    } catch (error) {
      problems.push(`${where}: tk ${typed.join(' ')}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  expect(problems).toEqual([]);
  expect(checked).toBeGreaterThan(5);
});

async function shapesOf(path: string) {
  const loaded = (await import(join(projectRoot, 'tasks', path))) as { readonly default: unknown };
  return isTask(loaded.default) ? paramShapesOf(loaded.default) : [];
}

test('pages link only to what is there', () => {
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].flatMap(([, target = '']) => {
      try {
        readdirSync(join(projectRoot, dirname(page), target));
        return [];
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? [] : [`${page}: ${target}`];
      }
    }),
  );
  expect(broken).toEqual([]);
});
