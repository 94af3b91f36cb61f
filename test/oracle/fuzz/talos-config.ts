import { readFileSync } from 'node:fs';
import { TkError } from '../../../lib/base/index.ts';
import { loadTalconfig } from '../../../lib/config/index.ts';
import {
  checkForNode,
  loadPatch,
  parseSchematic,
  parseSecretsBundle,
  patchMachineConfig,
  validateMachineConfig,
} from '../../../lib/talos/machine-config.ts';
import { bases } from '../patch/bases.ts';
import { patchCases } from '../patch/cases.ts';
import { schematicCases } from '../schematic/cases.ts';
import { header, talhelperCases } from '../talhelper/cases.ts';

const bundleText = readFileSync(new URL('../../conformance/machineconfig/bundles/talosctl-1.14.yaml', import.meta.url), 'utf8');
/** Runs of letters of the bundle that no message may hold. */
const secretParts = (bundleText.match(/[A-Za-z0-9+/]{24}/g) ?? []).filter((part) => /\d/.test(part));

/** Source: the generator mulberry32, public domain */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const splinters = [
  '',
  '~',
  '{}',
  '[]',
  '- ',
  ': ',
  '"',
  "'",
  '$',
  '${',
  '${X:-',
  '$patch: delete',
  '&a ',
  '*a',
  '!!binary ',
  '|',
  '>',
  '\t',
  '\u0000',
  '\uFEFF',
  '---\n',
  '...\n',
  '0x',
  '1e400',
  '9'.repeat(25),
  '2020-02-30',
  'null',
  'true',
  '<<: ',
  '{{',
  '}}',
  '#',
  '%YAML 9\n',
  '\r\n',
  'é',
  '😀',
  '__proto__',
  'constructor',
  'a'.repeat(300),
];

function mutated(text: string, random: () => number): string {
  let result = text;
  const changes = 1 + Math.floor(random() * 4);
  for (let change = 0; change < changes; change += 1) {
    const at = Math.floor(random() * (result.length + 1));
    const length = Math.floor(random() ** 3 * 40);
    const splinter = splinters[Math.floor(random() * splinters.length)] ?? '';
    switch (Math.floor(random() * 4)) {
      case 0:
        result = result.slice(0, at) + splinter + result.slice(at);
        break;
      case 1:
        result = result.slice(0, at) + result.slice(at + length);
        break;
      case 2:
        result = result.slice(0, at) + splinter + result.slice(at + length);
        break;
      default: {
        const from = Math.floor(random() * result.length);
        result = result.slice(0, at) + result.slice(from, from + length) + result.slice(at);
      }
    }
  }
  return result;
}

export interface FuzzFinding {
  readonly seed: number;
  readonly subject: string;
  readonly text: string;
  readonly problem: string;
}

const pick = <T>(list: readonly T[], random: () => number): T | undefined => list[Math.floor(random() * list.length)];

/** Damaged talconfigs, patches, configurations, bundles and schematics: each is read or refused, never anything else. */
export async function fuzzOnce(seed: number): Promise<FuzzFinding | undefined> {
  const random = randomOf(seed);
  const subject = pick(['talconfig', 'patch', 'config', 'bundle', 'schematic'], random) ?? '';
  const source: Record<string, string> = {
    talconfig: header('1.13') + (pick(talhelperCases, random)?.talconfig ?? ''),
    patch: pick(patchCases, random)?.patches[0] ?? '',
    config: pick(Object.values(bases), random) ?? '',
    bundle: bundleText,
    schematic: pick(schematicCases, random) ?? '',
  };
  const text = mutated(source[subject] ?? '', random);
  const minor = pick(['1.12', '1.13', '1.14'] as const, random) ?? '1.14';
  const file = { path: `${subject}.yaml`, text };
  try {
    switch (subject) {
      case 'talconfig':
        await loadTalconfig(
          { readText: async (path) => (path === '/r/talconfig.yaml' ? text : undefined) },
          { root: '/r', path: '/r/talconfig.yaml', decrypt: async (one) => one.text },
        );
        break;
      case 'patch':
        loadPatch(file, minor);
        patchMachineConfig({ base: { path: 'base.yaml', text: bases['documents'] ?? '' }, patches: [file], talosVersion: minor });
        break;
      case 'config':
        validateMachineConfig(file, { talosVersion: minor });
        checkForNode(text, minor);
        break;
      case 'bundle':
        parseSecretsBundle(file);
        break;
      default:
        parseSchematic(file);
    }
  } catch (error) {
    const said = error instanceof TkError ? JSON.stringify(error.failures) : '';
    if (!(error instanceof TkError))
      return { seed, subject, text, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    if (subject === 'bundle') {
      const leaked = secretParts.find((part) => said.includes(part));
      if (leaked !== undefined) return { seed, subject, text, problem: `a message holds a part of a secret: ${said}` };
    }
  }
  return undefined;
}
