import type { World } from '../base/index.ts';
import { readTalconfig, type Talconfig, type TalconfigOptions } from './talconfig.ts';

/** What a talconfig was made of: every file that was asked for, in that order, and every variable of the process. */
interface Made {
  readonly talconfig: Talconfig;
  readonly reads: readonly (readonly [path: string, text: string | undefined])[];
  readonly variables: ReadonlyMap<string, string | undefined>;
}

const madeBefore = new Map<string, Made>();
const mostMade = 8;

/**
 * Reads a talconfig.yaml with everything that it refers to. A run asks for it at every look: as long as its files say the same it gets
 * the same object, so that what is made of one can be kept with it.
 *
 * Failure: all problems of all files at once: `talconfig/…`, `format/…`.
 * Source: talhelper v3.1.17 pkg/config/loader.go
 */
export async function loadTalconfig(files: Pick<World['files'], 'readText'>, options: TalconfigOptions): Promise<Talconfig> {
  const key = [options.root, options.path, ...(options.envFiles ?? [])].join('\0');
  const before = madeBefore.get(key);
  if (before && (await isUnchanged(before, files, options))) return before.talconfig;
  const reads: [string, string | undefined][] = [];
  const variables = new Map<string, string | undefined>();
  const reader = {
    async readText(path: string) {
      const text = await files.readText(path);
      reads.push([path, text]);
      return text;
    },
  };
  const environment = new Proxy(options.environment ?? {}, {
    get(process, name) {
      const value = textAt(process, String(name));
      variables.set(String(name), value);
      return value;
    },
  });
  const talconfig = await readTalconfig(reader, { ...options, environment });
  madeBefore.delete(key);
  madeBefore.set(key, { talconfig, reads, variables });
  for (const oldest of madeBefore.keys()) if (madeBefore.size > mostMade) madeBefore.delete(oldest);
  return talconfig;
}

/** A variable may have the name of something that every object has. */
const textAt = (variables: Readonly<Record<string, unknown>>, name: string): string | undefined => {
  const value = variables[name];
  return typeof value === 'string' ? value : undefined;
};

async function isUnchanged(
  { reads, variables }: Made,
  files: Pick<World['files'], 'readText'>,
  { environment }: TalconfigOptions,
): Promise<boolean> {
  for (const [name, value] of variables) if (textAt(environment ?? {}, name) !== value) return false;
  for (const [path, text] of reads) if ((await files.readText(path)) !== text) return false;
  return true;
}
