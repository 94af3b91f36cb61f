import { formatDuration } from '../../base/index.ts';
import type { TalosClientFailures } from '../../talos/index.ts';
import type { FailureText, Printers } from './printer.ts';

type Refused = { readonly node: string; readonly method: string; readonly message: string };

const who = ({ node, address }: { readonly node: string; readonly address: string }) =>
  node === address ? `\`${node}\`` : `\`${node}\` (${address})`;
const seeHealth = ({ node }: { readonly node: string }) => `watch it with \`npx tk talos:health NODE=${node}\``;
const saying =
  (what: string, help?: (facts: Refused) => string) =>
  (facts: Refused & { readonly address: string }): FailureText => ({
    title: `${who(facts)} ${what} ${facts.method}`,
    ...(facts.message === '' ? {} : { because: facts.message }),
    ...(help ? { help: help(facts) } : {}),
  });

const isPull = ({ method }: Pick<Refused, 'method'>): boolean => method === 'ImageService/Pull' || method === 'MachineService/ImagePull';

export const talosClientPrinters: Printers<TalosClientFailures> = {
  'talos/unreachable': (facts) => ({
    title: `${who(facts)} cannot be reached`,
    because: reasons[facts.reason] ?? facts.detail ?? facts.reason,
    help: helps[facts.reason] ?? `the machine may still be booting; ${seeHealth(facts)}`,
  }),
  'talos/unavailable': (facts) => ({
    title: `${who(facts)} went away during ${facts.method}`,
    because: facts.message,
    help: `it may be rebooting; ${seeHealth(facts)}`,
  }),
  'talos/deadline': (facts) => ({
    title: `${who(facts)} did not answer ${facts.method} within ${formatDuration(facts.deadlineMs)}`,
    help: seeHealth(facts),
  }),
  'talos/outcome-unknown': (facts) => ({
    title: `${who(facts)} may or may not have carried out ${facts.method}`,
    because: facts.because,
    help: 'run the same command again: it looks at the machine before it does anything',
  }),
  'talos/not-found': (facts) =>
    isPull(facts)
      ? {
          title: `${who(facts)} cannot pull an image: it is not there`,
          because: facts.message,
          help: 'is this version out, and does the registry (or its mirror) have it?',
        }
      : saying('has nothing that fits')(facts),
  'talos/already-exists': saying('has done this before:'),
  'talos/permission-denied': saying('does not permit', () => 'use a talosconfig with the role `os:admin` of this cluster'),
  'talos/unimplemented': saying('does not know', () => 'its Talos version or its state does not offer this call'),
  'talos/failed-precondition': saying('is not in the state for'),
  'talos/invalid-argument': saying('refuses the content of'),
  'talos/rpc': (facts) => ({ title: `${who(facts)} answered ${facts.method} with ${facts.status}`, because: facts.message }),
  'talos/unexpected-reply': (facts) => ({
    title: `${who(facts)} answered ${facts.method} with something else than expected`,
    because: `expected ${facts.expected}`,
  }),
  'talos/overslept': (facts) => ({
    title: `${facts.method} was not sent to ${who(facts)}: this computer slept for ${formatDuration(facts.lateMs)} before it`,
    because: 'what was looked at before may no longer be true',
    help: 'start the same line again',
  }),
  'talos/wrong-machine': (facts) => ({
    title: `the machine at ${facts.address} is not \`${facts.node}\``,
    because: facts.differences.map(({ fact, expected, found }) => `${fact}: expected \`${expected}\` but found \`${found}\``).join('; '),
    help: `nothing was changed; correct the address of \`${facts.node}\`, or its identity in the inventory`,
  }),
  'talos/installer-failed': (facts) => ({
    title: `the installer on ${who(facts)} ended with exit code ${facts.exitCode}`,
    ...(facts.lastLines.length === 0 ? {} : { because: facts.lastLines.join(' | ') }),
    help: 'the machine runs on as it was; nothing was rebooted',
  }),
  'etcd/snapshot-invalid': ({ sizeBytes, reason }) => ({
    title: `the snapshot of etcd (${sizeBytes} bytes) is not one that could be restored`,
    because: reason,
    help: 'npx tk talos:etcd-members',
  }),
  'talos/read-only': (facts) => ({ title: `${facts.method} on ${who(facts)} would change something, and this run only reads` }),
};

const reasons: Readonly<Record<string, string>> = {
  refused: 'connection refused on the port of the Talos API',
  timeout: 'no answer before the deadline',
  unreachable: 'there is no route to it',
  'name-not-found': 'its name cannot be resolved',
  reset: 'it closed the connection',
  'certificate-required': 'it is configured already and wants a client certificate',
  'certificate-rejected': 'it does not accept our client certificate',
  'certificate-expired': 'its certificate has expired',
  'certificate-not-yet-valid': 'its certificate is not valid yet',
  'unknown-authority': "its certificate is not one of this cluster's",
  'name-mismatch': 'its certificate is for other addresses',
  'fingerprint-mismatch': 'it shows another certificate than in preflight',
  'credentials-unusable': 'our certificate or key cannot be read',
  'not-talos': 'what listens there is no Talos API',
  'not-allowed': 'the sandbox dials nothing but its own machines',
};

const helps: Readonly<Record<string, string>> = {
  'certificate-required': "it needs this cluster's talosconfig; if it belongs to another cluster, reset it there first",
  'certificate-rejected':
    'the certificate of the talosconfig has expired or belongs to another cluster; a new one comes from `npx tk talos:generate-config`',
  'certificate-expired': 'compare the clocks of both machines',
  'certificate-not-yet-valid': 'compare the clocks of both machines',
  'unknown-authority': 'it is in maintenance mode, or belongs to another cluster',
  'name-mismatch': 'add the address to `certSANs` of the machine config',
  'fingerprint-mismatch': 'compare the fingerprint on its console: another machine may have this address',
  'credentials-unusable': 'make the talosconfig anew with `npx tk talos:generate-config`',
};
