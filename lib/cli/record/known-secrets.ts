import type { Files } from '../../base/index.ts';
import type { OpenedCluster } from '../../cluster/index.ts';

/** Values of these keys in a talosconfig, a kubeconfig or an age key file. */
const keyLines = [
  /^\s*(?:-\s*)?key:\s*(\S+)/gm,
  /client-key-data:\s*(\S+)/g,
  /^\s*token:\s*(\S+)/gm,
  /(AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+)/g,
];

/** Every key that this repository knows now: the bundle's, and those in the files that are made from it. */
export async function knownSecrets({ full, secretValues }: OpenedCluster, files: Files): Promise<readonly string[]> {
  const { paths } = full.model;
  const texts = await Promise.all(
    [paths.talosconfig, paths.kubeconfig, `${paths.root}/age.key`].map(async (path) => (await files.readText(path)) ?? ''),
  );
  const values = texts.flatMap((text) => keyLines.flatMap((pattern) => [...text.matchAll(pattern)].map(([, value = '']) => value)));
  const decoded = values.map((value) => Buffer.from(value, 'base64').toString('utf8')).filter((value) => value.includes('-----BEGIN '));
  return [...(await secretValues()), ...values, ...decoded];
}
