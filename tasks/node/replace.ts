import {
  addNode,
  defineTask,
  disruptionOptions,
  disruptionParams,
  membershipFacts,
  nodeParams,
  type PlannedStep,
  refuse,
  removalPlan,
  removeNode,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Replace a node by another machine',
  description:
    'A node that has failed is removed first, then its successor joins: etcd never has a dead member more than it must. For one that works the successor joins first, so that etcd loses nothing: name it with --with, it has to be in the inventory. Without --with the successor is new hardware under the same entry.',
  params: z.object({
    ...nodeParams,
    with: z.string().optional().describe('the successor, by its name in the inventory; default: the same entry'),
    ...disruptionParams,
  }),
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
    return { facts, successor, state: (await cluster.machines.state(successor, signal)).state };
  },
  plan({ params, cluster }, probed) {
    const node = cluster.find(params).name;
    if (probed === undefined) return [{ decision: 'unknown', title: 'replace', node, reason: 'no machine was asked' }];
    const { facts, successor, state } = probed;
    if (facts.works && params.with === undefined)
      return [{ decision: 'unknown', title: 'replace', node, reason: 'it works: name its successor, --with' }];
    const join: PlannedStep = {
      decision: 'run',
      title: `join ${successor.name}`,
      node: successor.name,
      reason: [
        state === 'maintenance' || successor.name === node ? 'config and install' : `it is ${state}`,
        ...(successor.role === 'controlplane' && facts.works ? [`etcd: ${facts.tolerance.withOneMore}`] : []),
      ].join(', '),
      calls: [{ target: successor.name, call: 'machine.MachineService/ApplyConfiguration' }],
    };
    return facts.works ? [join, ...removalPlan(facts)] : [...removalPlan(facts), join];
  },
  async run(context) {
    const { params, cluster, step, detail, report, signal } = context;
    const old = cluster.find(params);
    const successor = params.with === undefined ? old : cluster.find({ node: params.with });
    const facts = await membershipFacts(cluster, old, signal);
    if (successor.role !== old.role) refuse(`${successor.name} is a ${successor.role}, ${old.name} a ${old.role}`);
    if (facts.works && successor === old)
      refuse(`${old.name} works: its successor has to join first`, {
        because: 'removed first, etcd would tolerate less for as long as the new machine takes',
        help: `npx tk node:replace NODE=${old.name} --with NAME, or npx tk node:remove NODE=${old.name} when nothing else is at hand`,
      });
    const options = disruptionOptions(params, cluster.gates);
    if (facts.works) {
      await step(`join ${successor.name}`, (handle) => addNode({ ...context, step: handle.step, log: handle.log }, successor));
      await removeNode(context, old, { ...options, settlesFirst: true });
    } else {
      await removeNode(context, old, options);
      await step(`join ${successor.name}`, (handle) => addNode({ ...context, step: handle.step, log: handle.log }, successor));
    }
    const after = await membershipFacts(cluster, successor, signal);
    detail(old.role === 'controlplane' ? `etcd: ${after.tolerance.now}` : `${successor.name} has joined`);
    if (successor !== old) report({ rows: { Next: `take ${old.name} out of the inventory` } });
    return { removed: old.name, joined: successor.name, order: facts.works ? 'added first' : 'removed first', etcd: after.tolerance.now };
  },
});
