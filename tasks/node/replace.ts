import {
  addNode,
  defineTask,
  disruptionOptions,
  disruptionParams,
  expectSuccessor,
  membershipFacts,
  nodeParams,
  notDone,
  patientFacts,
  type PlannedStep,
  refuse,
  removalPlan,
  removeNode,
  type StepHandle,
  successorProblems,
  throwIfAny,
  z,
} from 'talos-tk';

const addedFirst = 'added first';
const recentMs = 12 * 60 * 60_000;

export default defineTask({
  summary: 'Replace a node by another machine',
  description:
    'A node that has failed is removed first, then its successor joins: etcd never has a dead member more than it must. For one that works the successor joins first, so that etcd loses nothing: name it with --with, it has to be in the inventory. Without --with the successor is new hardware under the same entry. It has to wait in maintenance mode, with the right disk and version, before anything is removed.',
  params: z.object({
    ...nodeParams,
    with: z.string().optional().describe('the successor, by its name in the inventory; default: the same entry'),
    ...disruptionParams,
  }),
  examples: ['node:replace NODE=cp-3 --plan'],
  effect: 'destroy',
  locks: ['machines', 'etcd'],
  confirm(params, { cluster }) {
    const { name, address } = cluster.find(params);
    return { message: `Replace ${name} (${address}) by ${params.with ?? 'new hardware'}; what is on it is lost`, phrase: name };
  },
  async probe({ params, cluster, signal }) {
    const old = cluster.find(params);
    const facts = await membershipFacts(cluster, old, signal);
    const successor = params.with === undefined ? old : cluster.find({ node: params.with });
    return { facts, report: await cluster.machines.preflight(successor, signal) };
  },
  plan({ params, cluster }, probed) {
    const node = cluster.find(params).name;
    if (probed === undefined) return [{ decision: 'unknown', title: 'replace', node, reason: 'no machine was asked' }];
    const { facts, report } = probed;
    if (facts.works && params.with === undefined)
      return [{ decision: 'unknown', title: 'replace', node, reason: 'it works: name its successor, --with' }];
    throwIfAny(successorProblems(facts.node, report, { isForced: isForced(disruptionOptions(params, cluster.gates)) }));
    const { node: successor, state } = report;
    const join: PlannedStep = {
      decision: 'run',
      title: `join ${successor.name}`,
      node: successor.name,
      reason: [
        state.state === 'maintenance' || successor.name === node ? 'config and install' : `it is ${state.state}`,
        ...(successor.role === 'controlplane' && facts.works ? [`etcd: ${facts.tolerance.withOneMore}`] : []),
      ].join(', '),
      calls: [{ target: successor.name, call: 'machine.MachineService/ApplyConfiguration' }],
    };
    return facts.works ? [join, ...removalPlan(facts)] : [...removalPlan(facts), join];
  },
  async run(context) {
    const { params, cluster, step, recall, detail, report, skip, signal } = context;
    const old = cluster.find(params);
    const successor = params.with === undefined ? old : cluster.find({ node: params.with });
    if (successor.role !== old.role) refuse(`${successor.name} is a ${successor.role}, ${old.name} a ${old.role}`);
    const key = `replace ${old.name} by ${successor.name}`;
    // A run that was cut off is continued in the order that it began in: what it has joined works, and is not to be replaced.
    const { open, last } = await recall(key);
    const options = disruptionOptions(params, cluster.gates);
    const order =
      open?.target ??
      (await step.pure('look', async (handle) => {
        if ((await patientFacts(cluster, old, handle)).works) return addedFirst;
        await expectSuccessor(cluster, old, successor, { isForced: isForced(options) }, handle);
        return 'removed first';
      }));
    if (order === addedFirst && successor === old) {
      // That which works is the new one already: a run that was cut off at its very end may not have said so.
      if (last !== undefined && cluster.operations.now() - last.at < recentMs) {
        skip(`run ${last.runId} has replaced it`);
        const { tolerance } = await membershipFacts(cluster, old, signal);
        return { removed: old.name, joined: old.name, order: 'removed first', etcd: tolerance.now };
      }
      refuse(`${old.name} works: its successor has to join first`, {
        because: 'removed first, etcd would tolerate less for as long as the new machine takes',
        help: `npx tk node:replace NODE=${old.name} --with NAME, or npx tk node:remove NODE=${old.name} when nothing else is at hand`,
      });
    }
    const join = (from: StepHandle) =>
      from.step(`join ${successor.name}`, (handle) => addNode({ ...context, step: handle.step, log: handle.log }, successor));
    await step.once(key, {
      key,
      target: order,
      probe: () => notDone(order),
      async act(handle) {
        const inside = { ...context, step: handle.step, log: handle.log };
        if (order === addedFirst) {
          await join(handle);
          await removeNode(inside, old, { ...options, settlesFirst: true });
          return;
        }
        // Under the same name the new machine may have joined already: what was removed once is not removed again, whoever answers.
        const removedKey = `${key}: remove ${old.name}`;
        const removed = (await recall(removedKey)).last;
        if (open === undefined || removed === undefined || removed.isOver === true)
          await handle.step.once(`remove ${old.name}`, {
            key: removedKey,
            node: old.name,
            probe: () => notDone(),
            act: async (inner) => void (await removeNode({ ...context, step: inner.step, log: inner.log }, old, options)),
          });
        await join(handle);
      },
    });
    const after = await membershipFacts(cluster, successor, signal);
    detail(old.role === 'controlplane' ? `etcd: ${after.tolerance.now}` : `${successor.name} has joined`);
    if (successor !== old) report({ rows: { Next: `take ${old.name} out of the inventory` } });
    return { removed: old.name, joined: successor.name, order, etcd: after.tolerance.now };
  },
});

/** Data of an etcd that does not work may be given up. */
const isForced = ({ overrides }: ReturnType<typeof disruptionOptions>): boolean => overrides.has('etcd-quorum');
