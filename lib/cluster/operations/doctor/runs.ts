import { loadRuns, openIntents } from '../../../core/index.ts';
import { operationFailure } from '../failures.ts';
import type { DoctorParts, Note } from './finding.ts';

export async function examineRuns({ files, stateDirectory, identity, now }: DoctorParts, note: Note): Promise<void> {
  const runs = await loadRuns(files, stateDirectory);
  const told = new Set<string>();
  // The newest run of a line of words: what it had left was done by a later one, or is still left.
  const seen = new Set<string>();
  for (const run of runs) {
    const words = run.argv.join(' ');
    const hasChanged = run.entries.some(({ record }) => record.type === 'step');
    if (!seen.has(words) && run.identity === identity && run.end === undefined && hasChanged) {
      told.add(run.id);
      const ageMs = now() - run.startedMs;
      note('warning', operationFailure('doctor/unfinished-run', { run: run.id, goals: run.goals, ageMs }), `npx tk resume ${run.id}`);
    }
    seen.add(words);
  }
  for (const [key, intent] of openIntents(runs, identity)) {
    if (told.has(intent.runId)) continue;
    note(
      'warning',
      operationFailure('doctor/open-intent', { key, run: intent.runId, ageMs: now() - intent.at }),
      `npx tk resume ${intent.runId}`,
    );
  }
}
