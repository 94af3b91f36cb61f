import { afterEach, expect, test } from 'vitest';
import { catchSignals, type CaughtSignals, type EndSignal } from '../../../lib/cli/signals.ts';

let caught: CaughtSignals | undefined;
afterEach(() => caught?.release());

function signals() {
  const seen: unknown[] = [];
  caught = catchSignals(
    (exitCode) => void seen.push(exitCode),
    (text) => void seen.push(text),
  );
  return { signals: caught, seen, send: (signal: EndSignal) => process.emit(signal, signal) };
}

test('a signal before there is a run ends with a line and its exit code', () => {
  const { seen, send } = signals();
  send('SIGINT');
  send('SIGHUP');
  expect(seen).toEqual([' Stopped before anything was begun.\n', 130, ' Stopped before anything was begun.\n', 129]);
});

test('a run is told twice, the third signal ends the process; once it has ended its own exit code stands', () => {
  const { signals: caughtHere, seen, send } = signals();
  caughtHere.tell((signal) => void seen.push(signal));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGINT'] as const) send(signal);
  expect(seen).toEqual(['SIGTERM', 'SIGINT', 143]);
  caughtHere.closing(3);
  send('SIGINT');
  expect(seen.at(-1)).toBe(3);
});
