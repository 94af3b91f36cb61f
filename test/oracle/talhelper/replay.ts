import { readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { TkError } from '../../../lib/base/index.ts';
import { generatorInput } from '../../../lib/cluster/generator-input.ts';
import { loadTalconfig } from '../../../lib/config/index.ts';
import { generateMachineConfigs, parseSecretsBundle } from '../../../lib/talos/machine-config.ts';
import { type Contract, header, type TalhelperCase } from './cases.ts';

const bundleText = readFileSync(new URL('../../conformance/machineconfig/bundles/talosctl-1.13.yaml', import.meta.url), 'utf8');
const defaultBundle = parseSecretsBundle({ path: 'talsecret.yaml', text: bundleText });

/** The files that tk makes of a case; or the codes with which it refuses. */
export async function replayTexts(
  one: TalhelperCase,
  contract: Contract | '1.14',
  options: { readonly unchecked?: boolean } = {},
): Promise<Replayed> {
  return replayFiles({ talconfig: header(contract) + one.talconfig, ...(one.files ? { files: one.files } : {}) }, options);
}

export type Replayed = { readonly files: Record<string, string> } | { readonly refused: string[] };

/** As `replayTexts`, of a whole talconfig; `bundle` is the text of another bundle than that of all cases. */
export async function replayFiles(
  one: { readonly talconfig: string; readonly files?: Readonly<Record<string, string>>; readonly bundle?: string },
  options: { readonly unchecked?: boolean } = {},
): Promise<Replayed> {
  const root = '/repository';
  const contents = new Map<string, string>([[join(root, 'talconfig.yaml'), one.talconfig]]);
  for (const [name, content] of Object.entries(one.files ?? {})) contents.set(join(root, name), content);
  const bundle = one.bundle === undefined ? defaultBundle : parseSecretsBundle({ path: 'talsecret.yaml', text: one.bundle });
  try {
    const talconfig = await loadTalconfig(
      { readText: async (path) => contents.get(path) },
      { root, path: join(root, 'talconfig.yaml'), decrypt: async (file) => file.text },
    );
    const configs = await generateMachineConfigs({ cluster: generatorInput(talconfig, { hardening: true }), bundle }, options);
    return { files: Object.fromEntries(configs.map(({ fileName, text }) => [fileName, text])) };
  } catch (error) {
    if (error instanceof TkError) return { refused: error.failures.map((failure) => `${failure.code} ${JSON.stringify(failure.facts)}`) };
    throw error;
  }
}
