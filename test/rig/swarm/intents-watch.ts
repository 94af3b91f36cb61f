import { readJournal } from '../../../lib/core/journal.ts';
import type { KernelHandle, MemoryFiles } from '../../../lib/sim/index.ts';

/** The moment at which a machine is asked to bootstrap: what was meant has to be on the disk, or a crash now forgets it. */
export function watchIntents(kernel: KernelHandle, files: MemoryFiles, stateDirectory: string, report: (what: string) => void): void {
  kernel.onEvent(({ kind, facts }) => {
    if (kind !== 'talos/bootstrap-requested') return;
    const journals = Object.keys(files.copy()).filter(
      (path) => path.startsWith(`${stateDirectory}/runs/`) && path.endsWith('/journal.jsonl'),
    );
    const isIntended = journals.some((path) =>
      readJournal(files.durable(path) ?? '').entries.some(({ record }) => record.type === 'intent'),
    );
    if (!isIntended) report(`I-01 ${String(facts.node)} was asked to bootstrap, and no disk knows that it was meant`);
  });
}
