import {
  bootedWith,
  defineTask,
  disruptionOptions,
  disruptionParams,
  nodeParams,
  notDone,
  takeAway,
  takeAwayFacts,
  takeAwayPlan,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Boot a node into the Talos that was installed before',
  description:
    'The other boot slot becomes the one that is booted. Gates, cordon and drain as for a reboot; the machine is back when it runs another version or schematic than before.',
  params: z.object({ ...nodeParams, ...disruptionParams }),
  examples: ['talos:rollback NODE=worker-1'],
  effect: 'mutate',
  locks: ['machines'],
  probe: async ({ params, cluster, signal }) => {
    const node = cluster.find(params);
    const asked = await takeAwayFacts(
      cluster,
      [node],
      { kind: 'rollback', etcd: 'away', ...disruptionOptions(params, cluster.gates) },
      signal,
    );
    return { asked, running: (await cluster.lifecycle.facts(node, signal)).talosVersion };
  },
  plan: ({ params, cluster }, facts) =>
    takeAwayPlan(facts?.asked, [cluster.find(params)], {
      title: 'rollback',
      call: 'machine.MachineService/Rollback',
      drain: disruptionOptions(params, cluster.gates).drain,
      also: facts === undefined ? [] : [`runs ${facts.running} now`],
    }),
  async run(context) {
    const { params, cluster, step, recall, detail, log, signal } = context;
    const node = cluster.find(params);
    const before = await cluster.lifecycle.facts(node, signal);
    const runs = ({ talosVersion, schematicId = '' }: typeof before) => `${talosVersion} ${schematicId}`.trim();
    const inBoot = (bootId: string) => `what ${node.name} runs in boot ${bootId}`;
    // A machine that is found in another boot was rolled back only if that is another Talos.
    await step.once('note what runs', {
      key: inBoot(before.bootId),
      target: runs(before),
      node: node.name,
      probe: () => notDone(),
      act: (handle) => handle.detail(`Talos ${before.talosVersion}`),
    });
    const [taken] = await takeAway(context, [node], {
      kind: 'rollback',
      title: 'rollback',
      etcd: 'away',
      ...disruptionOptions(params, cluster.gates),
      act: (target, handle) => cluster.lifecycle.rollback(target, handle.signal),
      comesBack: (target, bootId) => cluster.lifecycle.back(target, { afterBoot: bootId }),
      async happened(target, bootId, inner, intent) {
        const noted = (await recall(inBoot(bootId))).last?.target;
        const has = async (limited: AbortSignal) => runs(await cluster.lifecycle.facts(target, limited)) !== noted;
        return bootedWith(cluster, { node: target, bootId, what: 'another Talos', has }, inner, intent);
      },
    });
    const now = taken?.facts;
    const isSame = now !== undefined && now.talosVersion === before.talosVersion && now.schematicId === before.schematicId;
    if (isSame && taken?.state === 'acted') log.warn(`${node.name} runs ${now.talosVersion} as before: the other slot holds the same`);
    detail(`${node.name} runs Talos ${now?.talosVersion ?? 'unknown'}`);
    return { node: node.name, from: before.talosVersion, to: now?.talosVersion ?? null };
  },
});
