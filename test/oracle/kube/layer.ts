// Records what our Kubernetes layer makes of a real API server with its own controllers: see real-cluster.ts.
//
//   node --conditions talos-tk-source test/oracle/kube/layer.ts FOLDER     with etcd, kube-apiserver and kube-controller-manager
import { writeFileSync } from 'node:fs';
import { layerStory } from '../../conformance/kube/layer-story.ts';
import { openRealCluster } from './real-cluster.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where etcd, kube-apiserver and kube-controller-manager lie');
const cluster = await openRealCluster(folder);
try {
  const told = await layerStory(cluster.kube, cluster.clock);
  const { gitVersion } = await cluster.kube.version(new AbortController().signal);
  // One answer a line, so that a new recording reads as a difference.
  const lines = told.map((one) => ` ${JSON.stringify(one)}`).join(',\n');
  writeFileSync(
    new URL('../../conformance/kube/layer.json', import.meta.url),
    `{"recordedFrom":"kube-apiserver and kube-controller-manager ${gitVersion}","told":[\n${lines}\n]}\n`,
  );
  process.stdout.write(`${told.length} answers of ${gitVersion}\n`);
} finally {
  await cluster.close();
}
process.exit(0);
