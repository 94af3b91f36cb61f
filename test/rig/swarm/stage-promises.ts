import type { EngineEvent } from '../../../lib/core/index.ts';
import type { MemoryFiles, SimulatedKube, TalosModel } from '../../../lib/sim/index.ts';
import { kubeconfigTrusts, parseKubeconfig } from '../../../lib/kube/index.ts';
import { Secret } from '../../../lib/base/index.ts';

interface Parts {
  readonly talos: TalosModel;
  readonly kube: () => SimulatedKube | undefined;
  readonly files: MemoryFiles;
  readonly root: string;
  readonly report: (what: string) => void;
}

/**
 * I-17, stage by stage: at the moment at which a stage says that it is done, or that there is nothing to do, what it promises is
 * true. A machine that is off proves nothing: it may have lost its power after it was looked at.
 */
export function stagePromises({ talos, kube, files, root, report }: Parts): { check(event: EngineEvent): void } {
  const controlPlanes = talos.machines.filter(({ spec }) => spec.role === 'controlplane');
  const broken: Readonly<Record<string, () => readonly string[]>> = {
    'bootstrap:talos': () =>
      controlPlanes
        .filter((machine) => machine.isUp() && talos.etcd.memberOf(machine) === undefined)
        .map(({ name }) => `${name} is no member of etcd`),
    'bootstrap:kubeconfig': () => {
      const path = `${root}/kubeconfig`;
      const text = files.snapshot()[path];
      const ca = controlPlanes.map((machine) => machine.config()?.kubernetesCa?.certificate).find((found) => found !== undefined);
      if (text === undefined) return ['there is no kubeconfig'];
      return ca === undefined || kubeconfigTrusts(parseKubeconfig(new Secret(text), { path }), ca)
        ? []
        : ['the kubeconfig is of another cluster'];
    },
    'bootstrap:crds': () => {
      const state = kube()?.state;
      // Talos brings a definition of its own, which is nothing of this stage's.
      const all = state?.allKinds().filter(({ definition, group }) => definition !== undefined && group !== 'talos.dev') ?? [];
      return talos.host.apiServers().flatMap((node) => {
        const served = new Set(state?.kinds(node).map(({ group, kind }) => `${group}/${kind}`));
        return all
          .filter(({ group, kind }) => !served.has(`${group}/${kind}`))
          .map(({ kind }) => `the API server on ${node} does not serve ${kind}`);
      });
    },
    'bootstrap:cilium': () =>
      kube() === undefined || !Object.keys(files.copy()).some((path) => path.startsWith(`${root}/kubernetes/`))
        ? []
        : talos.machines
            .filter((machine) => machine.isUp() && kube()?.nodeReady(machine.hostname()) !== true)
            .map(({ name }) => `${name} is not Ready`),
  };
  return {
    check(event) {
      if (event.event !== 'task-finished' || (event.outcome.state !== 'done' && event.outcome.state !== 'skipped')) return;
      for (const what of broken[event.task]?.() ?? []) report(`I-17 ${event.task} says that it is ${event.outcome.state}, but ${what}`);
    },
  };
}
