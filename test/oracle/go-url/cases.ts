import { randomOf } from '../patch/random-case.ts';

const words =
  'http https : :// // / /// ? # @ [ ] % %25 %41 %zz %e4 a b.example 10.0.0.1 ::1 fe80::1 :6443 :0 :70000 :x _ ! * { | ^ ` " < \\ + . - 1 user:pw@ \' , ; = [::1] [fe80::1%25eth0] [1.2.3.4]';
const parts = [...words.split(' '), ' ', '\t'];

/** URLs put together from the pieces that decide how one is read; the same for the same count. */
export function urlCases(count: number): readonly string[] {
  const random = randomOf(1);
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? '';
  return Array.from({ length: count }, () => {
    const scheme = pick(['http://', 'https://', 'tcp://', '', '']);
    return scheme + Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick(parts)).join('');
  });
}

/** What is wrong with the address between two brackets is told in the words of another library, and in fewer of them by tk. */
export const withoutDetails = (error: string): string => error.replace(/(invalid host: ParseAddr\(".*"\)): .*/s, '$1');
