import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { listAt, type Obj, objAt, textAt, type Value } from '../kube/value.ts';

export interface Generator {
  readonly folder: string;
  /** One entry of `configMapGenerator` or `secretGenerator`. */
  readonly generator: Value;
  readonly kind: string;
  /** The kustomization.yaml that it stands in. */
  readonly spec: Obj;
  textOf(path: string): Promise<string | undefined>;
}

/**
 * A ConfigMap or Secret of files, env files and literals, named by its content unless told otherwise.
 * Source: kustomize api/kv/kv.go
 */
export async function generate({ folder, generator, kind, spec, textOf }: Generator): Promise<Obj> {
  const data: Obj = {};
  const encode = (text: string) => (kind === 'Secret' ? Buffer.from(text).toString('base64') : text);
  const inFile = async (entry: string, path: string, what: string): Promise<string> => {
    const text = await textOf(posix.join(folder, path));
    if (text === undefined)
      throw new Error(`loading KV pairs: ${what}: [${entry}]: evalsymlink failure on '${path}' : no such file or directory`);
    return text;
  };
  for (const path of [...listAt(generator, 'envs').map(String), ...(textAt(generator, 'env') === '' ? [] : [textAt(generator, 'env')])]) {
    for (const line of (await inFile(path, path, 'env source files')).split(/\r?\n/)) {
      const text = line.trimStart();
      if (text === '' || text.startsWith('#') || !text.includes('=')) continue;
      data[text.slice(0, text.indexOf('='))] = encode(text.slice(text.indexOf('=') + 1));
    }
  }
  for (const entry of listAt(generator, 'files').map(String)) {
    const cut = entry.indexOf('=');
    const [key, path] = cut === -1 ? [posix.basename(entry), entry] : [entry.slice(0, cut), entry.slice(cut + 1)];
    data[key] = encode(await inFile(entry, path, 'file sources'));
  }
  for (const literal of listAt(generator, 'literals').map(String))
    data[literal.slice(0, literal.indexOf('='))] = encode(literal.slice(literal.indexOf('=') + 1).replace(/^(["'])(.*)\1$/s, '$2'));
  const options = { ...objAt(spec, 'generatorOptions'), ...objAt(generator, 'options') };
  const isChange = ['merge', 'replace'].includes(textAt(generator, 'behavior'));
  const hash =
    options.disableNameSuffixHash === true || isChange
      ? ''
      : `-${createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 10)}`;
  const namespace = textAt(generator, 'namespace');
  const more = (key: 'labels' | 'annotations'): Obj =>
    Object.keys(objAt(options, key)).length === 0 ? {} : { [key]: objAt(options, key) };
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name: `${textAt(generator, 'name')}${hash}`,
      ...(namespace === '' ? {} : { namespace }),
      ...more('labels'),
      ...more('annotations'),
    },
    ...(kind === 'Secret' && textAt(generator, 'type') !== '' ? { type: textAt(generator, 'type') } : {}),
    data,
  };
}
