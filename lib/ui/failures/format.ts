import type { FormatFailures } from '../../format/index.ts';
import type { Printers } from './printer.ts';

const aliasProblems = {
  unknown: 'this alias names an anchor that does not exist',
  'too-many': 'the aliases of this document multiply beyond all measure',
  cyclic: 'this alias stands inside of the value that it repeats',
};

export const formatPrinters: Printers<FormatFailures> = {
  'format/syntax': ({ format, problem }) => ({
    title: `this is not ${format}`,
    ...(problem === undefined || problem === '' ? {} : { because: problem.charAt(0).toLowerCase() + problem.slice(1) }),
  }),
  'format/duplicate-key': ({ key }) => ({
    title: `\`${key}\` is set twice`,
    help: 'remove one of the two; readers disagree about which one counts',
  }),
  'format/alias': ({ problem }) => ({ title: aliasProblems[problem] }),
  'format/complex-key': () => ({ title: 'a key has to be text', help: 'write a text that begins with `{` or `[` in quotes' }),
  'format/too-deep': ({ format }) => ({ title: `this ${format} is nested deeper than 500 levels` }),
  'format/cannot-edit': ({ path }) => ({
    title: `\`${path}\` cannot be changed in place`,
    because: 'what holds it is neither a mapping nor a list',
  }),
  'format/version': ({ text }) => ({ title: `\`${text}\` is not a version`, help: 'write it as `v1.14.1`' }),
  'format/address': ({ text, expected }) => ({
    title: `\`${text}\` is not ${expected === 'address' ? 'an IP address' : 'a network'}`,
    help: expected === 'address' ? 'write it as `192.168.42.10` or `fd00::10`' : 'write it as `192.168.42.0/24`',
  }),
};
