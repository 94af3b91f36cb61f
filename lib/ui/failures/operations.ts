import { allOf, count, formatDuration, oneOf } from '../../base/index.ts';
import type { OperationFailures } from '../../cluster/index.ts';
import type { Printers } from './printer.ts';

export const operationPrinters: Printers<OperationFailures> = {
  'resource/unknown-type': ({ asked, suggestion }) => ({
    title: `the machine knows no type of resource called \`${asked}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : 'npx tk talos:get rd lists them all',
  }),
  'resource/ambiguous-type': ({ asked, types }) => ({ title: `\`${asked}\` may mean several types`, help: `say ${oneOf(types)}` }),
  'resource/unknown-namespace': ({ asked, known, suggestion }) => ({
    title: `the machine has no namespace \`${asked}\` for its resources`,
    help: suggestion ? `did you mean \`${suggestion}\`?` : `it has ${oneOf(known)}`,
  }),
  'service/unknown': ({ asked, suggestion }) => ({
    title: `no machine that was asked has a service \`${asked}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : 'npx tk talos:services lists them all',
  }),
  'node/no-control-plane': ({ nodes }) => ({
    title: `${allOf(nodes.map((node) => `\`${node}\``))} ${nodes.length === 1 ? 'is a worker, and has' : 'are workers, and have'} no etcd`,
    help: 'name control planes, or none: then all of them are asked',
  }),
  'disk/unknown-volume': ({ node, label, known, suggestion }) => ({
    title: `\`${node}\` has no volume \`${label}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : `it has ${known.length === 0 ? 'none' : oneOf(known)}`,
  }),
  'disk/is-directory': ({ node, label }) => ({
    title: `the volume \`${label}\` of \`${node}\` is a directory, and cannot be wiped alone`,
    help: 'it goes with the volume that it lies on: name EPHEMERAL instead',
  }),
  'disk/unknown': ({ node, disk, known, suggestion }) => ({
    title: `\`${node}\` has no disk \`${disk}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : `it has ${known.length === 0 ? 'none' : oneOf(known)}`,
  }),
  'disk/is-system': ({ node, disk }) => ({
    title: `\`${disk}\` is the system disk of \`${node}\``,
    because: '--user-disks is for the others',
    help: '--wipe=system-disk wipes it; --labels only some of its partitions',
  }),
  'etcd/unknown-member': ({ asked, known, suggestion }) => ({
    title: `etcd has no member \`${asked}\``,
    help: suggestion ? `did you mean \`${suggestion}\`?` : known.length === 0 ? 'npx tk talos:etcd-members' : `it has ${oneOf(known)}`,
  }),
  'etcd/member-works': ({ member }) => ({
    title: `the etcd member \`${member}\` answers and is healthy`,
    because: 'a member that works leaves etcd together with its machine',
    help: `npx tk node:remove NODE=${member}`,
  }),
  'patch/no-file': ({ path }) => ({
    title: `there is no patch \`${path}\``,
    help: 'a patch given as text begins with { or [, or has a blank',
  }),
  'patch/no-config': ({ node }) => ({ title: `\`${node}\` has no config to patch`, help: `npx tk talos:apply-node NODE=${node}` }),
  'etcd/no-snapshot': ({ path }) => ({
    title: `there is no snapshot \`${path}\``,
    help: 'npx tk talos:etcd-snapshot writes one while etcd works',
  }),
  'etcd/snapshot-foreign': ({ path, members, nodes, wantedMembers, authority, wantedAuthority }) => {
    const isSameNames = members.length === wantedMembers.length && members.every((name) => wantedMembers.includes(name));
    return {
      title: `\`${path}\` is the snapshot of another cluster`,
      because: [
        ...(authority && wantedAuthority ? [`its Kubernetes trusts the authority ${allOf(authority)}, not ${allOf(wantedAuthority)}`] : []),
        ...(isSameNames
          ? ['the names of its members are the same']
          : [`its etcd had ${members.length === 0 ? 'no members' : allOf(members)}, here it is to have ${allOf(wantedMembers)}`]),
        ...(isSameNames || nodes.length === 0
          ? []
          : [`its nodes were ${nodes.length <= 6 ? allOf(nodes) : `${nodes.slice(0, 5).join(', ')} and ${nodes.length - 5} more`}`]),
      ].join('; '),
      help: 'take one of this cluster; when it is meant (new names, a rotated authority): --other-cluster "why"',
    };
  },
  'etcd/works': ({ node }) => ({
    title: `etcd works on \`${node}\`, and is not thrown away`,
    because: 'it has newer data than any snapshot',
    help: 'npx tk talos:etcd-status',
  }),
  'node/not-wiped': ({ node, volumes }) => ({
    title: `\`${node}\` was not wiped: it is back with ${allOf(volumes)} as before`,
    because: 'somebody has restarted it before the wipe began',
    help: 'the same line wipes it',
  }),
  'node/half-works': ({ node }) => ({
    title: `\`${node}\` answers, and its etcd does not work`,
    because: 'a graceful removal needs its etcd, and removed by force its data is lost',
    help: `mend it (npx tk talos:logs NODE=${node} SERVICE=etcd), switch it off, or --override etcd-quorum="why"`,
  }),
  'node/no-successor': ({ node, address, state }) => ({
    title: `nothing was removed: the machine that is to take the place of \`${node}\` is not there`,
    because: state === 'configured' ? `what answers at ${address} has its config already` : `nobody answers at ${address}`,
    help:
      state === 'configured'
        ? `switch it off and boot the new machine; or wipe this one: npx tk talos:reset NODE=${node} LABELS=STATE,EPHEMERAL REBOOT=true`
        : `boot it (npx tk talos:image-url names its image), or take the old one out alone: npx tk node:remove NODE=${node}`,
  }),
  'flux/no-kustomization': ({ namespace, name }) => ({
    title: `there is no Kustomization \`${namespace}/${name}\``,
    help: 'kubectl get kustomizations -A',
  }),
  'flux/not-ready': ({ kind, namespace, name, reason, message }) => ({
    title: `${kind} \`${namespace}/${name}\` cannot be reconciled (${reason})`,
    because: message,
    help: `kubectl -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
  }),
  'doctor/not-rendered': ({ paths }) => ({ title: `the inputs say otherwise than ${some(paths)}`, help: 'npx tk configure' }),
  'doctor/not-generated': ({ paths }) => ({ title: `${some(paths)} would be generated anew`, help: 'npx tk talos:generate-config' }),
  'doctor/wide-file': ({ path, mode }) => ({
    title: `\`${path}\` holds a key and others may read it (mode ${mode})`,
    help: `chmod 600 ${path}`,
  }),
  'doctor/not-ignored': ({ path }) => ({ title: `\`${path}\` holds a key and git would take it`, help: `add /${path} to .gitignore` }),
  'doctor/unreachable': ({ node, address, reason }) => ({
    title: `\`${node}\` (${address}) does not answer on port 50000`,
    because: reason,
    help: `is it on? npx tk talos:dmesg NODE=${node} as soon as it is`,
  }),
  'doctor/foreign': ({ node, address }) => ({
    title: `\`${node}\` (${address}) runs with another cluster's certificates`,
    help: 'bring the right secrets back, or reset the machine',
  }),
  'doctor/maintenance': ({ node }) => ({ title: `\`${node}\` has no config`, help: `npx tk talos:apply-node NODE=${node}` }),
  'doctor/not-ready': ({ node, stage, unmet }) => ({
    title: `\`${node}\` is ${stage} and not ready`,
    ...(unmet.length === 0 ? {} : { because: unmet.join(', ') }),
    help: `npx tk talos:services NODE=${node}`,
  }),
  'doctor/time-not-synced': ({ node }) => ({
    title: `\`${node}\` has not synchronised its clock`,
    help: `npx tk talos:logs NODE=${node} SERVICE=timed`,
  }),
  'doctor/clock': ({ node, offsetMs }) => ({
    title: `the clock of \`${node}\` is ${formatDuration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead' : 'behind'}`,
    help: `npx tk talos:logs NODE=${node} SERVICE=timed`,
  }),
  'doctor/own-clock': ({ offsetMs, nodes }) => ({
    title: `the clock of this computer is ${formatDuration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead' : 'behind'}`,
    because: `${count(nodes, 'machine')} agree with each other`,
    help: 'set it, or let it be set: sudo timedatectl set-ntp true',
  }),
  'doctor/no-talosconfig': ({ path }) => ({ title: `there is no talosconfig at \`${path}\``, help: 'npx tk talos:generate-config' }),
  'doctor/certificate': ({ what, state, daysLeft, node }) => {
    const whose = node === undefined ? `the certificate of the ${what}` : `the certificate of \`${node}\` (${what})`;
    if (state === 'not-yet-valid') return { title: `${whose} is not valid yet`, help: 'npx tk doctor tells whose clock is wrong' };
    const days = Math.abs(daysLeft);
    return { title: state === 'expired' ? `${whose} has expired ${count(days, 'day')} ago` : `${whose} ends in ${count(days, 'day')}` };
  },
  'doctor/etcd': ({ node, problem }) => ({ title: `etcd on \`${node}\`: ${problem}`, help: `npx tk talos:logs NODE=${node} SERVICE=etcd` }),
  'doctor/etcd-views': ({ nodes }) => ({ title: `${allOf(nodes)} see different members of etcd`, help: 'npx tk talos:etcd-members' }),
  'doctor/etcd-stranger': ({ member }) => ({
    title: `etcd has a member \`${member}\` that is no control plane of the inventory`,
    help: `npx tk talos:etcd-remove-member ${member}`,
  }),
  'doctor/alarm': ({ member, alarm }) => ({
    title: `etcd on \`${member}\` has raised ${alarm}`,
    help: 'npx tk talos:etcd-defrag, then npx tk talos:etcd-disarm',
  }),
  'doctor/kubeconfig': ({ because }) => ({ title: 'the kubeconfig is not right', because, help: 'npx tk talos:kubeconfig' }),
  'doctor/kubernetes-unreachable': ({ server }) => ({ title: `no API server answers at ${server}`, help: 'npx tk talos:health' }),
  'doctor/flux-not-ready': ({ kind, namespace, name, reason, message }) => ({
    title: `${kind} \`${namespace}/${name}\` is not ready${reason === '' ? '' : ` (${reason})`}`,
    because: message === '' ? 'its controller has not said anything yet' : message,
    help: `kubectl -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
  }),
  'doctor/flux-suspended': ({ kind, namespace, name }) => ({
    title: `${kind} \`${namespace}/${name}\` is suspended: Flux leaves it as it is, whatever the repository says`,
  }),
  'doctor/flux-behind': ({ kind, namespace, name, applied, offered }) => ({
    title: `${kind} \`${namespace}/${name}\` has applied ${applied}, its source is at ${offered}`,
    help: `npx tk flux:reconcile ${name} NAMESPACE=${namespace}`,
  }),
  'doctor/flux-other-commit': ({ kind, namespace, name, branch, theirs, ours }) => ({
    title: `${kind} \`${namespace}/${name}\` follows ${branch} at ${theirs}, here it is at ${ours}`,
    because: 'commits were not pushed, or not pulled, or Flux has not fetched them yet',
    help: 'git pull --rebase && git push, then npx tk flux:reconcile',
  }),
  'doctor/version': ({ node, what, running, wanted, isAhead }) => ({
    title: `\`${node}\` runs ${what} ${short(running)}, the inventory says ${short(wanted)}`,
    help:
      what === 'Kubernetes'
        ? `npx tk talos:upgrade-k8s${isAhead === true ? ` TO=${running}` : ''}`
        : isAhead === true
          ? `npx tk talos:upgrade TO=${running}: the others and the repository follow`
          : `npx tk talos:upgrade-node NODE=${node}`,
  }),
  'doctor/config': ({ node, changed }) => ({
    title: `\`${node}\` runs another config than the repository has`,
    because: changed.length <= 6 ? changed.join(', ') : `${changed.slice(0, 5).join(', ')} and ${changed.length - 5} more parts`,
    help: `npx tk talos:diff --live NODE=${node}, then npx tk talos:apply-node NODE=${node}`,
  }),
  'doctor/cordon': ({ node, run }) => ({
    title: `\`${node}\` is cordoned`,
    because: run === undefined ? 'somebody else did it' : `run ${run} did it`,
    help: `npx tk talos:uncordon NODE=${node}${run === undefined ? ' --foreign' : ''}`,
  }),
  'doctor/node-missing': ({ node }) => ({
    title: `Kubernetes knows no node \`${node}\``,
    help: `npx tk talos:logs NODE=${node} SERVICE=kubelet`,
  }),
  'doctor/node-not-ready': ({ node }) => ({
    title: `Kubernetes says that \`${node}\` is not Ready`,
    help: `npx tk talos:services NODE=${node}`,
  }),
  'doctor/unfinished-run': ({ run, goals, ageMs }) => ({
    title: `a run of ${goals.join(', ')} was cut off ${formatDuration(ageMs)} ago`,
    help: `npx tk resume ${run}`,
  }),
  'doctor/open-intent': ({ key, run, ageMs }) => ({
    title: `${key} was begun ${formatDuration(ageMs)} ago and never seen to end`,
    help: `npx tk resume ${run}`,
  }),
};

/** A few of many. */
const some = (paths: readonly string[]): string =>
  paths.length <= 3 ? allOf(paths.map((path) => `\`${path}\``)) : `\`${paths[0]}\` and ${paths.length - 1} more files`;

/** Of a schematic's id its beginning says enough. */
const short = (version: string): string => (/^[0-9a-f]{64}$/.test(version) ? version.slice(0, 12) : version);
