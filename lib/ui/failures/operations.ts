import { oneOf } from '../../base/index.ts';
import type { OperationFailures } from '../../cluster/index.ts';
import type { Printers } from './printer.ts';

export const operationPrinters: Printers<OperationFailures> = {
  'resource/unknown-type': ({ asked, suggestion }) => ({
    title: `the machine knows no type of resource called \`${asked}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : 'npx tk talos:get rd lists them all',
  }),
  'resource/ambiguous-type': ({ asked, types }) => ({ title: `\`${asked}\` may mean several types`, help: `say ${oneOf(types)}` }),
  'etcd/unknown-member': ({ asked, known, suggestion }) => ({
    title: `etcd has no member \`${asked}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : known.length === 0 ? 'npx tk talos:etcd-members' : `it has ${oneOf(known)}`,
  }),
  'etcd/member-works': ({ member }) => ({
    title: `the etcd member \`${member}\` answers and is healthy`,
    because: 'a member that works leaves etcd together with its machine',
    help: `npx tk node:remove NODE=${member}`,
  }),
};
