import { allOf } from '../../base/index.ts';
import type { TalconfigFailures } from '../../config/index.ts';
import type { Printers } from './printer.ts';

export const talconfigPrinters: Printers<TalconfigFailures> = {
  'talconfig/unknown-key': ({ key, at, suggestion }) => ({
    title: `\`${key}\` is not a key of ${at === '' ? 'talconfig.yaml' : `\`${at}\``}`,
    because: 'talhelper would ignore it without a word',
    ...(suggestion === undefined ? {} : { help: `did you mean \`${suggestion}\`?` }),
  }),
  'talconfig/removed-key': ({ key, replacement }) => ({
    title: `\`${key}\` was removed from talconfig.yaml`,
    help: `write it as \`${replacement}\``,
  }),
  'talconfig/wrong-type': ({ path, expected, found }) => ({ title: `\`${path}\` expected ${expected} but found ${found}` }),
  'talconfig/required': ({ path }) => ({ title: `\`${path}\` is missing` }),
  'talconfig/invalid': ({ path, value, expected }) => ({
    title: `\`${value}\` is not ${expected}`,
    because: `it is the value of \`${path}\``,
  }),
  'talconfig/not-in-factory': ({ what, name, version, suggestion }) => ({
    title: `the image factory has no ${what} \`${name}\` for Talos ${version}`,
    help: suggestion === undefined ? 'set `noSchematicValidate: true` when you know better' : `did you mean \`${suggestion}\`?`,
  }),
  'talconfig/duplicate-node': ({ what, value, first }) => ({
    title: `two nodes have the ${what} \`${value}\``,
    because: `\`${first}\` is the first of them`,
  }),
  'talconfig/missing-file': ({ path, neededBy }) => ({
    title: `\`${path}\` does not exist`,
    because: `\`${neededBy}\` refers to it`,
    help: 'restore the file, or take the line out',
  }),
  'talconfig/incompatible-kubernetes': ({ talos, kubernetes, lowest, highest }) => ({
    title: `Talos ${talos} does not run Kubernetes ${kubernetes}`,
    help: `choose a version from ${lowest} to ${highest}`,
  }),
  'talconfig/no-control-plane': ({ nodes }) => ({
    title: nodes === 1 ? 'the only node is a worker' : `all ${nodes} nodes are workers`,
    because: 'nothing can bootstrap the cluster, and the talosconfig has no endpoint',
    help: 'set `controlPlane: true` for the nodes that run Kubernetes itself',
  }),
  'talconfig/deprecated': ({ key, replacement }) => ({ title: `\`${key}\` is deprecated`, help: `use \`${replacement}\` instead` }),
  'talconfig/floating-version': ({ version }) => ({
    title: `talconfig.yaml names no \`talosVersion\`, taken is ${version}`,
    help: 'write the version down, so that an update of the tool does not change the machines',
  }),
  'talconfig/without-effect': ({ key, reason }) => ({ title: `\`${key}\` has no effect`, because: reason }),
  'talconfig/variable-not-set': ({ name, uses }) => ({
    title: `the variable \`${name}\` is not set`,
    ...(uses === undefined ? {} : { because: `${uses} places use it, this one first` }),
    help: `set it in talenv.yaml or in the environment, or write \`$$${name}\` when no variable is meant`,
  }),
  'talconfig/variable-empty': ({ name }) => ({
    title: `the variable \`${name}\` is empty`,
    help: 'give it a value in talenv.yaml or in the environment',
  }),
  'talconfig/variable-syntax': ({ text, reason }) => ({ title: `\`${text}\` is not a variable that can be filled in`, because: reason }),
  'talconfig/env-file': ({ path, line }) => ({
    title: `line ${line} of \`${path}\` is not a variable`,
    because: 'an environment file holds flat `name: value` lines; talhelper would load nothing of it, without a word',
  }),
  'talconfig/too-many-secrets': ({ used, ignored }) => ({
    title: `several secrets bundles lie side by side; taken is \`${used}\``,
    help: `remove ${allOf(ignored.map((one) => `\`${one}\``))}, or name the file with \`--secrets\``,
  }),
};
