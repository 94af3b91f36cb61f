import { allOf, count } from '../../base/index.ts';
import type { KubernetesUpgradeFailures, PinFailures } from '../../cluster/index.ts';
import type { Printers } from './printer.ts';

const coreOf = (version: string): readonly number[] => version.replace(/^v/, '').split('.').map(Number.parseFloat);
const isBack = (from: string, to: string): boolean => {
  const [a, b] = [coreOf(from), coreOf(to)];
  return (a[0] ?? 0) > (b[0] ?? 0) || (a[0] === b[0] && (a[1] ?? 0) > (b[1] ?? 0));
};
const quoted = (names: readonly string[]): string => allOf(names.map((name) => `\`${name}\``));

export const kubernetesUpgradePrinters: Printers<KubernetesUpgradeFailures & PinFailures> = {
  'upgrade-k8s/node-silent': ({ nodes }) => ({
    title: `${quoted(nodes)} ${nodes.length === 1 ? 'does' : 'do'} not answer, and nobody can say what ${nodes.length === 1 ? 'it runs' : 'they run'}`,
    help: 'npx tk talos:health shows what keeps a node away',
  }),
  'upgrade-k8s/path': ({ from, to }) =>
    isBack(from, to)
      ? {
          title: `Kubernetes does not go back from ${from} to ${to}`,
          because: 'within a minor it goes anywhere, and otherwise one minor up',
        }
      : {
          title: `Kubernetes does not go from ${from} to ${to} in one step`,
          because: 'within a minor it goes anywhere, and otherwise one minor up',
          help: `npx tk upgrade:plan --to-kubernetes ${to} names the steps`,
        },
  'upgrade-k8s/talos': ({ node, talos, to, lowest, highest }) => ({
    title: `\`${node}\` runs Talos ${talos}, which does not run Kubernetes ${to}`,
    because:
      lowest === undefined || highest === undefined
        ? 'this tk knows nothing of that Talos'
        : lowest === highest
          ? `it runs Kubernetes ${lowest}`
          : `it runs Kubernetes ${lowest} to ${highest}`,
    help: `npx tk upgrade:plan --to-kubernetes ${to} names what has to come first`,
  }),
  'upgrade-k8s/kubelet-newer': ({ node, kubelet, to }) => ({
    title: `the kubelet of \`${node}\` runs ${kubelet}, and the API servers would run ${to}`,
    because: 'a kubelet is never newer than the API server that it talks to',
  }),
  'upgrade-k8s/flag-removed': ({ node, part, flag, minor }) => ({
    title: `${part} of \`${node}\` is started with \`--${flag}\`, which Kubernetes ${minor} no longer knows`,
    help: `take \`${flag}\` out of its extraArgs, generate the configs and apply them`,
  }),
  'upgrade-k8s/feature-gate-removed': ({ node, part, gate, minor }) => ({
    title: `${part} of \`${node}\` sets the feature gate \`${gate}\`, which Kubernetes ${minor} no longer knows`,
    help: `take \`${gate}\` out of its feature gates, generate the configs and apply them`,
  }),
  'upgrade-k8s/admission-plugin-removed': ({ node, plugin, minor }) => ({
    title: `kube-apiserver of \`${node}\` enables the admission plugin \`${plugin}\`, which Kubernetes ${minor} no longer has`,
    help: `take \`${plugin}\` out of enable-admission-plugins, generate the configs and apply them`,
  }),
  'upgrade-k8s/api-removed': ({ resource, objects, minor }) => ({
    title: `${count(objects, 'object')} of \`${resource}\` would be lost: Kubernetes ${minor} no longer serves it`,
    help: `kubectl get ${resource} --all-namespaces`,
  }),
  'upgrade-k8s/config-waits': ({ node }) => ({
    title: `\`${node}\` runs another config than the one on its disk`,
    because: 'a config is on trial, or one that was staged waits for a reboot; what is applied now would decide between them',
    help: `let the trial run out, or reboot: npx tk talos:reboot NODE=${node}`,
  }),
  'upgrade-k8s/config-unreadable': ({ node, part, reason }) => ({
    title: `the image of ${part} cannot be changed in the config of \`${node}\``,
    because: reason,
  }),
  'upgrade-k8s/not-upgraded': ({ parts, to }) => ({
    title: `${allOf(parts)} ${parts.length === 1 ? 'does' : 'do'} not run ${to} although everything was done`,
    because: 'somebody else has changed it meanwhile',
    help: `npx tk talos:upgrade-k8s TO=${to} does what is left`,
  }),
  'manifests/refused': ({ object }) => ({
    title: `the API server does not take ${object} of Talos' manifests`,
    help: 'everything else was brought in; delete the object if it may be made anew, then run it again',
  }),
  'manifests/foreign': ({ object, inventory }) => ({
    title: `${object} is one of Talos' manifests, and belongs to the inventory \`${inventory}\``,
    because: 'two that manage one object would undo each other',
    help: 'take the annotation config.k8s.io/owning-inventory off the object if Talos is to manage it',
  }),
  'pin/environment': ({ variable, version }) => ({
    title: `the repository takes this version from the variable \`${variable}\`, which tk does not write`,
    help: `set ${variable}=${version} where your shell or mise gets it from, before the next generate-config`,
  }),
  'pin/encrypted': ({ path, variable, version }) => ({
    title: `\`${variable}\` stands in the encrypted file \`${path}\`, and still says another version`,
    help: `npx tk sops decrypt ${path}, set ${variable} to ${version}, and encrypt it again`,
  }),
  'pin/composed': ({ path, key, written, version }) => ({
    title: `\`${key}\` in \`${path}\` is put together from parts (\`${written}\`)`,
    help: `make it come out as ${version} before the next generate-config`,
  }),
  'pin/not-rendered': ({ paths }) => ({
    title: `${quoted(paths)} ${paths.length === 1 ? 'says' : 'say'} the new version; what is rendered from there was left as it is`,
    because: 'the templates would change more than the versions',
    help: 'look and render: npx tk configure --plan, then npx tk configure',
  }),
  'pin/overridden': ({ node, part, image, wanted, where }) => ({
    title: `the config of \`${node}\` would still name ${image} for ${part}, not ${wanted}`,
    ...(where === undefined ? {} : { because: `${where} says so` }),
    help: 'the next talos:apply would go back to it',
  }),
};
