import { allOf, count, formatDuration, oneOf } from '../../base/index.ts';
import type { ClusterFailures } from '../../cluster/index.ts';
import type { Printers } from './printer.ts';

const quoted = (names: readonly string[]): string => allOf(names.map((name) => `\`${name}\``));

export const clusterPrinters: Printers<ClusterFailures> = {
  'cluster/unknown-node': ({ asked, by, suggestion, known, isVip }) =>
    isVip === true
      ? {
          title: `\`${asked}\` is the address that moves between the control planes, not a machine's own`,
          because: 'whoever has it now may lose it in the middle',
          help: `name one machine: ${quoted(known)}`,
        }
      : {
          title: by === 'ip' ? `no node has the address \`${asked}\`` : `no node is named \`${asked}\``,
          help: suggestion ? `did you mean \`${suggestion}\`?` : `known are ${quoted(known)}`,
        },
  'cluster/node-not-named': ({ known }) => ({ title: 'which node?', help: `give NODE=, IP= or HOSTNAME=; known are ${quoted(known)}` }),
  'cluster/nodes-disagree': ({ asked }) => ({ title: `${quoted(asked)} name different nodes`, help: 'give one of them' }),
  'cluster/no-credentials': ({ path }) => ({ title: `there is no talosconfig at \`${path}\``, help: 'npx tk talos:generate-config' }),
  'cluster/template-left-out': ({ path }) => ({
    title: `\`${path}\` is not applied`,
    because: 'another program fills it in, out of a password manager as a rule',
    help: 'apply it yourself before Flux needs what it makes (`npx tk bootstrap:flux` waits), or keep that in a SOPS file beside it',
  }),
  'cluster/no-age-key': ({ needed }) => ({
    title: 'Flux would have no age key',
    because: `\`${needed}\` is encrypted, and neither a file of this repository nor this machine has the key`,
    help: 'put the key into `age.key`, or its place into SOPS_AGE_KEY_FILE',
  }),
  'cluster/wrong-age-key': ({ path }) => ({
    title: `the age key that Flux would be given does not open \`${path}\``,
    help: 'encrypt the file for this key, or give the right one',
  }),
  'cluster/no-kubeconfig': ({ path }) => ({ title: `there is no kubeconfig at \`${path}\``, help: 'npx tk bootstrap:kubeconfig' }),
  'cluster/kubeconfig-foreign': ({ path, server }) => ({
    title: `the kubeconfig \`${path}\` is of another cluster`,
    because: `the certificate authority that it trusts for ${server} is not the one in this repository's secrets`,
    help: 'move it away, then npx tk bootstrap:kubeconfig',
  }),
  'cluster/secrets-lost': ({ wanted, traces }) => ({
    title: `there are no cluster secrets at \`${wanted}\`, and they are not made anew`,
    because: `${quoted(traces)} ${traces.length === 1 ? 'shows' : 'show'} that this cluster exists; new secrets would lock you out of it`,
    help: 'bring the file back, or derive it from a control plane config: npx tk talos:gensecret --from-controlplane-config FILE',
  }),
  'cluster/no-such-bundle': ({ path, isFolder }) => ({
    title: `there is no secrets bundle \`${path}\``,
    ...(isFolder ? { because: 'it is a folder', help: 'name the file in it' } : {}),
  }),
  'cluster/two-bundles': ({ paths }) => ({
    title: `${quoted(paths)} hold different cluster secrets`,
    because: 'talhelper takes the last of them without a word, and the wrong ones would lock you out of the cluster',
    help: 'remove the one that the cluster was not made with',
  }),
  'cluster/plaintext-secret': ({ path }) => ({
    title: `\`${path}\` holds secrets in plain text, and git would take it`,
    help: `npx tk sops encrypt ${path} --out ${path}`,
  }),
  'cluster/no-recipient': ({ path }) => ({
    title: `\`${path}\` has to be encrypted, and nothing says for whom`,
    because: '`cluster.yaml` names no `sops_age_recipients`, there is no `.sops.yaml`, and no age key is here',
    help: 'put the key into `age.key`, or name its public half under `sops_age_recipients`',
  }),
  'cluster/no-templates': ({ missing, manifest }) => ({
    title: `nothing makes \`${missing}\` of \`cluster.yaml\``,
    because: 'the repository has neither a makejinja.toml nor templates/config',
    help: `restore its templates, or delete \`${manifest}\` to go on with those that come with tk`,
  }),
  'cluster/makejinja': ({ key, value, expected }) => ({
    title: `\`${key}\` for the templates is \`${value}\`, and tk can do ${expected}`,
    help: 'see `makejinja.toml`',
  }),
  'cluster/secret-not-ignored': ({ path }) => ({
    title: `\`${path}\` holds secrets, and git would take it`,
    help: `add the line \`/${path}\` to \`.gitignore\`; if it was committed before, what it holds has to be made anew`,
  }),
  'cluster/unknown-release': ({ release, known }) => ({
    title: `tasks.config.ts wants the release \`${release}\`, which the tree does not have`,
    help: `known are ${quoted(known)}`,
  }),
  'preflight/unreachable': ({ node, address, reason }) => ({
    title: `\`${node}\` (${address}) does not answer on port 50000`,
    because: reason,
    help: 'switch the machine on and boot it from a Talos image, or correct its address in the inventory; then run the same command again',
  }),
  'preflight/foreign': ({ node, address }) => ({
    title: `\`${node}\` (${address}) is configured, and not by this repository's secrets`,
    help: 'it belongs to another cluster, or was made with other secrets; reset it to take it over',
  }),
  'cluster/edited-by-hand': ({ path, kept }) => ({
    title: `\`${path}\` was changed by hand since it was rendered, and its template says otherwise`,
    because: `what is rendered comes from templates and inputs alone; \`configure\` keeps what it was in \`${kept}\``,
    help: 'put the change into templates/config, else the next rendering takes it away again',
  }),
  'node/install-failed': ({ node, version, to }) => ({
    title: `\`${node}\` could not be installed: it took its config, restarted, and is in maintenance mode again`,
    because: `the installer of Talos ${version} did not get done with ${to}: its image cannot be pulled, the disk does not take it, or its power went`,
    help: `its console says which while it installs; then npx tk talos:preflight NODE=${node} and the same line again`,
  }),
  'preflight/no-disk': ({ node, wanted, found }) => ({
    title: `\`${node}\` has no disk that matches ${wanted}`,
    because: `it has ${found.length === 0 ? 'none' : found.join(', ')}`,
    help: 'name one that it has in the inventory, best by its serial number',
  }),
  'preflight/two-disks': ({ node, wanted, found }) => ({
    title: `${count(found.length, 'disk')} of \`${node}\` match ${wanted}, and one of them would be wiped`,
    because: found.join(', '),
    help: 'name the disk by its serial number',
  }),
  'preflight/wrong-machine': ({ node, address, wanted, found }) => ({
    title: `the machine at ${address} is not \`${node}\``,
    because: `the inventory has the MAC address ${oneOf(wanted)}, the machine has ${oneOf(found)}`,
    help: 'correct the address or the MAC address in the inventory',
  }),
  'preflight/version': ({ node, running, wanted }) => ({
    title: `\`${node}\` runs Talos ${running}, and its config is for ${wanted}`,
    help: `boot it from an image of ${wanted}, or set the version in the inventory`,
  }),
  'preflight/clock': ({ node, offsetMs }) => ({
    title: `the clock of \`${node}\` is ${formatDuration(Math.abs(offsetMs))} ${offsetMs < 0 ? 'behind' : 'ahead'}`,
    help: 'etcd and certificates need the right time: check its NTP server and its battery',
  }),
  'preflight/address-taken': ({ address, role }) => ({
    title: `${address} is taken, though no machine of this cluster can have it yet`,
    help: role === 'vip' ? 'choose a free address for the VIP' : 'another API server answers there',
  }),
  'gate/identity': ({ node, wanted, found }) => ({
    title: `the machine that answers for \`${node}\` is another one than before`,
    because: `expected ${wanted} but found ${found}`,
    help: 'npx tk talos:preflight',
  }),
  'gate/unpinned': ({ node }) => ({
    title: `\`${node}\` was not looked at before, and its config holds the cluster's keys`,
    help: 'npx tk talos:preflight',
  }),
  'machine-config/value-kept': ({ node, document, path }) => ({
    title: `\`${path}\` in ${document} of \`${node}\` is kept; upstream's own merge would have lost it`,
  }),
  'machine-config/setting-lost': ({ node, path, reason }) => ({
    title: `\`${path}\` of \`${node}\` cannot be carried over`,
    because: reason,
  }),
  'upgrade/downgrade': ({ what, from, to }) => ({
    title: `${what} ${to} is older than ${from}, which runs`,
    because: 'an upgrade goes forward only',
  }),
  'upgrade/unknown-talos': ({ version, oldest, newest }) => ({
    title: `this tk does not know how to go from or to Talos ${version}`,
    because: `it knows ${oldest} to ${newest}`,
  }),
  'upgrade/unsupported-pair': ({ talos, kubernetes, lowest, highest, at }) => ({
    title: `Talos ${talos} does not run Kubernetes ${kubernetes}`,
    because: `it runs ${lowest} to ${highest}${at === 'hop' ? ', and the way to the target leads through this pair' : ''}`,
  }),
};
