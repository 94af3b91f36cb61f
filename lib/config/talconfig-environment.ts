import { dirname, join, relative } from 'node:path/posix';
import { type Failure, hidden, type SourceFile, throwIfAny, type World } from '../base/index.ts';
import { clustertoolHome, clustertoolVariables } from './clustertool.ts';
import { parseEnvFile } from './talconfig-env-file.ts';
import { type Environment, substituteYaml } from './talconfig-envsubst.ts';

const defaultEnvFiles: readonly string[] = ['talenv.yaml', 'talenv.sops.yaml', 'talenv.yml', 'talenv.sops.yml'];

/** The files of variables that belong to a talconfig, whether they are there or not; absolute, later ones win. */
export function envFilesOf(talconfig: string): readonly string[] {
  const clustertool = clustertoolHome(talconfig);
  return [...(clustertool ? [clustertool.envFile] : []), ...defaultEnvFiles.map((name) => join(dirname(talconfig), name))];
}

export interface EnvironmentOptions {
  /** Absolute path of the repository. */
  readonly root: string;
  /** Absolute path of the talconfig. */
  readonly path: string;
  /** Absolute paths; default: talenv files beside the talconfig, and clustertool's file of the cluster. Later ones win. */
  readonly envFiles?: readonly string[];
  /** Variables of the process; files win over them. */
  readonly environment?: Environment;
  /** Gives the plain text of a file that may be a SOPS file. */
  readonly decrypt: (file: SourceFile) => Promise<string>;
}

export interface LoadedEnvironment {
  readonly variables: Environment;
  readonly failures: readonly Failure[];
  /** Absolute paths of the files that were read. */
  readonly inputs: readonly string[];
}

/** What `${NAME}` stands for in a talconfig and in the files beside it. */
export async function loadEnvironment(
  files: Pick<World['files'], 'readText'>,
  { root, path, envFiles, environment, decrypt }: EnvironmentOptions,
): Promise<LoadedEnvironment> {
  // The process's variables may only be readable one by one.
  const variables: Record<string, string | undefined> = Object.create(environment ?? null);
  const failures: Failure[] = [];
  const inputs: string[] = [];
  const clustertool = envFiles === undefined ? clustertoolHome(path) : undefined;
  for (const one of envFiles ?? envFilesOf(path)) {
    const content = await files.readText(one);
    if (content === undefined) continue;
    inputs.push(one);
    const file = { path: one.startsWith(`${root}/`) ? relative(root, one) : one, text: content };
    const read = parseEnvFile({ ...file, text: await decrypt(file) });
    failures.push(...read.failures);
    if (one === clustertool?.envFile) Object.assign(variables, clustertoolVariables(clustertool.name, read.variables));
    Object.assign(variables, read.variables);
  }
  return { variables, failures, inputs };
}

/**
 * A file of secrets with its variables filled in, as talhelper does before it reads one.
 *
 * Failure: `talconfig/variable-*` and `talconfig/env-file`, with the place but never with the text of the line.
 */
export async function fillSecretFile(
  files: Pick<World['files'], 'readText'>,
  file: SourceFile,
  options: EnvironmentOptions,
): Promise<string> {
  if (!file.text.includes('$')) return file.text;
  const { variables, failures } = await loadEnvironment(files, options);
  const filled = substituteYaml(hidden(file), variables);
  throwIfAny([...failures, ...filled.failures]);
  return filled.text;
}
