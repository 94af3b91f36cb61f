import { allOf, count, oneOf } from '../../base/index.ts';
import type { ConfigFailures, DataKind, Expected } from '../../config/index.ts';
import type { Printers } from './printer.ts';

const kindNames: Record<DataKind, string> = {
  text: 'text',
  boolean: '`true` or `false`',
  number: 'a number',
  list: 'a list',
  mapping: 'a mapping',
  nothing: 'nothing',
};

const expectedNames: Record<Expected, { readonly a: string; readonly form: string }> = {
  address: { a: 'an IP address', form: 'write it as `192.168.42.10`' },
  network: { a: 'a network', form: 'write it as `192.168.42.0/24`' },
  'mac-address': { a: 'a MAC address', form: 'write it as `00:11:22:33:44:55`' },
  'node-name': { a: 'a name for a node', form: 'use a-z, 0-9 and `-`, at most 63 of them, no `-` at the ends' },
  'dns-name': { a: 'a DNS name', form: 'write it as `home.example.com`' },
  url: { a: 'a URL', form: 'write it as `https://s3.home.arpa`' },
  version: { a: 'a version', form: 'write it as `v1.14.1`' },
  'schematic-id': { a: 'a schematic', form: 'a schematic has 64 digits of 0-9 and a-f; `npx tk schematic id` prints one' },
  'repository-name': { a: 'the name of a repository', form: 'write it as `owner/name`' },
  extension: { a: 'a system extension', form: 'write it as `siderolabs/intel-ucode`' },
  'vlan-tag': { a: 'a VLAN tag', form: 'a tag is a number from 1 to 4094' },
  asn: { a: 'an AS number', form: 'an AS number lies between 1 and 4294967295' },
  'age-recipient': { a: 'a public age key', form: 'a public key begins with `age1`; the secret one stays in `age.key`' },
  label: { a: 'a label', form: 'write it as `gpu` or `example.com/gpu`' },
};

const named = ({ key, of }: { readonly key: string; readonly of?: string | undefined }) =>
  of === undefined ? `\`${key}\`` : `\`${key}\` of \`${of}\``;
const quoted = (words: readonly string[]) => words.map((word) => `\`${word}\``);
const didYouMean = (suggestion: string | undefined) => (suggestion === undefined ? {} : { help: `did you mean \`${suggestion}\`?` });

export const configPrinters: Printers<ConfigFailures> = {
  'config/no-repository': ({ from, elsewhere }) => ({
    title: `no repository of a cluster at \`${from}\` or above`,
    because: 'none of `tasks.config.ts`, `cluster.yaml` with `nodes.yaml`, and `talos/talconfig.yaml` is there',
    help:
      elsewhere.length === 0
        ? 'change into the repository, or name it: npx tk -C PATH'
        : `name the one you mean:\n${elsewhere.map((path) => `npx tk --talconfig ${path}`).join('\n')}`,
  }),
  'config/other-inputs': ({ path, program }) => ({
    title: `\`${path}\` is for ${program}, and tk does not read it`,
    because: 'it reads `cluster.yaml` with `nodes.yaml`, or a `talconfig.yaml`',
    help: 'describe the cluster in one of these; `npx talos-tk init DIR` writes a sample of the first two',
  }),
  'config/ambiguous-cluster': ({ first, second }) => ({
    title: `two clusters in one repository: \`${first}\` and \`${second}\``,
    help: `name the one you mean, or delete the one that is no longer used:\nnpx tk --talconfig ${first}\nnpx tk --talconfig ${second}`,
  }),
  'config/sources-disagree': ({ node, fact, first, second }) => ({
    title:
      fact === 'presence'
        ? `\`${node}\` is in \`${first}\`, but not in \`${second}\``
        : `\`${first}\` and \`${second}\` name different ${fact === 'address' ? 'addresses' : 'roles'} of \`${node}\``,
    help: 'keep one of the two files as the source of the cluster',
  }),
  'config/missing-file': ({ path, neededBy }) => ({
    title: `\`${path}\` is missing`,
    ...(neededBy === undefined ? {} : { because: `\`${neededBy}\` needs it` }),
    help: 'templates/repository in the package holds a sample of it',
  }),
  'config/empty-file': ({ path }) => ({ title: `\`${path}\` is empty` }),
  'config/several-documents': ({ path }) => ({ title: `\`${path}\` holds more than one document`, help: 'remove the `---` in between' }),

  'config/unsupported-version': ({ found, newest }) => ({
    title: `version ${found} of these files is not known`,
    because: `this tk reads version ${newest}`,
    help: 'npm install talos-tk@latest',
  }),
  'config/unknown-key': ({ key, suggestion }) => ({
    title: `\`${key}\` is not a key of this file`,
    help: suggestion === undefined ? 'data of your own templates goes below `extra`' : `did you mean \`${suggestion}\`?`,
  }),
  'config/renamed-key': ({ key, replacement }) => ({
    title: `\`${key}\` is called \`${replacement}\` now`,
    help: `rename it to \`${replacement}\``,
  }),
  'config/removed-key': ({ key }) => ({ title: `\`${key}\` has no meaning any more`, help: 'remove it' }),
  'config/named-twice': ({ key, replacement }) => ({
    title: `\`${key}\` is the old name of \`${replacement}\`, which is set too`,
    help: `remove \`${key}\``,
  }),
  'config/missing-key': ({ key, of, example }) => ({
    title: of === undefined ? `\`${key}\` is missing` : `\`${of}\` has no \`${key}\``,
    ...(example === undefined ? {} : { help: `add it, for example \`${key}: ${example}\`` }),
  }),
  'config/wrong-type': (facts) => ({ title: `${named(facts)}: expected ${kindNames[facts.expected]} but found ${kindNames[facts.found]}` }),
  'config/not-one-of': (facts) => ({
    title: `${named(facts)}: expected ${oneOf(facts.allowed)} but found \`${facts.value}\``,
    ...didYouMean(facts.suggestion),
  }),
  'config/out-of-range': (facts) => ({
    title: `${named(facts)}: ${facts.value} is ${facts.min === undefined ? `more than ${facts.max}` : `less than ${facts.min}`}`,
  }),
  'config/malformed': (facts) => ({
    title: `${named(facts)}: \`${facts.value}\` is not ${expectedNames[facts.expected].a}`,
    help: facts.suggestion === undefined ? expectedNames[facts.expected].form : `did you mean \`${facts.suggestion}\`?`,
  }),
  'config/too-many': (facts) => ({ title: `${named(facts)}: expected at most ${facts.most} but found ${facts.found}` }),
  'config/reserved-node-name': ({ node }) => ({
    title: `no node can be called \`${node}\``,
    because: `\`talos/${node}\` is a directory of another meaning`,
  }),
  'config/reserved-data-name': ({ key }) => ({
    title: `\`extra\` cannot set \`${key}\``,
    because: 'that variable already has a meaning',
    help: 'choose another name for it',
  }),

  'config/duplicate-node-name': ({ node }) => ({ title: `two nodes are called \`${node}\``, help: 'give one of them another name' }),
  'config/duplicate-address': ({ address, first, second, network, suggestion, secondIsNode }) => ({
    title: `\`${address}\` is used by \`${first}\` and \`${second}\``,
    help:
      suggestion === undefined
        ? `give ${secondIsNode ? 'the node ' : ''}\`${second}\` an unused address${network === undefined ? '' : ` inside \`${network}\``}`
        : `give \`${second}\` an unused address inside \`${network}\`, for example \`${suggestion}\``,
  }),
  'config/duplicate-mac-address': ({ mac, first, second }) => ({
    title: `\`${mac}\` is the network card of \`${first}\` and of \`${second}\``,
    help: 'npx tk talos:preflight shows the network cards of each machine',
  }),
  'config/duplicate-disk': ({ serial, first, second }) => ({
    title: `\`${serial}\` is the disk of \`${first}\` and of \`${second}\``,
    help: 'npx tk talos:preflight shows the disks of each machine',
  }),
  'config/address-outside-network': ({ owner, ownerIsNode, address, network, suggestion }) => ({
    title: ownerIsNode
      ? `\`${owner}\` has address \`${address}\`, outside \`${network}\``
      : `\`${owner}\` is \`${address}\`, outside \`${network}\``,
    ...didYouMean(suggestion),
  }),
  'config/unusable-address': ({ owner, address, network, suggestion }) => ({
    title: `\`${owner}\` cannot have \`${address}\``,
    because: `it is the network or the broadcast address of \`${network}\``,
    ...didYouMean(suggestion),
  }),
  'config/overlapping-networks': ({ first, firstNetwork, second, secondNetwork }) => ({
    title: `\`${second}\` (\`${secondNetwork}\`) overlaps with \`${first}\` (\`${firstNetwork}\`)`,
    help: 'nodes, pods and services need networks of their own',
  }),
  'config/non-canonical-network': ({ key, network, canonical }) => ({
    title: `\`${key}\`: \`${network}\` is an address inside a network, not a network`,
    help: `did you mean \`${canonical}\`?`,
  }),
  'config/network-too-small': ({ key, network, needed, holds, of }) => ({
    title: `\`${key}\`: \`${network}\` has room for ${of === 'service addresses' ? count(holds, 'address', 'addresses') : `the pods of ${count(holds, 'node')}`}, ${needed} are needed`,
    help: of === 'service addresses' ? 'use a network of /28 or larger' : 'every node takes a /24 of it: use a larger one',
  }),
  'config/network-too-large': ({ key, network, smallestPrefix }) => ({
    title: `\`${key}\`: \`${network}\` is larger than the API server allows`,
    help: `use a network of /${smallestPrefix} or smaller`,
  }),
  'config/incomplete-group': ({ group, missing, present }) => ({
    title: `${allOf(quoted(missing))} ${missing.length === 1 ? 'is' : 'are'} missing`,
    because: `${allOf(quoted(present))} ${present.length === 1 ? 'is' : 'are'} set, and ${group === 'BGP' ? 'BGP' : 'the backup'} needs all of them or none`,
  }),
  'config/exclude-each-other': ({ node, first, second }) => ({
    title: `\`${node}\` has both \`${first}\` and \`${second}\``,
    because: 'extensions and kernel arguments are part of a schematic',
    help: `remove \`${first}\` and let tk make the schematic, or put them into it`,
  }),
  'config/no-control-plane': ({ nodes }) => ({
    title: nodes === 0 ? 'the cluster has no nodes' : `none of ${count(nodes, 'node')} is a control plane`,
    help: 'set `controller: true` on one or three of them',
  }),
  'config/even-control-planes': ({ count: controlPlanes, tolerated }) => ({
    title: `${controlPlanes} control planes tolerate the loss of ${tolerated === 0 ? 'none' : tolerated}, as ${controlPlanes - 1} would`,
    help: `use ${controlPlanes - 1} or ${controlPlanes + 1}`,
  }),
  'config/unsupported-talos': ({ version, known }) => ({
    title: `Talos \`${version}\` is not known`,
    help: `this tk knows ${allOf(known)}`,
  }),
  'config/incompatible-kubernetes': ({ talos, kubernetes, lowest, highest }) => ({
    title: `Kubernetes \`${kubernetes}\` does not run on Talos \`${talos}\``,
    help: `Talos \`${talos}\` takes Kubernetes ${lowest} to ${highest}`,
  }),
  'config/missing-known-hosts': ({ host }) => ({
    title: `the SSH key of \`${host}\` is not known`,
    because: 'Flux refuses a host that it does not know',
    help: `set \`repository_known_hosts\` to what this prints: ssh-keyscan -t ed25519 ${host}`,
  }),
  'config/missing-secret': ({ key, what, neededBy, secretsPath }) => ({
    title: `\`${key}\` is missing: ${what}`,
    because: `\`${neededBy}\` of \`cluster.yaml\` needs it`,
    help: `write it to \`${secretsPath}\` and encrypt that: npx tk sops encrypt ${secretsPath}`,
  }),
  'config/secrets-locked': ({ path, secretsPath }) => ({
    title: `\`${path}\` cannot be made here`,
    because: `its values lie in \`${secretsPath}\`, and there is no key for that`,
    help: 'put the key into `age.key`, or name it: SOPS_AGE_KEY_FILE=PATH npx tk configure',
  }),
  'config/secret-in-committed-input': ({ key, path, secretsPath }) => ({
    title: `\`${key}\` is a secret, and git would take it with \`${path}\``,
    help: `move it to \`${secretsPath}\` and encrypt that: npx tk sops encrypt ${secretsPath}`,
  }),

  'config/kube-prism-disagrees': ({ port, clientHost, clientPort }) => ({
    title: `Cilium looks for the API at \`${clientHost}:${clientPort}\`, ${port === 0 ? 'but KubePrism is off' : `KubePrism listens on \`localhost:${port}\``}`,
    because: 'without the API no node becomes Ready',
    help: port === 0 ? 'switch KubePrism on in `talos/`' : `set \`k8sServiceHost: localhost\` and \`k8sServicePort: ${port}\``,
  }),
};
