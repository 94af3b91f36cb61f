import { defineTask, doctorAreas, nodesParams, tableText, z } from 'talos-tk';

export default defineTask({
  summary: 'Look for what is wrong, and say what mends it',
  description:
    'Inputs, keys, reachability, clocks, certificates and the days that they have left, etcd, Kubernetes, Flux, drift, runs that were cut off. Changes nothing. Ends with 0 when nothing is broken (warnings are told), with 6 when something is.',
  params: z.object({
    ...nodesParams,
    only: z.array(z.enum(doctorAreas)).default([]).describe('these parts alone'),
  }),
  examples: ['doctor', 'doctor --only certificates,clocks'],
  effect: 'read',
  async run({ params, cluster, step, print, log, differs, detail, report }) {
    const nodes = cluster.operations.nodes(params);
    const areas = doctorAreas.filter((area) => params.only.length === 0 || params.only.includes(area));
    const findings = [];
    for (const area of areas) {
      const found = await step.pure(area, async (handle) => {
        const seen = await cluster.operations.doctor.examine(area, nodes, handle.signal);
        handle.detail(seen.length === 0 ? 'well' : `${seen.length} ${seen.length === 1 ? 'finding' : 'findings'}`);
        return seen;
      });
      for (const { failure } of found) log.warn(failure);
      findings.push(...found);
    }
    const errors = findings.filter((finding) => finding.level === 'error').length;
    const warnings = findings.length - errors;
    if (findings.length > 0)
      print(
        tableText([
          ['LEVEL', 'PART', 'NODE', 'FINDING', 'MEND IT WITH'],
          ...findings.map(({ level, area, node = '', failure, mend }) => [level, area, node, failure.code, mend]),
        ]),
      );
    else print(areas.length === 1 ? 'all is well\n' : `${areas.length} parts are well\n`);
    detail(findings.length === 0 ? 'all well' : `${errors} broken, ${warnings} to watch`);
    if (errors > 0) differs();
    // What an unfinished run had begun is not mended one by one.
    const first = findings.find(({ area }) => area === 'runs') ?? findings[0];
    if (first) report({ rows: { Next: first.mend } });
    return {
      areas,
      errors,
      warnings,
      findings: findings.map(({ level, area, node, failure: { code, facts }, mend }) => ({
        level,
        area,
        ...(node === undefined ? {} : { node }),
        code,
        facts,
        mend,
      })),
    };
  },
});
