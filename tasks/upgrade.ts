import {
  defineTask,
  disruptionOptions,
  disruptionParams,
  hopsHeadline,
  surveyHops,
  upgradeCluster,
  versionParam,
  versionTag,
  z,
} from 'talos-tk';

const version = versionParam('v1.14.1');

export default defineTask({
  summary: 'Upgrade Talos and Kubernetes to a pair of versions, hop by hop',
  description: `The hops of upgrade:plan, each as talos:upgrade or talos:upgrade-k8s, and the health of the cluster after each. They are made anew
from what every machine says before each hop: the same line goes on where a run ended. What cannot be is refused before the first.`,
  params: z.object({
    toTalos: version.optional().describe("Talos version; default: the repository's"),
    toKubernetes: version.optional().describe("Kubernetes version; default: the repository's"),
    parallel: z.string().optional().describe('how many workers at once: 2 or 25%; default: tasks.config.ts, else 1'),
    canary: z.string().optional().describe('the worker that goes first and alone; default: tasks.config.ts, else the first that needs it'),
    rebootMode: z.enum(['default', 'powercycle']).default('default').describe('powercycle goes through the firmware instead of kexec'),
    prePull: z.boolean().default(true).describe('pull every image of Kubernetes before its first change'),
    pins: z.boolean().default(true).describe("let the repository's versions follow"),
    ...disruptionParams,
  }),
  effect: 'mutate',
  locks: ['machines', 'kubernetes'],
  async probe({ params, cluster, signal }) {
    const facts = await cluster.kubernetesUpgrade.facts(signal);
    const hops = cluster.kubernetesUpgrade.hops(facts, targetOf(params, cluster.model));
    const { drain } = disruptionOptions(params, cluster.gates);
    return { planned: await surveyHops(facts, hops, cluster.kubernetesUpgrade, { pulls: params.prePull, drain }, signal) };
  },
  plan({ params, cluster }, facts) {
    const { talos, kubernetes } = targetOf(params, cluster.model);
    const title = `Talos ${talos}, Kubernetes ${kubernetes}`;
    if (facts === undefined) return [{ decision: 'unknown', title, reason: 'no machine was asked' }];
    if (facts.planned.length === 0) return [{ decision: 'skip', title, reason: 'every machine runs them' }];
    return { headline: hopsHeadline(facts.planned), steps: facts.planned.flatMap(({ steps }) => steps) };
  },
  async run(context) {
    const { params, cluster, detail, skip } = context;
    const { parallel, canary, rebootMode, prePull: pulls, pins } = params;
    const upgraded = await upgradeCluster(context, {
      ...disruptionOptions(params, cluster.gates),
      to: targetOf(params, cluster.model),
      parallel,
      canary,
      rebootMode,
      isStaged: false,
      pulls,
      pins,
    });
    const { to, hops } = upgraded;
    if (hops.length === 0) skip('every machine is there');
    else detail(`Talos ${to.talos}, Kubernetes ${to.kubernetes} in ${hops.length} hops`);
    return upgraded;
  },
});

interface Given {
  readonly toTalos?: string | undefined;
  readonly toKubernetes?: string | undefined;
}

function targetOf({ toTalos, toKubernetes }: Given, model: { readonly talosVersion: string; readonly kubernetesVersion: string }) {
  return { talos: versionTag(toTalos ?? model.talosVersion), kubernetes: versionTag(toKubernetes ?? model.kubernetesVersion) };
}
