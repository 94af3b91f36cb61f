import { passed, refusedBecause, skipped } from './define-gate.ts';
import { ceph, cnpg, longhorn, off, volsync } from './storage.ts';

/** For `tasks.config.ts`: the built-in storage gates with what they should overlook, and the verdicts of gates of one's own. */
export const gates = { ceph, longhorn, cnpg, volsync, off, passed, refusedBecause, skipped } as const;
