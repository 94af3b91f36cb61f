import { readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { TkError } from '../../../lib/base/index.ts';
import { generatorInput } from '../../../lib/cluster/generator-input.ts';
import { loadTalconfig } from '../../../lib/config/index.ts';
import { generateMachineConfigs, parseSecretsBundle } from '../../../lib/talos/machine-config.ts';
import { type Contract, header, type TalhelperCase } from './cases.ts';

const bundleText = readFileSync(new URL('../../conformance/machineconfig/bundles/talosctl-1.13.yaml', import.meta.url), 'utf8');
const bundle = parseSecretsBundle({ path: 'talsecret.yaml', text: bundleText });

/** The files that tk makes of a case; or the codes with which it refuses. */
export async function replayTexts(
  one: TalhelperCase,
  contract: Contract | '1.14',
  options: { readonly unchecked?: boolean } = {},
): Promise<{ readonly files: Record<string, string> } | { readonly refused: string[] }> {
  const root = '/repository';
  const contents = new Map<string, string>([[join(root, 'talconfig.yaml'), header(contract) + one.talconfig]]);
  for (const [name, content] of Object.entries(one.files ?? {})) contents.set(join(root, name), content);
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
