import { defineTask, throwIfAny } from 'talos-tk';
import generateConfig from './generate-config.ts';

export default defineTask({
  summary: 'Look at every machine before the first change',
  effect: 'read',
  needs: { configs: generateConfig() },
  plan: ({ cluster }) => [{ decision: 'run', title: `look at ${cluster.nodes.length} machines`, reason: 'changes nothing' }],
  async run({ cluster, each, step, log, detail, signal }) {
    const reports = await each(cluster.nodes, (node) =>
      step.pure(
        node.name,
        async (handle) => {
          const report = await cluster.machines.preflight(node, handle.signal);
          handle.detail([report.state.state, report.disk?.path].filter(Boolean).join(', '));
          return report;
        },
        { node: node.name },
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
