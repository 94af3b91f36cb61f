import { defineTask, forEach, inSequence, minutes, type TaskCall, z } from 'talos-tk';

/** Passes when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_proof: Same<A, B>): void => {};

const snapshot = defineTask({
  summary: 'Take a snapshot',
  params: z.object({ node: z.string().optional(), keepDays: z.number().default(7) }),
  effect: 'write',
  async run({ params }) {
    same<typeof params, { node?: string | undefined; keepDays: number }>(true);
    return { path: `snapshots/${params.keepDays}`, sizeBytes: 12 };
  },
});

const upgrade = defineTask({
  summary: 'Upgrade a node',
  params: z.object({ node: z.string(), image: z.string().optional() }),
  effect: 'mutate',
  run: ({ params }) => ({ upgraded: params.node }),
});

export const named = defineTask({
  summary: 'Copy it away',
  params: z.object({ keep: z.number().int().min(1).default(7).describe('how many stay') }),
  needs: {
    copy: snapshot(),
    older: snapshot({ node: 'cp-1' }),
    all: [upgrade({ node: 'a' }), upgrade({ node: 'b' })],
    one: inSequence([upgrade({ node: 'c' })]),
  },
  effect: 'write',
  async run({ params, needs, step, $, signal, cluster }) {
    same<typeof needs.copy, { path: string; sizeBytes: number }>(true);
    same<typeof needs.all, readonly { upgraded: string }[]>(true);
    same<typeof needs.one, readonly { upgraded: string }[]>(true);
    same<typeof params.keep, number>(true);
    void signal;
    void cluster;
    const copied = await step('copy', async (copying) => {
      copying.detail('1 file');
      await $`rsync ${needs.copy.path} nas:`;
      return 3;
    });
    same<typeof copied, number>(true);
    // @ts-expect-error the schema has no such param
    void params.kept;
    // @ts-expect-error the needed task returns no such result
    void needs.copy.pth;
    // @ts-expect-error nothing of this name is needed
    void needs.copies;
  },
});

export const byParams = defineTask({
  summary: 'Needs that depend on params',
  params: z.object({ nodes: z.array(z.string()) }),
  needs: ({ nodes }, { cluster }) => {
    same<typeof nodes, string[]>(true);
    void cluster;
    return inSequence(nodes.map((node) => upgrade({ node })));
  },
  effect: 'mutate',
  run({ needs }) {
    same<typeof needs, readonly { upgraded: string }[]>(true);
    return needs.length;
  },
});

export const namedByParams = defineTask({
  summary: 'Named needs that depend on params',
  params: z.object({ node: z.string() }),
  needs: ({ node }) => ({ copy: snapshot({ node }), each: forEach([node], (name) => upgrade({ node: name }), { parallel: 2 }) }),
  effect: 'mutate',
  run({ needs }) {
    same<typeof needs.copy.path, string>(true);
    same<typeof needs.each, readonly { upgraded: string }[]>(true);
  },
});

export const bare = defineTask({
  summary: 'No params, no needs',
  effect: 'read',
  async run({ step, wait, params, needs }) {
    // @ts-expect-error no params
    void params.anything;
    // @ts-expect-error no needs
    void needs.anything;
    const found = await step.once('start it', { probe: () => ({ state: 'done', seen: 'it runs', value: 5 }), act: () => 6 });
    same<typeof found.value, number>(true);
    const waited = await wait({
      description: 'it',
      deadlineMs: minutes(1),
      intervalMs: 1,
      check: async () => ({ state: 'holds', value: 'x' }),
    });
    same<typeof waited, string>(true);
  },
});

export const planned = defineTask({
  summary: 'Plans from facts',
  params: z.object({ node: z.string() }),
  effect: 'mutate',
  probe: async ({ params }) => ({ version: `of ${params.node}` }),
  plan: ({ params }, facts) => {
    same<typeof facts, { version: string } | undefined>(true);
    return facts?.version === 'wanted'
      ? [{ decision: 'skip', title: params.node, reason: 'has it' }]
      : [{ decision: 'run', title: params.node }];
  },
  run() {},
});

export const rendered = defineTask({
  summary: 'Reads and writes files',
  params: z.object({ folder: z.string() }),
  needs: { copy: snapshot() },
  effect: 'write',
  inputs: ({ folder }) => {
    same<typeof folder, string>(true);
    return [`${folder}/**`];
  },
  outputs: ['schemas/*.json'],
  run({ params, needs }) {
    same<typeof params, { folder: string }>(true);
    same<typeof needs.copy.path, string>(true);
    return { files: 3 };
  },
});
same<ReturnType<typeof rendered>, TaskCall<{ files: number }>>(true);
defineTask({ summary: 'Only reads', effect: 'read', inputs: ['kubernetes'], run() {} });
// @ts-expect-error what changes machines looks at them, not at files
defineTask({ summary: 'Files tell nothing of machines', effect: 'mutate', inputs: ['talos'], run() {} });
// @ts-expect-error outputs alone do not tell whether they are up to date
defineTask({ summary: 'Outputs of nothing', effect: 'write', outputs: ['schemas'], run() {} });
defineTask({
  summary: 'Inputs by a param that is not there',
  params: z.object({ folder: z.string() }),
  effect: 'read',
  // @ts-expect-error no such param
  inputs: ({ foldr }) => [foldr],
  run() {},
});

same<ReturnType<typeof snapshot>, TaskCall<{ path: string; sizeBytes: number }>>(true);
snapshot();
snapshot({ keepDays: 3 });
// @ts-expect-error wrong param name
snapshot({ nod: 'cp-1' });
// @ts-expect-error wrong param type
snapshot({ keepDays: '3' });
// @ts-expect-error a required param is missing
upgrade();
bare();

// @ts-expect-error an effect is missing
defineTask({ summary: 'No effect', run() {} });
defineTask({
  summary: 'Wrong effect',
  // @ts-expect-error not an effect
  effect: 'harm',
  run() {},
});
defineTask({
  summary: 'Wrong need',
  // @ts-expect-error wrong param name in needs
  needs: { copy: snapshot({ nodes: 'cp-1' }) },
  effect: 'read',
  run() {},
});
defineTask({
  summary: 'Wrong need by params',
  params: z.object({ count: z.number() }),
  // @ts-expect-error a number is no node name
  needs: ({ count }) => ({ copy: snapshot({ node: count }) }),
  effect: 'read',
  run() {},
});
defineTask({
  summary: 'Strings name tasks only on the command line',
  // @ts-expect-error a need is a task called with params
  needs: { copy: 'etcd:snapshot' },
  effect: 'read',
  run() {},
});
defineTask({
  summary: 'A position for a param that is not there',
  params: z.object({ file: z.string() }),
  // @ts-expect-error no such param
  positional: ['fil'],
  effect: 'read',
  run() {},
});
