import { expect, test } from 'vitest';
import { type NodeName, TkError } from '../../../../lib/base/index.ts';
import type { NodeModel } from '../../../../lib/config/index.ts';
import type { KubernetesFacts, KubernetesPart, NodeKubernetes } from '../../../../lib/cluster/kubernetes-upgrade/kubernetes-upgrade.ts';
import { hopsOf, planKubernetes } from '../../../../lib/cluster/kubernetes-upgrade/plan.ts';
import { machineProblems } from '../../../../lib/cluster/kubernetes-upgrade/problems.ts';
import { talosFailure } from '../../../../lib/talos/index.ts';
import { failureCodes, told } from './failure-codes.ts';

const modelOf = (name: string, role: NodeModel['role']): NodeModel => ({
  name: name as NodeName,
  address: '192.168.42.10',
  addresses: ['192.168.42.10'],
  role,
  disk: { by: 'nothing' },
  macAddresses: [],
  talosVersion: 'v1.13.9',
  secureBoot: false,
  declaredAt: { file: { path: 'talconfig.yaml', text: '' }, start: 0, end: 0 },
});

type Parts = Partial<Record<KubernetesPart, string | readonly [version: string, ...flags: string[]]>>;

const node = (name: string, talosVersion: string, parts: Parts, kubeletFeatureGates: readonly string[] = []): NodeKubernetes => ({
  node: modelOf(name, name.startsWith('cp') ? 'controlplane' : 'worker'),
  talosVersion,
  parts: Object.fromEntries(
    Object.entries(parts).map(([part, given]) => {
      const [version, ...flags] = typeof given === 'string' ? [given] : given;
      return [part, { image: `example.org/${part}:${version}`, version, flags }];
    }),
  ),
  kubeletFeatureGates,
});
const all = (version: string): Parts => ({
  'kube-apiserver': version,
  'kube-controller-manager': version,
  'kube-scheduler': version,
  kubelet: version,
});
const cluster = (lowest: string, ...nodes: readonly NodeKubernetes[]): KubernetesFacts => ({
  lowest,
  nodes: nodes.map((facts) => ({ state: 'answered', facts })),
});
const problems = (facts: KubernetesFacts, to: string) => machineProblems(facts, to).map(told);

test('flags, gates and plugins that are gone are found on every machine, wherever they are given', () => {
  const facts = cluster(
    'v1.24.6',
    node('cp-1', 'v1.4.8', {
      'kube-apiserver': [
        'v1.24.6',
        '--enable-admission-plugins=NodeRestriction,PodSecurityPolicy',
        '--service-account-api-audiences=a',
        '--feature-gates=A=true,SelectorIndex=true',
      ],
      // Upstream's client looks at the first of them alone.
      'kube-controller-manager': ['v1.24.6', '--feature-gates=A=true', '--feature-gates=PodDisruptionBudget=true', '--deleting-pods-qps=1'],
      'kube-scheduler': ['v1.24.6', '--service-account-api-audiences-of-mine=a'],
      'kube-proxy': 'v1.24.6',
      kubelet: 'v1.24.6',
    }),
    node('worker-1', 'v1.4.8', { kubelet: 'v1.24.6' }, ['ConfigurableFSGroupPolicy']),
  );
  expect(problems(facts, 'v1.25.3')).toEqual([
    { code: 'upgrade-k8s/flag-removed', node: 'cp-1', part: 'kube-apiserver', flag: 'service-account-api-audiences', minor: '1.25' },
    { code: 'upgrade-k8s/feature-gate-removed', node: 'cp-1', part: 'kube-apiserver', gate: 'SelectorIndex', minor: '1.25' },
    { code: 'upgrade-k8s/admission-plugin-removed', node: 'cp-1', plugin: 'PodSecurityPolicy', minor: '1.25' },
    { code: 'upgrade-k8s/flag-removed', node: 'cp-1', part: 'kube-controller-manager', flag: 'deleting-pods-qps', minor: '1.25' },
    { code: 'upgrade-k8s/feature-gate-removed', node: 'cp-1', part: 'kube-controller-manager', gate: 'PodDisruptionBudget', minor: '1.25' },
    { code: 'upgrade-k8s/feature-gate-removed', node: 'worker-1', part: 'kubelet', gate: 'ConfigurableFSGroupPolicy', minor: '1.25' },
  ]);
  // Within a minor nothing is gone.
  expect(problems(facts, 'v1.24.17').filter(({ code }: { code?: string }) => code?.includes('removed'))).toEqual([]);
});

test('every machine counts: an old Talos somewhere, an API server that is ahead, a kubelet that is newer', () => {
  const ahead = cluster(
    'v1.35.4',
    node('cp-1', 'v1.13.9', { ...all('v1.35.4'), 'kube-apiserver': 'v1.37.0' }),
    node('worker-1', 'v1.12.11', { kubelet: 'v1.37.0' }),
  );
  expect(problems(ahead, 'v1.36.3')).toEqual([
    { code: 'upgrade-k8s/path', from: 'v1.37.0', to: 'v1.36.3' },
    { code: 'upgrade-k8s/talos', node: 'worker-1', talos: 'v1.12.11', to: 'v1.36.3', lowest: '1.30', highest: '1.35' },
    { code: 'upgrade-k8s/kubelet-newer', node: 'worker-1', kubelet: 'v1.37.0', to: 'v1.36.3' },
  ]);
  expect(problems(cluster('v1.35.4', node('cp-1', 'v1.99.0', all('v1.35.4'))), 'v1.36.3')).toEqual([
    { code: 'upgrade-k8s/talos', node: 'cp-1', talos: 'v1.99.0', to: 'v1.36.3' },
  ]);
});

test('a machine that cannot be asked is the only problem that can be told, and nothing is planned without it', () => {
  const failure = talosFailure('talos/unreachable', { node: 'worker-1', address: '192.168.42.20', reason: 'no route' } as never);
  const facts: KubernetesFacts = {
    lowest: 'v1.35.4',
    nodes: [
      { state: 'answered', facts: node('cp-1', 'v1.13.9', all('v1.35.4')) },
      { state: 'silent', node: modelOf('worker-1', 'worker'), failure },
    ],
  };
  const silent = [{ code: 'upgrade-k8s/node-silent', nodes: ['worker-1'] }];
  expect(problems(facts, 'v1.40.0')).toEqual(silent);
  expect(failureCodes(() => planKubernetes(facts, 'v1.36.3'))).toEqual(silent);
  expect(failureCodes(() => hopsOf(facts, { kubernetes: 'v1.36.3' }))).toEqual(silent);
});

test('the plan changes what differs, part by part, control planes first, and waits for the rest', () => {
  const facts = cluster(
    'v1.35.4',
    node('worker-1', 'v1.13.9', { kubelet: 'v1.35.4' }),
    node('cp-1', 'v1.13.9', { ...all('v1.36.3'), 'kube-scheduler': 'v1.35.4' }),
  );
  const { pulls, staticPods, proxies, kubelets, wanted, manifests } = planKubernetes(facts, '1.36.3');
  const shown = (changes: typeof wanted) => changes.map(({ node: { name }, part, from, to }) => `${part} ${name} ${from} ${to}`);
  expect({
    pulls: pulls.map(({ node: { name }, image, namespace }) => `${name} ${image} ${namespace}`),
    staticPods: shown(staticPods),
    proxies,
    kubelets: shown(kubelets),
    wanted: wanted.map(({ node: { name }, part }) => `${part} ${name}`),
    manifests,
  }).toEqual({
    pulls: ['cp-1 example.org/kube-scheduler:v1.36.3 cri', 'worker-1 example.org/kubelet:v1.36.3 system'],
    staticPods: ['kube-scheduler cp-1 example.org/kube-scheduler:v1.35.4 example.org/kube-scheduler:v1.36.3'],
    proxies: [],
    kubelets: ['kubelet worker-1 example.org/kubelet:v1.35.4 example.org/kubelet:v1.36.3'],
    wanted: ['kube-apiserver cp-1', 'kube-controller-manager cp-1', 'kube-scheduler cp-1', 'kubelet cp-1', 'kubelet worker-1'],
    manifests: 'server-side-apply',
  });
});

test('hops begin at the lowest machine, name who they are for, and finish a kubelet that was left behind', () => {
  const facts = cluster(
    'v1.36.3',
    node('cp-1', 'v1.13.9', all('v1.36.3')),
    node('worker-1', 'v1.13.8', { kubelet: 'v1.35.4' }),
    node('worker-2', 'v1.14.1', { kubelet: 'v1.36.3' }),
  );
  const shown = hopsOf(facts, { talos: 'v1.14.1' }).map(({ what, from, to, reason, nodes }) =>
    [what, from, to, reason.kind, ...(nodes ?? [])].join(' '),
  );
  expect(shown).toEqual([
    'talos v1.13.8 v1.13.9 newest-patch worker-1',
    'talos v1.13.9 v1.14.1 target cp-1 worker-1',
    'kubernetes v1.35.4 v1.36.3 unfinished worker-1',
  ]);
  expect(() => hopsOf(facts, { talos: 'v1.13.9' })).toThrow(TkError);
});
