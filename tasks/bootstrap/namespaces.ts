import { defineTask } from 'talos-tk';
import kubeconfig from './kubeconfig.ts';

export default defineTask({
  summary: 'Make a namespace for each directory of kubernetes/apps',
  effect: 'mutate',
  needs: { kubeconfig: kubeconfig() },
  async probe({ cluster, signal }) {
    const names = await cluster.kubernetes.namespaces();
    if (!(await cluster.kubernetes.isReachable(signal))) return { names, present: [] };
    const kube = await cluster.kubernetes.reader();
    const { items } = await kube.list({ apiVersion: 'v1', kind: 'Namespace' }, {}, signal);
    return { names, present: items.map((item) => item.metadata.name) };
  },
  plan: (_context, facts) =>
    facts === undefined
      ? [{ decision: 'unknown', title: 'namespaces', reason: 'the repository and the cluster were not asked' }]
      : facts.names.map((name) =>
          facts.present.includes(name)
            ? { decision: 'skip', title: name, reason: 'exists' }
            : { decision: 'run', title: name, calls: [{ target: name, call: 'apply Namespace' }] },
        ),
  async run({ cluster, step, wait, detail, skip, each }) {
    const names = await cluster.kubernetes.namespaces();
    if (names.length === 0) {
      skip('the repository has no kubernetes/apps');
      return { made: [] };
    }
    await wait(cluster.kubernetes.nodesRegistered());
    const kube = await cluster.kubernetes.reader();
    const results = await each(names, (name) =>
      step.probeAct(name, {
        probe: async (handle) =>
          (await kube.get({ apiVersion: 'v1', kind: 'Namespace', name }, handle.signal)) === undefined
            ? { state: 'not-done' }
            : { state: 'done', seen: 'exists', value: undefined },
        act: (handle) => cluster.kubernetes.applyNamespace(name, handle.signal),
      }),
    );
    const made = names.filter((_name, index) => results[index]?.state === 'acted');
    if (made.length === 0) skip(`${names.length} namespaces exist`);
    else detail(`${made.length} namespaces`);
    return { made };
  },
});
