import { defineTask } from 'talos-tk';
import secrets from './secrets.ts';

export default defineTask({
  summary: 'Apply the CustomResourceDefinitions of the releases',
  effect: 'mutate',
  needs: { secrets: secrets() },
  async probe({ cluster, signal }) {
    // Charts are rendered for the cluster's own version and kinds: without a cluster it is not known what they bring.
    if (!(await cluster.kubernetes.isReachable(signal))) return undefined;
    const crds = await cluster.releases.crds(signal);
    return Promise.all(crds.map(async (crd) => ({ name: crd.name, release: crd.release, isServed: await crd.isServed(signal) })));
  },
  plan({ cluster }, facts) {
    if (cluster.model.paths.kubernetes === undefined)
      return [{ decision: 'skip', title: 'apply', reason: 'the repository has no kubernetes/ tree' }];
    if (facts === undefined)
      return [
        {
          decision: 'run',
          title: 'definitions of the releases',
          reason: 'there is no cluster to ask yet',
          calls: [{ target: 'cluster', call: 'apply CustomResourceDefinition' }],
        },
      ];
    return facts.map(({ name, release, isServed }) =>
      isServed
        ? { decision: 'skip', title: name, reason: 'served by every API server' }
        : { decision: 'run', title: name, reason: `of ${release}`, calls: [{ target: name, call: 'apply CustomResourceDefinition' }] },
    );
  },
  async run({ cluster, step, wait, detail, skip, signal }) {
    const crds = await step.pure('render', () => cluster.releases.crds(signal));
    if (crds.length === 0) {
      skip('no release brings any');
      return { applied: [] };
    }
    const applied = await step.probeAct('apply', {
      async probe(handle) {
        const served = await Promise.all(crds.map((crd) => crd.isServed(handle.signal)));
        return served.every(Boolean) ? { state: 'done', seen: `${crds.length} are served`, value: undefined } : { state: 'not-done' };
      },
      act: (handle) => cluster.releases.applyCrds(crds, handle.signal),
    });
    await wait(cluster.kubernetes.crdsServed(crds.map((crd) => crd.name)));
    if (applied.state === 'already-done') skip(applied.seen);
    else detail(`${crds.length} definitions, served by every API server`);
    return { applied: crds.map((crd) => crd.name) };
  },
});
