import { allOf, count, type Failure, formatDuration } from '../../base/index.ts';
import type { LifecycleFailures } from '../../cluster/index.ts';
import type { Printers } from './printer.ts';

const named = (names: readonly string[]): string => allOf(names.map((name) => `\`${name}\``));
const listed = (problems: readonly { readonly member: string; readonly reason: string }[]): string =>
  problems.map(({ member, reason }) => `\`${member}\`: ${reason}`).join('; ');
const causeOf = ({ cause }: Failure): { readonly because?: string } => {
  const said = cause?.facts['message'] ?? cause?.facts['reason'];
  return cause === undefined ? {} : { because: typeof said === 'string' ? `${cause.code}: ${said}` : cause.code };
};
const override = (gate: string): string => `when you know better: --override ${gate}="why"`;
const correct = (sources: readonly string[]): string =>
  sources.includes('--image') ? 'leave --image out, or correct it' : 'correct the inventory';
const pods = (list: readonly { readonly namespace: string; readonly name: string }[]): string =>
  `${list
    .slice(0, 5)
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .join(', ')}${list.length > 5 ? ` and ${list.length - 5} more` : ''}`;

export const lifecyclePrinters: Printers<LifecycleFailures> = {
  'gate/etcd-quorum': ({ node, members, left, needed, because, passesInMs }) => ({
    title: `taking \`${node}\` away would leave ${left} of ${count(members, 'etcd member')}, ${needed} ${needed === 1 ? 'is' : 'are'} needed`,
    ...(because.length > 0 ? { because: listed(because) } : {}),
    help:
      passesInMs !== undefined
        ? `the same line again in ${formatDuration(passesInMs)}`
        : because[0] === undefined
          ? 'npx tk talos:etcd-members'
          : `npx tk doctor NODE=${because[0].member}`,
  }),
  'gate/etcd-unhealthy': ({ node, problems, passesInMs }) => ({
    title: `etcd is not well enough to take \`${node}\` away`,
    because: listed(problems),
    help: `${passesInMs === undefined ? 'npx tk talos:etcd-members' : `the same line again in ${formatDuration(passesInMs)}`}; ${override('etcd-quorum')}`,
  }),
  'gate/etcd-last-voter': ({ node }) => ({
    title: `\`${node}\` is the last voting member of etcd, and everything that Kubernetes knows is on it`,
    help: override('etcd-quorum'),
  }),
  'gate/etcd-downtime': ({ node, members }) => ({
    title: `etcd has ${count(members, 'member')}: while \`${node}\` is away, Kubernetes stands still`,
    help: 'say that it may with --accept-downtime; a snapshot is taken first',
  }),
  'gate/one-at-a-time': ({ node, limit, away }) => ({
    title: `\`${node}\` has to wait: ${limit === 1 ? 'another machine is away' : `${count(away.length, 'machine')} of ${limit} are away already`}`,
    because: away.map((other) => `\`${other.node}\` is ${other.seen}`).join('; '),
    help: `npx tk doctor NODE=${away[0]?.node ?? node}; ${override('one-at-a-time')}`,
  }),
  'gate/version-path': ({ node, from, to, because, other, hops = [] }) => ({
    title: `\`${node}\` cannot go from Talos ${from} to ${to}`,
    because: {
      downgrade: 'that is older than what it runs',
      'skips-a-minor': 'that skips a minor version, which nobody tests',
      'not-installable': `${to} installs over ${other} and later`,
      unknown: `this tk knows Talos up to ${other}`,
      kubernetes: `Talos ${to} does not run Kubernetes ${other}, which this cluster has`,
    }[because],
    help:
      because === 'downgrade'
        ? `npx tk talos:rollback NODE=${node} boots what was installed before; ${override('version-path')}`
        : because === 'unknown'
          ? `a newer tk may know it; ${override('version-path')}`
          : hops.length > 0
            ? `the way there: ${hops.join(', ')}`
            : 'npx tk upgrade:plan shows which hops lead there',
  }),
  'gate/other-driver': ({ node, driver, what, seen }) => ({
    title: `\`${node}\` is left alone while ${driver} is at work`,
    because: `${what} is ${seen}`,
    help: `let it end, or suspend it; ${override('other-driver')}`,
  }),
  'gate/foreign-cordon': ({ node, cordoned }) => ({
    title: `\`${node}\` is left alone while somebody keeps ${named(cordoned)} cordoned`,
    because: 'a cordon that tk did not set means that somebody works on that machine',
    help: `kubectl uncordon ${cordoned[0] ?? ''}; ${override('other-driver')}`,
  }),
  'gate/lease': ({ holder, renewed }) => ({
    title: `another tk works on this cluster: \`${holder}\``,
    ...(renewed === '' ? {} : { because: `it said so last at ${renewed}` }),
    help: 'wait until it has ended; ten minutes after it was killed it no longer counts',
  }),
  'gate/not-well': ({ gate, node, problems, help }) => ({
    title: `the gate ${gate} does not let \`${node}\` go`,
    because: problems.join('; '),
    help: help ?? override(gate),
  }),
  'gate/volumes': ({ node, volumes }) => ({
    title: `${count(volumes.length, 'volume')} ${volumes.length === 1 ? 'is' : 'are'} still attached to \`${node}\``,
    because: `${volumes.slice(0, 5).join(', ')}: their pods could not start elsewhere`,
    help: `kubectl get volumeattachments; ${override('volumes')}`,
  }),
  'gate/kubernetes': ({ node }, failure) => ({
    title: `Kubernetes cannot be asked whether \`${node}\` may go`,
    ...causeOf(failure),
    help: `npx tk bootstrap:kubeconfig; ${override('kubernetes')}`,
  }),
  'gate/unknown': ({ gate, node }, failure) => ({
    title: `the gate ${gate} could not find out whether \`${node}\` may go`,
    ...causeOf(failure),
    help: override(gate),
  }),
  'gate/stale': ({ node, ageMs, freshForMs }) => ({
    title: `what the members said is too old to let \`${node}\` go`,
    because: `it took ${formatDuration(ageMs)} to ask them all, and answers keep for ${formatDuration(freshForMs)}`,
  }),
  'gate/image': ({ node, image, isFatal, disagreements }) => ({
    title: `\`${image}\` does not fit \`${node}\``,
    because: disagreements
      .map(({ fact, one, oneFrom, other, otherFrom }) => `${fact}: ${one} (${oneFrom}) but ${other} (${otherFrom})`)
      .join('; '),
    help: `${correct(disagreements.map(({ oneFrom }) => oneFrom))}${isFatal ? '; a machine would not boot from it' : ', or mean it: --override image="why"'}`,
  }),
  'usage/override-unknown': ({ asked, known, suggestion }) => ({
    title: `there is no gate \`${asked}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : `known are ${named(known)}`,
  }),
  'usage/override-reason': ({ gate }) => ({
    title: `overriding the gate ${gate} needs a reason`,
    help: `--override ${gate}="cp-3 is in the workshop"; the journal keeps it`,
  }),
  'usage/share': ({ asked, what }) => ({ title: `\`${asked}\` is no number of ${what}`, help: 'give a number, or a share like 25%' }),
  'usage/canary': ({ asked, isControlPlane, known }) => ({
    title: isControlPlane ? `\`${asked}\` is a control plane, and the canary is a worker` : `no worker is named \`${asked}\``,
    ...(isControlPlane ? { because: 'control planes go first, one at a time; the canary is the first machine after them' } : {}),
    help: known.length === 0 ? 'leave it out: no worker is upgraded' : `one of ${named(known)}`,
  }),
  'drain/blocked': ({ node, pods: blocked, afterMs }) => ({
    title: `${count(blocked.length, 'pod')} could not be moved off \`${node}\` within ${formatDuration(afterMs)}`,
    because: blocked
      .slice(0, 5)
      .map(
        (pod) =>
          `${pod.namespace}/${pod.name}: ${pod.budget === undefined ? pod.message : `the disruption budget ${pod.namespace}/${pod.budget} does not allow it`}`,
      )
      .join('; '),
    help: `nothing was rebooted, and a cordon of tk's is taken back; scale the workload up, or --drain delete-after=5m`,
  }),
  'drain/timeout': ({ node, pods: left, afterMs }) => ({
    title: `${count(left.length, 'pod')} did not leave \`${node}\` within ${formatDuration(afterMs)}`,
    because: pods(left),
    help: `nothing was rebooted; kubectl get pods --all-namespaces --field-selector spec.nodeName=${node}`,
  }),
  'drain/refused': ({ node, namespace, name }, failure) => ({
    title: `${namespace}/${name} cannot be moved off \`${node}\``,
    ...causeOf(failure),
  }),
  'node/not-in-kubernetes': ({ node }) => ({
    title: `Kubernetes has no node \`${node}\``,
    help: 'kubectl get nodes -o wide; or --drain skip',
  }),
  'node/still-cordoned': ({ node }, failure) => ({
    title: `\`${node}\` is still cordoned: tk could not take its cordon back`,
    ...causeOf(failure),
    help: `npx tk talos:uncordon NODE=${node}, as soon as Kubernetes answers; the same line again does it too`,
  }),
  'node/restarted': ({ node, running }) => ({
    title: `\`${node}\` was restarted while it was being prepared; it runs Talos ${running}`,
    because: 'somebody else restarted it, or its power was away; nothing was installed on it',
    help: 'the same line again looks anew at what is left to do',
  }),
  'node/rolled-back': ({ node, running, wanted }) => ({
    title: `\`${node}\` rolled back: it runs ${running} again`,
    because: `${wanted} did not come up, so the machine went back to the boot entry before`,
    help: `npx tk talos:dmesg NODE=${node}; no other machine was touched after it`,
  }),
  'node/nothing-before': ({ node, running }) => ({
    title: `\`${node}\` has nothing to roll back to: no other Talos than ${running} was ever installed on it`,
    because: 'its other boot slot is empty; nothing was rebooted',
    help: `another version: npx tk talos:upgrade-node NODE=${node} TO=…`,
  }),
  'node/never-left': ({ node }) => ({
    title: `\`${node}\` answers again and was never taken down`,
    because: 'an earlier run was cut off before its call arrived, and the machine was silent for another reason',
    help: 'start the same line again',
  }),
  'node/not-returned': ({ node, address, after, last }) => ({
    title: `\`${node}\` (${address}) has not come back within ${after}`,
    ...(last === undefined ? {} : { because: last }),
    help: `look at its console; the same line again goes on waiting. It stays cordoned until then`,
  }),
  'etcd/no-member': ({ asked }, failure) => ({
    title: 'no member of etcd answers that could do it',
    ...(failure.cause ? causeOf(failure) : asked.length > 0 ? { because: `asked: ${named(asked)}` } : {}),
    help: 'npx tk talos:etcd-members',
  }),
};
