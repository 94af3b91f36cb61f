import { readFileSync } from 'node:fs';
import { type Failure, TkError } from '../../../lib/base/index.ts';
import { generatorInput } from '../../../lib/cluster/generator-input.ts';
import { loadTalconfig } from '../../../lib/config/index.ts';
import {
  checkForNode,
  explainField,
  generateMachineConfigs,
  loadPatch,
  parseSchematic,
  parseSecretsBundle,
  patchMachineConfig,
  validateMachineConfig,
} from '../../../lib/talos/machine-config.ts';
import { renderFailure } from '../../../lib/ui/index.ts';
import { bases } from '../patch/bases.ts';
import { patchCases } from '../patch/cases.ts';
import { schematicCases } from '../schematic/cases.ts';
import { header, talhelperCases } from '../talhelper/cases.ts';

const bundleText = readFileSync(new URL('../../conformance/machineconfig/bundles/talosctl-1.14.yaml', import.meta.url), 'utf8');
const bundle = parseSecretsBundle({ path: 'talsecret.yaml', text: bundleText });
const ownConfig = await configOf('v1.13.9');
/** Stands in a variable, in a decrypted file and behind the keys of a bundle: nothing of it may be said. */
const spoken = 'Zq7pXw2LmN4tRv8KjB6hYc3D';
/** Runs of letters of the bundle that no message may hold. */
const secretParts = [...(bundleText.match(/[A-Za-z0-9+/]{24}/g) ?? []).filter((part) => /\d/.test(part)), spoken];

/** A control plane's configuration with all of its secrets in it. */
async function configOf(talosVersion: string): Promise<string> {
  const talconfig = `clusterName: home\ntalosVersion: ${talosVersion}\nkubernetesVersion: v1.35.1\nendpoint: https://192.168.42.120:6443\nnodes: [{ hostname: cp-1, ipAddress: 192.168.42.10, controlPlane: true, installDisk: /dev/sda }]\n`;
  const loaded = await loadTalconfig(
    { readText: async (path) => (path === '/r/talconfig.yaml' ? talconfig : undefined) },
    { root: '/r', path: '/r/talconfig.yaml', decrypt: async (one) => one.text },
  );
  const [config] = await generateMachineConfigs({ cluster: generatorInput(loaded, { hardening: true }), bundle });
  return config?.text ?? '';
}

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
  const changes = 1 + Math.floor(random() ** 2 * 4);
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

export interface FuzzResult {
  readonly subject: string;
  readonly outcome: 'read' | 'refused';
  readonly finding?: FuzzFinding;
}

const pick = <T>(list: readonly T[], random: () => number): T | undefined => list[Math.floor(random() * list.length)];
/** More than any of these inputs is worth, however busy the machine. */
const longestCpuMs = 5_000;

/** What is damaged: the text, where it comes from, and what is done with it. Everything that was said comes back. */
interface Subject {
  readonly source: (random: () => number) => string;
  readonly use: (text: string, minor: '1.12' | '1.13' | '1.14') => Promise<readonly Failure[]> | readonly Failure[];
}

const holder = (minor: '1.12' | '1.13' | '1.14', rest: string) =>
  `${header(minor)}nodes:\n  - { hostname: cp-1, ipAddress: 192.168.42.10, controlPlane: true, installDisk: /dev/sda }\n${rest}`;

async function generated(files: Readonly<Record<string, string>>, damaged?: string): Promise<readonly Failure[]> {
  const loaded = await loadTalconfig(
    { readText: async (path) => files[path.replace(/^\/r\//, '')] },
    {
      root: '/r',
      path: '/r/talconfig.yaml',
      environment: { SECRET: spoken },
      // As of a SOPS file: what is read is not what lies there.
      decrypt: async (one) => (one.path === damaged ? `${one.text.replace(/^# encrypted\n/, '')}` : one.text),
    },
  );
  const cluster = generatorInput(loaded, { hardening: true });
  const configs = await generateMachineConfigs({ cluster, bundle }, { renderTemplate: async (text) => text, withLayers: true });
  for (const { layers, text } of configs) {
    explainField(layers, 'machine.kubelet', cluster.contract);
    if (text === '') throw new Error('an empty configuration');
  }
  return [...loaded.warnings, ...configs.flatMap(({ warnings }) => warnings)];
}

const somePatch = (random: () => number) => (pick(patchCases, random)?.patches ?? []).join('---\n');
/** Names of nodes, links and documents are in many a message, wherever they come from. */
const withSecret = (text: string, random: () => number) =>
  random() < 0.5
    ? text
    : text.replace(/^((?!.*(?:hostname|ipAddress|name:|ip:|interface:)).*: )[a-z0-9./-]+$/gm, (whole, lead: string) =>
        random() < 0.05 ? `${lead}\${SECRET}` : whole,
      );

/** What the talconfigs refer to. */
const caseFiles: Readonly<Record<string, string>> = Object.assign({}, ...talhelperCases.map(({ files }) => files));

const subjects: Readonly<Record<string, Subject>> = {
  talconfig: {
    source: (random) => withSecret(header('1.13') + (pick(talhelperCases, random)?.talconfig ?? ''), random),
    use: (text) => generated({ ...caseFiles, 'talconfig.yaml': text }),
  },
  'patch-file': {
    source: (random) => withSecret(somePatch(random), random),
    use: (text, minor) => generated({ 'talconfig.yaml': holder(minor, 'patches: ["@./patch.yaml"]\n'), 'patch.yaml': text }),
  },
  'encrypted-patch': {
    source: (random) => withSecret(somePatch(random), random).replaceAll('${SECRET}', spoken),
    use: (text, minor) =>
      generated(
        { 'talconfig.yaml': holder(minor, 'patches: ["@./patch.sops.yaml"]\n'), 'patch.sops.yaml': `# encrypted\n${text}` },
        'patch.sops.yaml',
      ),
  },
  talenv: {
    source: () => `SECRET: ${spoken}\nDOMAIN: home.arpa\nOTHER: "a b"\n`,
    use: (text, minor) =>
      generated({
        'talconfig.yaml': holder(minor, 'domain: ${DOMAIN:-a.b}\nadditionalApiServerCertSans: ["${SECRET}"]\n'),
        'talenv.yaml': text,
      }),
  },
  patch: {
    source: somePatch,
    use: (text, minor) => {
      const file = { path: 'patch.yaml', text };
      loadPatch(file, minor);
      const refused: Failure[] = [];
      for (const base of Object.values(bases)) {
        try {
          patchMachineConfig({ base: { path: 'base.yaml', text: base }, patches: [file], talosVersion: minor });
        } catch (error) {
          if (!(error instanceof TkError)) throw error;
          refused.push(...error.failures);
        }
      }
      return refused;
    },
  },
  config: {
    source: (random) => pick([...Object.values(bases), ownConfig], random) ?? '',
    use: (text, minor) => {
      const checked = validateMachineConfig({ path: 'config.yaml', text }, { talosVersion: minor });
      checkForNode(text, minor);
      return [...checked.failures, ...checked.warnings];
    },
  },
  bundle: { source: () => bundleText, use: (text) => (parseSecretsBundle({ path: 'bundle.yaml', text }), []) },
  schematic: {
    source: (random) => pick(schematicCases, random) ?? '',
    use: (text) => (parseSchematic({ path: 'schematic.yaml', text }), []),
  },
};

/** Damaged talconfigs, patches, configurations, bundles and schematics: each is read or refused in words, never anything else. */
export async function fuzzOnce(seed: number): Promise<FuzzResult> {
  const random = randomOf(seed);
  const name = pick(Object.keys(subjects), random) ?? '';
  const subject = subjects[name];
  if (!subject) throw new Error(`no subject ${name}`);
  const text = mutated(subject.source(random), random);
  const minor = pick(['1.12', '1.13', '1.14'] as const, random) ?? '1.14';
  const before = process.cpuUsage();
  let outcome: FuzzResult['outcome'] = 'read';
  let problem: string | undefined;
  try {
    let said: readonly Failure[];
    try {
      said = await subject.use(text, minor);
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      said = error.failures;
      outcome = 'refused';
    }
    const words = said.map((failure) => `${JSON.stringify(failure)}\n${renderFailure(failure)}`).join('\n');
    // A damaged file can put a text of the user's own where a secret stood; only what was secret before counts.
    if (secretParts.some((part) => words.includes(part))) problem = `a message holds a part of a secret: ${words}`;
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const { user, system } = process.cpuUsage(before);
  if ((user + system) / 1000 > longestCpuMs) problem ??= `took ${Math.round((user + system) / 1000)} ms`;
  return { subject: name, outcome, ...(problem === undefined ? {} : { finding: { seed, subject: name, text, problem } }) };
}
