import { createHash } from 'node:crypto';
import { type Files, type Redactor, TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';
import { type FilePattern, findFiles, parseFilePattern } from './file-patterns.ts';
import type { GraphNode } from './graph.ts';
import { canonicalText } from './params.ts';

/** Path to the digest of its content. */
type Digests = Readonly<Record<string, string>>;

/** What a task's last good run read, wrote and returned. On disk below the state directory's cache, so that it may be lost. */
interface Fingerprint {
  readonly schema: 1;
  readonly run: string;
  /** Digest of the task's own code, of tk's version and of what the run acted on. */
  readonly source: string;
  /** Digest of the results that it was given. */
  readonly needs: string;
  readonly inputs: Digests;
  readonly outputs: Digests;
  /** Absent: the task returned nothing. */
  readonly value?: unknown;
}

/** Whether a task may be left out; `reason` says why it is, or why it is not. */
export type Freshness =
  | { readonly state: 'unchanged'; readonly reason: string; readonly value: unknown }
  | { readonly state: 'changed'; readonly reason: string };

/** What was there before the body ran. */
export interface Begun {
  readonly needs: string | undefined;
  readonly inputs: Digests;
}

export interface Fingerprints {
  /** Undefined for tasks that declare no `inputs`, and for those that change more than files: they look at the world instead. */
  of(node: GraphNode): TaskFingerprint | undefined;
}

export interface TaskFingerprint {
  /** `needs`: the results that it would be given; absent: as last time. Failure: `task/file-pattern`, `host/file`. */
  freshness(needs?: unknown): Promise<Freshness>;
  /** To be called right before the body. */
  begin(needs: unknown): Promise<Begun>;
  /**
   * To be called after a body that ended well. Keeps nothing when an input changed meanwhile, when a declared output is not there, or
   * when the result cannot be kept: then the task runs again next time. Never fails: a repository that cannot be written to has no cache.
   */
  keep(begun: Begun, run: string, value: unknown): Promise<void>;
}

export interface FingerprintOptions {
  readonly files: Files;
  /** Absolute; patterns are relative to it. */
  readonly root: string;
  /** Absolute. */
  readonly directory: string;
  readonly redactor: Redactor;
  /** Whatever makes every fingerprint another one: version, identity. */
  readonly salt: readonly string[];
  /** Digest of the files that the task is made of, where somebody knows it. */
  sourceOf(name: string): string | undefined;
}

export function createFingerprints(options: FingerprintOptions): Fingerprints {
  const { files, root } = options;
  return {
    of(node) {
      const { inputs, outputs, effect } = node.task.definition;
      if (inputs === undefined || (effect !== 'read' && effect !== 'write')) return undefined;
      const path = `${options.directory}/${digestOf(node.id).slice(0, 32)}.json`;
      const source = digestOf([...options.salt, String(node.task.definition.run), options.sourceOf(node.name) ?? ''].join('\0'));
      const digestsOf = (patterns: typeof inputs | undefined) => fileDigests(files, root, patternsOf(node, patterns));
      return {
        async freshness(...needs) {
          const known = readFingerprint(await files.readText(path));
          if (known === undefined) return changed('no earlier run of it is known');
          if (known.source !== source) return changed('the task itself has changed');
          if (needs.length > 0 && known.needs !== needsDigest(needs[0])) return changed('what it needs returned something else');
          const input = firstDifference(known.inputs, await digestsOf(inputs));
          if (input !== undefined) return changed(input);
          const output = firstDifference(known.outputs, await digestsOf(outputs));
          if (output !== undefined) return changed(output);
          return { state: 'unchanged', reason: `inputs and outputs are as run ${known.run} left them`, value: known.value };
        },
        async begin(needs) {
          // The proof goes before the work: a run that ends half way must not leave one that happens to fit again later.
          await quietly(() => files.remove(path));
          return { needs: needsDigest(needs), inputs: await digestsOf(inputs) };
        },
        async keep(begun, run, value) {
          await quietly(async () => {
            const written = await digestsOf(outputs);
            const isMissing = outputs !== undefined && Object.keys(written).length === 0;
            if (isMissing || begun.needs === undefined || firstDifference(begun.inputs, await digestsOf(inputs)) !== undefined) return;
            const text = canonicalText(value ?? null);
            // A secret has no place on the disk, and what was taken out of a text cannot be given back.
            if (text === undefined || options.redactor.redact(text) !== text) return;
            const fingerprint: Fingerprint = {
              schema: 1,
              run,
              source,
              needs: begun.needs,
              inputs: begun.inputs,
              outputs: written,
              ...(value === undefined ? {} : { value }),
            };
            await files.write(path, `${JSON.stringify(fingerprint)}\n`, { mode: 0o600 });
          });
        },
      };
    },
  };
}

async function quietly(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
  }
}

const changed = (reason: string): Freshness => ({ state: 'changed', reason });

const digestOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Undefined when results are no plain data: then nobody can say whether they are the same. */
function needsDigest(needs: unknown): string | undefined {
  const text = canonicalText(plainNeeds(needs));
  return text === undefined ? undefined : digestOf(text);
}

/** A task that returns nothing is a result too. */
const plainNeeds = (needs: unknown): unknown =>
  Array.isArray(needs)
    ? needs.map((need: unknown) => need ?? null)
    : typeof needs === 'object' && needs !== null
      ? Object.fromEntries(Object.entries(needs).map(([name, need]) => [name, Array.isArray(need) ? plainNeeds(need) : (need ?? null)]))
      : (needs ?? null);

/** Failure: every `task/file-pattern` of the task at once. */
function patternsOf(node: GraphNode, declared: GraphNode['task']['definition']['inputs']): readonly FilePattern[] {
  const texts = typeof declared === 'function' ? (declared as (params: object) => readonly string[])(node.params) : (declared ?? []);
  const wrong = texts.filter((text) => parseFilePattern(text) === undefined);
  const [first, ...rest] = wrong.map((pattern) => coreFailure('task/file-pattern', { task: node.title, pattern }));
  if (first) throw new TkError(first, ...rest);
  return texts.flatMap((text) => parseFilePattern(text) ?? []);
}

async function fileDigests(files: Files, root: string, patterns: readonly FilePattern[]): Promise<Digests> {
  const digests: Record<string, string> = {};
  for (const path of await findFiles(files, root, patterns)) {
    const content = await files.read(`${root}/${path}`);
    if (content !== undefined) digests[path] = digestOf(content);
  }
  return digests;
}

function firstDifference(before: Digests, now: Digests): string | undefined {
  for (const path of Object.keys(before)) {
    if (!Object.hasOwn(now, path)) return `${path} is gone`;
    if (before[path] !== now[path]) return `${path} has changed`;
  }
  const added = Object.keys(now).find((path) => !Object.hasOwn(before, path));
  return added === undefined ? undefined : `${added} is new`;
}

function readFingerprint(text: string | undefined): Fingerprint | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Fingerprint> | null;
    return value?.schema === 1 && value.inputs !== undefined && value.outputs !== undefined ? (value as Fingerprint) : undefined;
  } catch {
    return undefined;
  }
}
