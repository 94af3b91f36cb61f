import { defineTask, kubernetesHeadline, planKubernetesSteps, throwIfAny, upgradeKubernetes, versionParam, versionTag, z } from 'talos-tk';

export default defineTask({
  summary: 'Upgrade Kubernetes',
  description:
    'Part by part and machine by machine, as talosctl does it: API servers, controller managers, schedulers, kube-proxy, kubelets, ' +
    'then the manifests. What runs the version already is left alone, so running it again does what is left. The version in ' +
    'cluster.yaml, talconfig.yaml or talenv.yaml follows.',
  params: z.object({
    to: versionParam('v1.37.0').optional().describe("the version; default: the repository's"),
    prePull: z.boolean().default(true).describe('pull every image everywhere before the first change'),
    pins: z.boolean().default(true).describe("let the repository's version follow"),
    override: z.array(z.string()).default([]).describe('GATE=REASON: go past a gate; the reason stays in the journal'),
  }),
  positional: ['to'],
  effect: 'mutate',
  locks: ['kubernetes'],
  async probe({ params, cluster, mode, signal }) {
    const to = versionTag(params.to ?? cluster.model.kubernetesVersion);
    const facts = await cluster.kubernetesUpgrade.facts(signal);
    throwIfAny(await cluster.kubernetesUpgrade.problems(facts, to, signal));
    const plan = cluster.kubernetesUpgrade.plan(facts, to);
    const pins = params.pins ? await cluster.pins.plan({ kubernetes: to }) : undefined;
    const found = { plan, ...(pins === undefined ? {} : { pins }) };
    if (mode !== 'dry-run') return found;
    const rehearsed = await cluster.kubernetesUpgrade.rehearse(plan, signal);
    return { ...found, rehearsed, manifests: await cluster.kubernetesUpgrade.manifestChanges(plan, signal) };
  },
  plan({ params, cluster }, found) {
    const to = versionTag(params.to ?? cluster.model.kubernetesVersion);
    if (found === undefined) return [{ decision: 'unknown', title: `Kubernetes ${to}`, reason: 'no machine was asked' }];
    return { headline: kubernetesHeadline(found.plan), steps: planKubernetesSteps({ ...found, pulls: params.prePull }) };
  },
  async run(context) {
    const { params, cluster, runId, afterwards, signal, detail, skip } = context;
    const overrides = cluster.gates.overridesFrom(params.override);
    const upgraded = await upgradeKubernetes(context, {
      to: versionTag(params.to ?? cluster.model.kubernetesVersion),
      pulls: params.prePull,
      pins: params.pins,
      overrides,
      async lease() {
        const lease = await cluster.lifecycle.lease(runId, signal);
        afterwards('give the lease back', (handle) => lease.release(handle.signal));
        return lease;
      },
    });
    const { from, to, changed, manifests, pins } = upgraded;
    if (changed.length === 0 && manifests.changes.length === 0 && pins.length === 0) skip(`every part runs ${to}`);
    else detail(changed.length === 0 ? to : `${from} → ${to}, ${changed.length} parts`);
    return upgraded;
  },
});
