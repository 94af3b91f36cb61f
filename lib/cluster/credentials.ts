import { Secret, type World } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import { parseYaml } from '../format/index.ts';
import { relabelKey } from '../pki/index.ts';
import { generateTalosconfig, type SecretsBundle } from '../talos/machine-config.ts';
import type { MutualTrust } from './connections.ts';

export interface CredentialParts {
  readonly model: ClusterModel;
  readonly world: World;
  readonly bundle: () => Promise<SecretsBundle | undefined>;
}

/**
 * What proves to a machine of this cluster that it may listen to us: the talosconfig of the repository; while there is none, a
 * certificate made from the secrets for this run alone. Undefined before there are secrets.
 */
export function createCredentials({ model, world, bundle }: CredentialParts): () => Promise<MutualTrust | undefined> {
  let lastText: string | undefined;
  let last: MutualTrust | undefined;
  return async () => {
    const text = (await world.files.readText(model.paths.talosconfig)) ?? (await temporary(lastText));
    if (text === undefined) return undefined;
    if (text !== lastText) {
      lastText = text;
      last = trustOf(new Secret(text));
    }
    return last;
  };

  async function temporary(known: string | undefined): Promise<string | undefined> {
    if (known !== undefined) return known;
    const secrets = await bundle();
    if (secrets === undefined) return undefined;
    return (await generateTalosconfig(world, secrets, { clusterName: model.name, endpoints: [] })).text.reveal();
  }
}

/** The current context of a talosconfig; undefined when it cannot be used. */
export function trustOf(text: Secret<string>): MutualTrust | undefined {
  const { documents } = parseYaml({ path: 'talosconfig', text: text.reveal() }, { version: 'go', confidential: true });
  const root = documents[0]?.value as
    | { readonly context?: string; readonly contexts?: Readonly<Record<string, Context | undefined>> }
    | undefined;
  const context = root?.contexts?.[root.context ?? ''];
  const [ca, certificate, key] = [context?.ca, context?.crt, context?.key].map((value) =>
    typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : undefined,
  );
  if (ca === undefined || certificate === undefined || key === undefined) return undefined;
  return { kind: 'mutual', ca, certificate, key: new Secret(relabelKey(key)) };
}

interface Context {
  readonly ca?: unknown;
  readonly crt?: unknown;
  readonly key?: unknown;
}
