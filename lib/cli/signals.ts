import { standardError } from '../host/index.ts';

/** What asks a process to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export const endSignals: readonly EndSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const codes: Readonly<Record<EndSignal, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

export const exitCodeOf = (signal: EndSignal): number => codes[signal];

/**
 * Signals from the first line of a command to its last, so that none ever ends it the way the system would: with a half-drawn screen
 * and no exit code of ours.
 *
 *     opening ──▶ running ──▶ closing
 *     says so,    told once,   exit with what the
 *     exit 130    told twice,  run ended with
 *     at once     exit 130
 */
export interface CaughtSignals {
  /** From now on the first signal and the second go to `told`; a third ends the process. */
  tell(told: (signal: EndSignal) => void): void;
  /** From now on a signal ends the process at once, with this code. */
  closing(exitCode: number): void;
  release(): void;
}

export function catchSignals(
  end: (exitCode: number) => void = (code) => process.exit(code),
  say: (text: string) => void = (text) => standardError.write(text),
): CaughtSignals {
  let told: ((signal: EndSignal) => void) | undefined;
  let decided: number | undefined;
  let first: EndSignal | undefined;
  let count = 0;
  const onSignal = (signal: EndSignal) => {
    if (decided !== undefined) return end(decided);
    if (told === undefined) {
      say(' Stopped before anything was begun.\n');
      return end(exitCodeOf(signal));
    }
    first ??= signal;
    count += 1;
    if (count > 2) return end(exitCodeOf(first));
    told(signal);
  };
  for (const signal of endSignals) process.on(signal, onSignal);
  return {
    tell(next) {
      told = next;
    },
    closing(exitCode) {
      decided = exitCode;
    },
    release() {
      for (const signal of endSignals) process.off(signal, onSignal);
    },
  };
}
