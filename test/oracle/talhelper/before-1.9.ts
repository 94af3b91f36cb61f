import { readFileSync } from 'node:fs';
import { talhelperCases } from './cases.ts';

/** Minors of which no talosctl was recorded, with what is written for them: only the generator differs there. */
export const olderContracts = {
  '1.2': { talos: 'v1.2.9', kubernetes: 'v1.25.5' },
  '1.3': { talos: 'v1.3.7', kubernetes: 'v1.26.3' },
  '1.4': { talos: 'v1.4.8', kubernetes: 'v1.27.4' },
  '1.5': { talos: 'v1.5.6', kubernetes: 'v1.28.3' },
  '1.6': { talos: 'v1.6.8', kubernetes: 'v1.29.7' },
  '1.7': { talos: 'v1.7.7', kubernetes: 'v1.30.5' },
  '1.8': { talos: 'v1.8.4', kubernetes: 'v1.31.4' },
} as const;
export type OlderContract = keyof typeof olderContracts;

/** By the first minor that has all their fields. */
const names: Readonly<Record<string, OlderContract>> = {
  'nothing but what is required': '1.2',
  'scheduling on control planes': '1.2',
  'names for certificates': '1.2',
  'cni custom': '1.2',
  'machine files': '1.2',
  'machine disks': '1.2',
  'addresses and routes': '1.3',
  vlans: '1.2',
  wireguard: '1.2',
  'a bond': '1.2',
  'group and node patches append in order': '1.2',
  'a JSON patch': '1.2',
  'kernel modules': '1.3',
  'home 7': '1.3',
  'home 13': '1.3',
  'a bond of selected devices': '1.4',
  firewall: '1.6',
  'cni flannel': '1.6',
  'extension services': '1.7',
  'what real repositories patch': '1.7',
  'home 6': '1.7',
  'labels, annotations, taints': '1.8',
  'home 3': '1.8',
  'home 10': '1.8',
};

export interface OlderCase {
  readonly key: string;
  readonly contract: OlderContract;
  readonly talconfig: string;
  readonly files: Readonly<Record<string, string>>;
  readonly bundle: string;
}

const bundleText = readFileSync(new URL('../../conformance/machineconfig/bundles/talosctl-1.13.yaml', import.meta.url), 'utf8');

export const olderCases: readonly OlderCase[] = Object.entries(olderContracts).flatMap(([minor, { talos, kubernetes }]) =>
  talhelperCases
    .filter(({ name }) => names[name] !== undefined && names[name] <= minor)
    .map((one) => ({
      key: `${minor} ${one.name}`,
      contract: minor as OlderContract,
      talconfig: `clusterName: home\ntalosVersion: ${talos}\nkubernetesVersion: ${kubernetes}\nendpoint: https://192.168.42.120:6443\n${one.talconfig}`,
      files: one.files ?? {},
      // Secretbox came with 1.3.
      bundle: minor === '1.2' ? bundleText.replace('secretboxencryptionsecret', 'aescbcencryptionsecret') : bundleText,
    })),
);

/** Texts of which most lines are the same: each line once, and which of them a text has, as `0-18 24 30-44`. */
export interface PackedTexts {
  readonly lines: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
}

export function packTexts(texts: Readonly<Record<string, string>>): PackedTexts {
  const numbers = new Map<string, number>();
  const packed = Object.entries(texts).map(([key, text]): [string, string] => {
    const runs: [number, number][] = [];
    for (const line of text.split('\n')) {
      const number = numbers.get(line) ?? numbers.size;
      numbers.set(line, number);
      const last = runs.at(-1);
      if (last && last[1] === number - 1) last[1] = number;
      else runs.push([number, number]);
    }
    return [key, runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ')];
  });
  return { lines: [...numbers.keys()], texts: Object.fromEntries(packed) };
}

export function unpackTexts({ lines, texts }: PackedTexts): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, runs]) => [
      key,
      runs
        .split(' ')
        .flatMap((run) => {
          const [from = 0, to = from] = run.split('-').map(Number);
          return lines.slice(from, to + 1);
        })
        .join('\n'),
    ]),
  );
}
