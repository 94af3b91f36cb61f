import { defineTask } from 'talos-tk';
import secrets from './secrets.ts';

export default defineTask({
  summary: 'Apply the CustomResourceDefinitions of the releases',
  effect: 'mutate',
  needs: { secrets: secrets() },
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
