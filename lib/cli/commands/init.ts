import { basename, join, resolve } from 'node:path';
import { Secret, throwIfAny, TkError } from '../../base/index.ts';
import { loadClusterInputs } from '../../config/index.ts';
import { withAnswers } from '../../core/index.ts';
import { newIdentity, parseIdentities, recipientOf } from '../../secrets/index.ts';
import { createPrompter } from '../../ui/index.ts';
import { loadAnswers } from '../answers.ts';
import { cliFailure } from '../failures.ts';
import { askRepository, sampleRepository } from '../init/questions.ts';
import { renderRepository } from '../init/render.ts';
import { createScratchFiles } from '../scratch-files.ts';
import type { CommandContext } from './command.ts';
import { isOn, textOf } from './inputs.ts';

/** Files that say that a repository has begun already. */
const begun = ['cluster.yaml', 'nodes.yaml', 'cluster.toml', 'talconfig.yaml', 'talos/talconfig.yaml', 'tasks.config.ts'];
const ownerOnly = 0o600;

/**
 * Asks, checks the whole, and only then writes: what git ignores first, then the key, then the rest.
 *
 * Failure: `usage/file-exists`, `prompt/*`, `config/*` for answers that do not go together; nothing is written then.
 */
export async function run(context: CommandContext): Promise<number> {
  const { world, directory, values } = context;
  const { files } = world;
  const root = resolve(directory, textOf(values, 'dir') ?? '.');
  for (const name of begun) {
    if ((await files.stat(join(root, name))) !== undefined) throw new TkError(cliFailure('usage/file-exists', { path: join(root, name) }));
  }
  const answers = await loadAnswers({ world, file: context.answersFile, directory, settings: undefined });
  const { isInteractive } = world.terminal;
  const streams = isInteractive ? { stdin: process.stdin, stdout: process.stderr as unknown as typeof process.stdout } : undefined;
  const prompter = withAnswers(createPrompter({ streams, suspend: () => {}, resume: () => {} }), answers);
  const facts = { defaultName: nameFrom(basename(root)), answers, isInteractive };
  const repository = isOn(values, 'sample') ? sampleRepository(facts.defaultName) : await askRepository(prompter, facts);

  const keyPath = join(root, 'age.key');
  const standing = await files.readText(keyPath);
  const [known] = standing === undefined ? [] : parseIdentities(new Secret(standing), 'age.key');
  const made = known === undefined ? await newIdentity(world.random) : undefined;
  const recipient = known === undefined ? (made?.recipient ?? '') : await recipientOf(known, 'age.key');
  const rendered = await renderRepository(files, repository, recipient);

  // The whole is read as configure will read it, before the first file is written.
  const trial = createScratchFiles(() => world.clock.now()).over(files);
  for (const { path, content } of rendered) await trial.write(join(root, path), content);
  const { failures } = await loadClusterInputs(trial, root);
  throwIfAny(failures);

  const ignoring = rendered.filter(({ path }) => path === '.gitignore');
  const written: string[] = [];
  for (const { path, content, mode } of [...ignoring, ...rendered.filter((file) => !ignoring.includes(file))]) {
    const target = join(root, path);
    if (made !== undefined && path !== '.gitignore' && !written.includes('age.key')) {
      await files.write(keyPath, `# public key: ${made.recipient}\n${made.secretKey.reveal()}\n`, { mode: ownerOnly });
      written.push('age.key');
    }
    if ((await files.stat(target)) !== undefined) {
      context.note(path === '.gitignore' ? await completed(context, target, content) : `kept ${path}, which was there`);
      continue;
    }
    await files.write(target, content, { mode });
    written.push(path);
  }
  const templates = written.filter((path) => path.startsWith('templates/')).length;
  context.note(`wrote ${written.filter((path) => !path.startsWith('templates/')).join(' ')} and ${templates} templates in ${root}`);
  context.note('age.key opens every secret of this repository, and git ignores it: keep a copy of it in a safe place.');
  const inside = root === directory ? '' : `cd ${textOf(values, 'dir')} && `;
  context.note(`Next: ${inside}npm install && npx tk configure && npx tk bootstrap --sim`);
  return 0;
}

/** A `.gitignore` that is there stays as it is, and gets the lines that it lacks. */
async function completed({ world }: CommandContext, path: string, content: string | Uint8Array): Promise<string> {
  const text = (await world.files.readText(path)) ?? '';
  const lines = new Set(text.split(/\r?\n/));
  const missing = Buffer.from(content as string)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '' && !lines.has(line));
  if (missing.length > 0) await world.files.write(path, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`);
  return `.gitignore: ${missing.length} lines added`;
}

/** What a folder is called, as a cluster may be called. */
function nameFrom(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'home-ops' : name;
}
