import { talhelperCases } from './cases.ts';
import { replayTexts } from './replay.ts';

/** Cases whose documents came, moved or changed between minors, and some that did not. */
const names = [
  'nothing but what is required',
  'volumes',
  'user volumes',
  'firewall',
  'extension services',
  'a bond',
  'documents in patches',
  'kernel modules',
  'cni flannel with policies',
  'home 3',
  'home 8',
];
const pairs = [
  ['1.13', '1.12'],
  ['1.14', '1.13'],
  ['1.14', '1.12'],
] as const;

/** The control plane's configuration of each case, made for one version and shown to an older one. */
export async function olderTexts(): Promise<readonly { readonly key: string; readonly text: string; readonly older: '1.12' | '1.13' }[]> {
  const texts: { key: string; text: string; older: '1.12' | '1.13' }[] = [];
  for (const [made, older] of pairs) {
    for (const name of names) {
      const one = talhelperCases.find((candidate) => candidate.name === name);
      if (!one || (one.contracts && !one.contracts.includes(made as '1.12'))) continue;
      const result = await replayTexts(one, made, { unchecked: true });
      const text = 'files' in result ? Object.values(result.files)[0] : undefined;
      if (text !== undefined) texts.push({ key: `${made} to ${older}: ${name}`, text, older });
    }
  }
  return texts;
}
