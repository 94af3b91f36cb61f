import { defineTask, nodeParams, sizeText, z } from 'talos-tk';

export default defineTask({
  summary: 'Keep a snapshot of etcd that was looked into',
  description:
    'Its checksum, its revision and its keys are read before it counts. The file is 0600 and ignored by git: it holds every Secret of the cluster.',
  params: z.object({
    path: z.string().optional().describe('default: talos/backups/etcd-<time>.db; a file that is there is replaced').meta({ path: true }),
    ...nodeParams,
  }),
  positional: ['path'],
  examples: ['talos:etcd-snapshot', 'talos:etcd-snapshot snapshots/today.db'],
  effect: 'write',
  plan({ params }) {
    const target = params.path ?? 'talos/backups/etcd-<time>.db';
    return [{ decision: 'run', title: 'etcd snapshot', reason: target, calls: [{ target, call: 'write file' }] }];
  },
  async run({ params, cluster, step, detail, print }) {
    const isNamed = Boolean(params.ip ?? params.node ?? params.hostname);
    if (isNamed) cluster.operations.controlPlanes(params);
    const snapshot = await step('fetch and check', (handle) =>
      cluster.lifecycle.snapshot(
        { ...(isNamed ? { from: cluster.find(params) } : {}), ...(params.path === undefined ? {} : { path: params.path }) },
        handle.signal,
      ),
    );
    const { path, from, sizeBytes, revision, keys, hash } = snapshot;
    detail(`${path}: revision ${revision}, ${keys} keys, ${sizeText(sizeBytes)}, from ${from}`);
    print(`${path}\n`);
    return { path, from, sizeBytes, revision: String(revision), keys, hash };
  },
});
