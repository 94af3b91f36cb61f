import { TkError } from '../../base/index.ts';
import type { ReleasePlan } from './release-plan.ts';
import { describeSchemaProblems } from './schema-problems.ts';
import { describeSource } from './source.ts';

/**
 * What the engine says about "the chart", with the chart's name and the release's place put in. Problems of a values schema are
 * told one by one, each with the line that set the value.
 */
export async function namingChart<T>(plan: ReleasePlan, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
    const { failure } = error;
    if (failure.code === 'chart/values-schema') throw describeSchemaProblems(failure, plan);
    // Failures of a source name it themselves.
    if (!failure.code.startsWith('chart/') || failure.facts.source !== undefined) throw error;
    throw new TkError({ ...failure, facts: { ...failure.facts, chart: describeSource(plan.source) }, where: failure.where ?? plan.place });
  }
}
