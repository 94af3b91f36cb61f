import { readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { TkError } from '../../../lib/base/index.ts';
import { generatorInput } from '../../../lib/cluster/generator-input.ts';
import { loadTalconfig } from '../../../lib/config/index.ts';
import { parseYamlBulk } from '../../../lib/format/index.ts';
import { generateMachineConfigs, parseSecretsBundle } from '../../../lib/talos/machine-config.ts';
import { type Contract, header, type TalhelperCase } from './cases.ts';

const bundleText = readFileSync(new URL('../../conformance/machineconfig/bundles/talosctl-1.13.yaml', import.meta.url), 'utf8');
const bundle = parseSecretsBundle({ path: 'talsecret.yaml', text: bundleText });

/** The files that tk makes of a case, document by document; or the codes with which it refuses. */
export async function replay(
  one: TalhelperCase,
  contract: Contract,
): Promise<{ readonly files: Record<string, unknown[]> } | { readonly refused: string[] }> {
  const result = await replayTexts(one, contract);
  if ('refused' in result) return result;
  return { files: Object.fromEntries(Object.entries(result.files).map(([name, text]) => [name, documentsOf(text)])) };
}

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

/** As the recording has them: long texts of the bundle shortened, documents in a fixed order. */
export function documentsOf(text: string): unknown[] {
  const short = text.replace(/[A-Za-z0-9+/]{200,}={0,2}/g, (pem) => `<${pem.length} ${pem.slice(0, 24)}>`);
  const documents = parseYamlBulk(short, { version: 'go' });
  const identity = (value: unknown) =>
    JSON.stringify([(value as Record<string, unknown>)['kind'] ?? '', (value as Record<string, unknown>)['name'] ?? '']);
  return documents.toSorted((a, b) => (identity(a) < identity(b) ? -1 : 1));
}
