import {
  type ClusterView,
  defineTask,
  hasCode,
  holds,
  minutes,
  notYet,
  seconds,
  type StepHandle,
  throwIfAny,
  untilItAnswers,
} from 'talos-tk';
import generateConfig from './generate-config.ts';

export default defineTask({
  summary: 'Look at every machine before the first change',
  effect: 'read',
  needs: { configs: generateConfig() },
  plan: ({ cluster }) => [{ decision: 'run', title: `look at ${cluster.nodes.length} machines`, reason: 'changes nothing' }],
  async run({ needs, cluster, each, step, log, detail, signal }) {
    // The files of an earlier run are there: a machine that does not answer may be in the middle of what that run began.
    const isFresh = needs.configs.files.some((file) => !file.isEqual);
    const reports = await each(cluster.nodes, (node) =>
      step.pure(
        node.name,
        async (handle) => {
          await answered(handle, cluster, node, isFresh ? seconds(15) : minutes(3));
          const report = await cluster.machines.preflight(node, handle.signal);
          handle.detail([report.state.state, report.disk?.path].filter(Boolean).join(', '));
          return report;
        },
        { node: node.name, retry: untilItAnswers },
      ),
    );
    for (const warning of reports.flatMap((report) => report.warnings)) log.warn(warning);
    throwIfAny([...reports.flatMap((report) => report.problems), ...(await cluster.machines.preflightCluster(reports, signal))]);
    const inMaintenance = reports.filter((report) => report.state.state === 'maintenance').length;
    detail(
      inMaintenance === reports.length
        ? `${reports.length} nodes in maintenance mode`
        : `${inMaintenance} of ${reports.length} nodes in maintenance mode`,
    );
    return reports;
  },
});

/** A machine that installs or reboots is back within minutes. One that stays away is the preflight's own finding, not a failed wait. */
async function answered(handle: StepHandle, cluster: ClusterView, node: ClusterView['nodes'][number], deadlineMs: number): Promise<void> {
  try {
    await handle.wait({
      description: `${node.name} to answer`,
      deadlineMs,
      intervalMs: seconds(5),
      async check(signal) {
        const seen = await cluster.machines.state(node, signal);
        return seen.state === 'unreachable' ? notYet(`no answer (${seen.reason})`) : holds(undefined);
      },
    });
  } catch (error) {
    if (!hasCode(error, 'wait/timeout')) throw error;
  }
}
