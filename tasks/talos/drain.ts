import { defineTask, disruptionOptions, disruptionParams, nodeParams, z } from 'talos-tk';

export default defineTask({
  summary: 'Move the pods of a node away, and let no new ones come',
  description:
    'The node stays cordoned when it is done: npx tk talos:uncordon. A budget that holds a pod back is told within ten seconds; when the time is up our cordon is taken back.',
  params: z.object({ ...nodeParams, drain: disruptionParams.drain, drainTimeout: disruptionParams.drainTimeout }),
  examples: ['talos:drain NODE=worker-1'],
  effect: 'mutate',
  probe: ({ params, cluster, signal }) => cluster.lifecycle.drainPreview(cluster.find(params), signal),
  plan({ params, cluster }, preview) {
    const node = cluster.find(params).name;
    if (preview === undefined) return [{ decision: 'unknown', title: 'drain', node, reason: 'Kubernetes was not asked' }];
    const pods = [...preview.evict, ...preview.unmanaged, ...preview.emptyDir];
    const names = new Set(pods.map((pod) => `${pod.namespace}/${pod.name}`));
    return [
      { decision: 'run', title: 'cordon', node, calls: [{ target: node, call: 'patch Node' }] },
      names.size === 0
        ? { decision: 'skip', title: 'drain', node, reason: 'no pod to move' }
        : {
            decision: 'run',
            title: 'drain',
            node,
            reason: `${names.size} pods`,
            calls: [...names].map((target) => ({ target, call: 'evict' })),
          },
    ];
  },
  async run({ params, cluster, step, runId, afterwards, detail, stopping }) {
    const node = cluster.find(params);
    const { drain } = disruptionOptions({ ...params, override: [], acceptDowntime: false }, cluster.gates);
    const cordon = await step('cordon', (handle) => cluster.lifecycle.cordon(node, runId, handle.signal), { node: node.name });
    try {
      const outcome = await step(
        'drain',
        (handle) =>
          cluster.lifecycle.drain(
            node,
            drain,
            ({ left, blocked }) => {
              handle.detail(
                [`${left} left`, ...blocked.map((pod) => `${pod.namespace}/${pod.name} is held back by ${pod.budget ?? 'a budget'}`)].join(
                  ', ',
                ),
              );
            },
            AbortSignal.any([handle.signal, stopping]),
          ),
        { node: node.name },
      );
      detail(`${outcome.evicted + outcome.deleted.length} pods moved`);
      return { node: node.name, evicted: outcome.evicted, deleted: outcome.deleted };
    } catch (error) {
      if (cordon.state === 'ours') afterwards(`uncordon ${node.name}`, (handle) => cluster.lifecycle.uncordon(node, handle.signal));
      throw error;
    }
  },
});
