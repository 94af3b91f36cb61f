import { type Failure, type Files, throwIfAborted, TkError } from '../../base/index.ts';
import type { ClusterModel, NodeModel } from '../../config/index.ts';
import { loadRuns, openIntents } from '../../core/index.ts';
import { parseCertificate } from '../../pki/index.ts';
import type { ClusterView, NodeState } from '../cluster.ts';
import type { Connections } from '../connections.ts';
import { isIgnored } from '../git-ignore.ts';
import type { KubeAccess } from '../kube-access.ts';
import type { NodeFacts } from '../lifecycle/lifecycle.ts';
import { memberIdText } from './etcd.ts';
import { operationFailure } from './failures.ts';

export const doctorAreas = ['inputs', 'keys', 'reachability', 'clocks', 'certificates', 'etcd', 'kubernetes', 'drift', 'runs'] as const;
export type DoctorArea = (typeof doctorAreas)[number];

/** One thing that is not as it should be, and the command that mends it. */
export interface Finding {
  readonly area: DoctorArea;
  /** `error`: something does not work now. `warning`: it works still. */
  readonly level: 'error' | 'warning';
  readonly node?: string;
  readonly failure: Failure;
  readonly mend: string;
}

export interface DoctorParts {
  readonly cluster: Pick<
    ClusterView,
    'model' | 'configuration' | 'machineConfigs' | 'machines' | 'kubernetes' | 'kubeconfig' | 'lifecycle' | 'gates' | 'controlPlanes'
  >;
  readonly connections: Connections;
  readonly access: KubeAccess;
  readonly files: Files;
  readonly now: () => number;
  /** Where the journals lie. */
  readonly stateDirectory: string;
  readonly identity: string;
  /** PEM of each authority of the cluster, by its name; empty when no bundle of secrets is at hand. */
  readonly authorities: () => Promise<ReadonlyMap<string, string>>;
  /** PEM of the client certificate in the talosconfig. */
  readonly talosCertificate: () => Promise<string | undefined>;
}

export interface Doctor {
  /** Looks at one part. Never fails for what it finds. Shape: errors first. */
  examine(area: DoctorArea, nodes: readonly NodeModel[], signal: AbortSignal): Promise<readonly Finding[]>;
}

const dayMs = 86_400_000;
/** A certificate that ends within this time is told. */
const soonMs = 30 * dayMs;
/** More than this, and certificates that are made now are not valid there yet. */
const clockToleranceMs = 60_000;

type Note = (level: Finding['level'], failure: Failure, mend: string, node?: string) => void;

/** What is wrong with a repository and its cluster. Reads only. */
export function createDoctor(parts: DoctorParts): Doctor {
  const examinations: Readonly<Record<DoctorArea, (nodes: readonly NodeModel[], note: Note, signal: AbortSignal) => Promise<void>>> = {
    inputs: (_nodes, note, signal) => examineInputs(parts, note, signal),
    keys: (_nodes, note) => examineKeys(parts, note),
    reachability: (nodes, note, signal) => examineReachability(parts, nodes, note, signal),
    clocks: (nodes, note, signal) => examineClocks(parts, nodes, note, signal),
    certificates: (nodes, note, signal) => examineCertificates(parts, nodes, note, signal),
    etcd: (_nodes, note, signal) => examineEtcd(parts, note, signal),
    kubernetes: (_nodes, note, signal) => examineKubernetes(parts, note, signal),
    drift: (nodes, note, signal) => examineDrift(parts, nodes, note, signal),
    runs: (_nodes, note) => examineRuns(parts, note),
  };
  return {
    async examine(area, nodes, signal) {
      const findings: Finding[] = [];
      const note: Note = (level, failure, mend, node) =>
        void findings.push({ area, level, failure, mend, ...(node === undefined ? {} : { node }) });
      try {
        await examinations[area](nodes, note, signal);
      } catch (error) {
        throwIfAborted(signal, `looking at ${area}`);
        if (!(error instanceof TkError)) throw error;
        for (const failure of error.failures) note('error', failure, mends[failure.code] ?? mendsOfArea[area]);
      }
      return findings.toSorted((a, b) => Number(a.level === 'warning') - Number(b.level === 'warning'));
    },
  };
}

/** What mends a failure that another part told. */
const mends: Readonly<Record<string, string>> = {
  'cluster/no-credentials': 'npx tk talos:generate-config',
  'cluster/no-kubeconfig': 'npx tk talos:kubeconfig',
  'cluster/kubeconfig-foreign': 'npx tk talos:kubeconfig',
  'cluster/secrets-lost': 'npx tk talos:gensecret --from-controlplane-config FILE',
  'cluster/plaintext-secret': 'npx tk sops encrypt FILE',
  'host/dial': 'npx tk talos:services',
};
const mendsOfArea: Readonly<Record<DoctorArea, string>> = {
  inputs: 'npx tk configure',
  keys: 'npx tk configure',
  reachability: 'npx tk talos:health',
  clocks: 'npx tk talos:logs SERVICE=timed',
  certificates: 'npx tk talos:talosconfig --rotate',
  etcd: 'npx tk talos:etcd-status',
  kubernetes: 'npx tk talos:health',
  drift: 'npx tk talos:diff --live',
  runs: 'npx tk resume',
};

async function examineInputs({ cluster }: DoctorParts, note: Note, signal: AbortSignal): Promise<void> {
  const plan = await cluster.configuration.plan(signal);
  if (plan.changes.length > 0)
    note('warning', operationFailure('doctor/not-rendered', { paths: plan.changes.map(({ path }) => path) }), 'npx tk configure');
  for (const warning of plan.warnings) note('warning', warning, 'npx tk configure');
  const { files, warnings, newSecrets } = await cluster.machineConfigs.generate(signal);
  for (const warning of warnings) note('warning', warning, 'npx tk talos:generate-config');
  const stale = [...files.filter((file) => !file.isEqual), ...(newSecrets ? [newSecrets] : [])].map(({ path }) => path);
  if (stale.length > 0) note('warning', operationFailure('doctor/not-generated', { paths: stale }), 'npx tk talos:generate-config');
}

async function examineKeys({ cluster, files }: DoctorParts, note: Note): Promise<void> {
  const { paths } = cluster.model;
  for (const path of [paths.talosconfig, paths.kubeconfig]) {
    const stat = await files.stat(path);
    if (stat === undefined) continue;
    const shown = path.slice(paths.root.length + 1);
    if ((stat.mode & 0o077) !== 0)
      note('warning', operationFailure('doctor/wide-file', { path: shown, mode: stat.mode.toString(8) }), `chmod 600 ${shown}`);
    if (!(await isIgnored(files, paths.root, shown)))
      note('warning', operationFailure('doctor/not-ignored', { path: shown }), `echo /${shown} >> .gitignore`);
  }
  // Decrypts what Flux needs with the very keys that are at hand.
  await cluster.kubernetes.bootstrapSecrets();
}

async function examineReachability({ cluster }: DoctorParts, nodes: readonly NodeModel[], note: Note, signal: AbortSignal): Promise<void> {
  const states = await Promise.all(nodes.map(async (node) => [node, await cluster.machines.state(node, signal)] as const));
  for (const [node, seen] of states) noteState(node, seen, note);
}

function noteState({ name, address }: NodeModel, seen: NodeState, note: Note): void {
  switch (seen.state) {
    case 'unreachable':
      note(
        'error',
        operationFailure('doctor/unreachable', { node: name, address, reason: seen.reason }),
        `npx tk talos:dmesg NODE=${name}`,
        name,
      );
      return;
    case 'foreign':
      note('error', operationFailure('doctor/foreign', { node: name, address }), `npx tk talos:reset NODE=${name}`, name);
      return;
    case 'maintenance':
      note('error', operationFailure('doctor/maintenance', { node: name }), `npx tk talos:apply-node NODE=${name}`, name);
      return;
    case 'configured':
      if (seen.stage === 'running' && seen.isReady) return;
      note(
        'error',
        operationFailure('doctor/not-ready', {
          node: name,
          stage: seen.stage,
          unmet: seen.unmet.map((condition) => `${condition.name}: ${condition.reason}`),
        }),
        `npx tk talos:services NODE=${name}`,
        name,
      );
      return;
    default:
      seen satisfies never;
  }
}

/** Every machine off by as much: then it is this computer's clock. */
async function examineClocks({ cluster, now }: DoctorParts, nodes: readonly NodeModel[], note: Note, signal: AbortSignal): Promise<void> {
  const offsets: { readonly node: string; readonly offsetMs: number }[] = [];
  for (const node of nodes) {
    const { name } = node;
    try {
      await cluster.machines.read(node, async (machine) => {
        const before = now();
        const theirs = await machine.time(signal);
        offsets.push({ node: name, offsetMs: Math.round(theirs - (before + now()) / 2) });
        if (!(await machine.isTimeSynced(signal)))
          note('error', operationFailure('doctor/time-not-synced', { node: name }), `npx tk talos:logs NODE=${name} SERVICE=timed`, name);
      });
    } catch (error) {
      // That it does not answer is told once, elsewhere.
      if (!(error instanceof TkError)) throw error;
    }
  }
  const wrong = offsets.filter(({ offsetMs }) => Math.abs(offsetMs) > clockToleranceMs);
  const [first] = wrong;
  const isOurs =
    wrong.length > 1 &&
    wrong.length === offsets.length &&
    wrong.every(({ offsetMs }) => Math.abs(offsetMs - (first?.offsetMs ?? 0)) < clockToleranceMs);
  if (isOurs && first) {
    note(
      'error',
      operationFailure('doctor/own-clock', { offsetMs: -first.offsetMs, nodes: offsets.length }),
      'sudo timedatectl set-ntp true',
    );
    return;
  }
  for (const { node, offsetMs } of wrong)
    note('error', operationFailure('doctor/clock', { node, offsetMs }), `npx tk talos:logs NODE=${node} SERVICE=timed`, node);
}

async function examineCertificates(parts: DoctorParts, nodes: readonly NodeModel[], note: Note, signal: AbortSignal): Promise<void> {
  const { connections, access } = parts;
  const judge = (what: string, pem: string, mend: string, node?: string) => {
    const { notBeforeMs, notAfterMs } = parseCertificate(pem);
    const now = parts.now();
    const daysLeft = Math.floor((notAfterMs - now) / dayMs);
    const state = now > notAfterMs ? 'expired' : now < notBeforeMs - clockToleranceMs ? 'not-yet-valid' : 'ends-soon';
    // Those that machines renew by themselves live for a day.
    const isShort = notAfterMs - notBeforeMs < 2 * dayMs;
    if (state === 'ends-soon' && (isShort || notAfterMs - now > soonMs)) return;
    note(
      state === 'ends-soon' ? 'warning' : 'error',
      operationFailure('doctor/certificate', { what, state, daysLeft, ...(node === undefined ? {} : { node }) }),
      mend,
      node,
    );
  };
  const talos = await parts.talosCertificate();
  if (talos === undefined)
    note('warning', operationFailure('doctor/no-talosconfig', { path: shownPath(parts, 'talosconfig') }), 'npx tk talos:generate-config');
  else judge('talosconfig', talos, 'npx tk talos:talosconfig --rotate');
  for (const [name, pem] of await parts.authorities()) judge(`authority of ${name}`, pem, 'talosctl rotate-ca');
  try {
    const { certificatePem } = await access.kubeconfig();
    if (certificatePem !== undefined) judge('kubeconfig', certificatePem, 'npx tk talos:kubeconfig');
  } catch (error) {
    // That there is none, or another cluster's, is told where Kubernetes is looked at.
    if (!(error instanceof TkError)) throw error;
  }
  await Promise.all(
    nodes.map(async (node) => {
      try {
        const { certificatePem } = await connections.read(node, (machine) => machine.peer(signal));
        judge('its API', certificatePem, `npx tk talos:reboot NODE=${node.name}`, node.name);
      } catch (error) {
        if (!(error instanceof TkError)) throw error;
      }
    }),
  );
}

const shownPath = ({ cluster: { model } }: DoctorParts, which: 'talosconfig' | 'kubeconfig'): string =>
  model.paths[which].slice(model.paths.root.length + 1);

async function examineEtcd({ cluster }: DoctorParts, note: Note, signal: AbortSignal): Promise<void> {
  const { views } = await cluster.lifecycle.etcd(signal);
  const answered = views.flatMap((view) => (view.state === 'answered' ? [view] : []));
  for (const view of views) {
    const { name } = view.node;
    const mend = `npx tk talos:logs NODE=${name} SERVICE=etcd`;
    const say = (problem: string) => note('error', operationFailure('doctor/etcd', { node: name, problem }), mend, name);
    if (view.state === 'silent') say(`no answer (${view.because})`);
    else if (!view.isHealthy) say('it is not healthy');
    else if (view.leader === 0n) say('it sees no leader');
    else if (view.members.some((member) => member.id === view.memberId && member.isLearner)) say('it is a learner');
    for (const error of view.state === 'answered' ? view.errors.filter((one) => !/alarm/i.test(one)) : []) say(error);
  }
  const members = new Map(answered.flatMap((view) => view.members.map((member) => [member.id, member] as const)));
  for (const member of members.values()) {
    if (cluster.controlPlanes.some((node) => node.name === member.hostname)) continue;
    const name = member.hostname || memberIdText(member.id);
    note('error', operationFailure('doctor/etcd-stranger', { member: name }), `npx tk talos:etcd-remove-member ${name}`);
  }
  const memberLists = new Set(
    answered.map((view) =>
      view.members
        .map(({ id, isLearner }) => `${id} ${isLearner}`)
        .sort()
        .join(),
    ),
  );
  if (memberLists.size > 1)
    note(
      'error',
      operationFailure('doctor/etcd-views', { nodes: answered.map((view) => String(view.node.name)) }),
      'npx tk talos:etcd-members',
    );
  const alarms = new Map(answered.flatMap((view) => view.alarms.map((one) => [`${one.memberId} ${one.alarm}`, one] as const)));
  for (const { memberId, alarm } of alarms.values()) {
    const node = answered.find((view) => view.memberId === memberId)?.node.name ?? memberIdText(memberId);
    note('error', operationFailure('doctor/alarm', { member: node, alarm }), 'npx tk talos:etcd-defrag && npx tk talos:etcd-disarm', node);
  }
}

async function examineKubernetes({ cluster, access }: DoctorParts, note: Note, signal: AbortSignal): Promise<void> {
  const state = await cluster.kubeconfig.state();
  if (state.state !== 'right') {
    const because = state.state === 'missing' ? 'there is none' : state.because;
    note(state.state === 'missing' ? 'warning' : 'error', operationFailure('doctor/kubeconfig', { because }), 'npx tk talos:kubeconfig');
    if (state.state === 'missing') return;
  }
  const kube = await access.reader();
  try {
    await kube.ready(signal);
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    note(
      'error',
      operationFailure('doctor/kubernetes-unreachable', { server: kube.server }, { cause: error.failure }),
      'npx tk talos:health',
    );
  }
}

async function examineDrift({ cluster }: DoctorParts, nodes: readonly NodeModel[], note: Note, signal: AbortSignal): Promise<void> {
  const surveyed = await cluster.lifecycle.survey(nodes, signal);
  const hasKubernetes = surveyed.some((one) => one.state === 'answered' && one.facts.kube !== undefined);
  for (const one of surveyed) {
    if (one.state === 'silent') continue;
    noteVersions(one.facts, cluster.model, note);
    if (hasKubernetes && one.facts.kube === undefined)
      note(
        'error',
        operationFailure('doctor/node-missing', { node: one.node.name }),
        `npx tk talos:logs NODE=${one.node.name} SERVICE=kubelet`,
        one.node.name,
      );
    const comparison = await cluster.machines.compareConfig(one.node, signal);
    if (comparison.state === 'differs')
      note(
        'warning',
        operationFailure('doctor/config', { node: one.node.name, changed: comparison.changed }),
        `npx tk talos:apply-node NODE=${one.node.name}`,
        one.node.name,
      );
  }
}

function noteVersions({ node, talosVersion, schematicId, kube }: NodeFacts, model: ClusterModel, note: Note): void {
  const { name } = node;
  const upgrade = `npx tk talos:upgrade-node NODE=${name}`;
  if (talosVersion !== node.talosVersion)
    note(
      'warning',
      operationFailure('doctor/version', { node: name, what: 'Talos', running: talosVersion, wanted: node.talosVersion }),
      upgrade,
      name,
    );
  if (node.schematicId !== undefined && schematicId !== undefined && schematicId !== node.schematicId)
    note(
      'warning',
      operationFailure('doctor/version', { node: name, what: 'schematic', running: schematicId, wanted: node.schematicId }),
      upgrade,
      name,
    );
  if (kube === undefined) return;
  if (kube.kubeletVersion !== '' && kube.kubeletVersion !== model.kubernetesVersion)
    note(
      'warning',
      operationFailure('doctor/version', { node: name, what: 'Kubernetes', running: kube.kubeletVersion, wanted: model.kubernetesVersion }),
      'npx tk talos:upgrade-k8s',
      name,
    );
  if (kube.cordon.state !== 'none')
    note(
      'warning',
      operationFailure('doctor/cordon', { node: name, ...(kube.cordon.state === 'ours' ? { run: kube.cordon.run } : {}) }),
      kube.cordon.state === 'ours' ? `npx tk talos:uncordon NODE=${name}` : `npx tk talos:uncordon NODE=${name} --foreign`,
      name,
    );
  if (!kube.isReady) note('error', operationFailure('doctor/node-not-ready', { node: name }), `npx tk talos:services NODE=${name}`, name);
}

async function examineRuns({ files, stateDirectory, identity, now }: DoctorParts, note: Note): Promise<void> {
  const runs = await loadRuns(files, stateDirectory);
  const told = new Set<string>();
  // The newest run of a line of words: what it had left was done by a later one, or is still left.
  const seen = new Set<string>();
  for (const run of runs) {
    const words = run.argv.join(' ');
    const hasChanged = run.entries.some(({ record }) => record.type === 'step');
    if (!seen.has(words) && run.identity === identity && run.end === undefined && hasChanged) {
      told.add(run.id);
      const ageMs = now() - run.startedMs;
      note('warning', operationFailure('doctor/unfinished-run', { run: run.id, goals: run.goals, ageMs }), `npx tk resume ${run.id}`);
    }
    seen.add(words);
  }
  for (const [key, intent] of openIntents(runs, identity)) {
    if (told.has(intent.runId)) continue;
    note(
      'warning',
      operationFailure('doctor/open-intent', { key, run: intent.runId, ageMs: now() - intent.at }),
      `npx tk resume ${intent.runId}`,
    );
  }
}
