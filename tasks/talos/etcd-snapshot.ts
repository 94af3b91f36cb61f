import { defineTask, nodeParams, sizeText, z } from 'talos-tk';

export default defineTask({
  summary: 'Keep a snapshot of etcd that was looked into',
  description:
    'Its checksum, its revision and its keys are read before it counts. The file is 0600 and ignored by git: it holds every Secret of the cluster.',
  params: z.object({
    path: z.string().optional().describe('default: talos/backups/etcd-<time>.db'),
    ...nodeParams,
  }),
  positional: ['path'],
  effect: 'write',
  plan: ({ params }) => [{ decision: 'run', title: 'etcd snapshot', reason: params.path ?? 'talos/backups/etcd-<time>.db' }],
  async run({ params, cluster, step, detail, print }) {
    const isNamed = Boolean(params.ip ?? params.node ?? params.hostname);
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
