import { readJournal } from '../../../lib/core/journal.ts';
import type { KernelHandle, MemoryFiles } from '../../../lib/sim/index.ts';

/** Acts that machines do once. Whoever asks for one has said so first. */
const onceOnly = new Set(['talos/bootstrap-requested']);

export interface JournalWatch {
  /** Looks at what a power cut has left on the disk. */
  afterCrash(): void;
}

/** I-11: whatever must not be done twice and was asked for is still known after a power cut, to whoever goes on from there. */
export function watchJournals(
  kernel: KernelHandle,
  files: MemoryFiles,
  stateDirectory: string,
  report: (what: string) => void,
): JournalWatch {
  const asked = new Map<string, string>();
  kernel.onEvent(({ kind, facts }) => void (onceOnly.has(kind) && asked.set(kind, String(facts.node))));
  return {
    afterCrash() {
      if (asked.size === 0) return;
      const journals = Object.entries(files.snapshot()).filter(
        ([path]) => path.startsWith(`${stateDirectory}/runs/`) && path.endsWith('/journal.jsonl'),
      );
      const isKnown = journals.some(([, text]) => readJournal(text).entries.some(({ record }) => record.type === 'intent'));
      for (const [kind, node] of asked) if (!isKnown) report(`I-11 ${node} had ${kind}, and after the power cut no journal knows of it`);
      asked.clear();
    },
  };
}
