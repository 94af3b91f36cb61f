import { type BaseFailures, formatDuration } from '../../base/index.ts';
import type { Printers } from './printer.ts';
import { seenWords } from '../seen-words.ts';

export const basePrinters: Printers<BaseFailures> = {
  'wait/timeout': ({ waitingFor, deadlineMs, last, rest = [], see }) => ({
    title: `waited ${formatDuration(deadlineMs)} for ${waitingFor}`,
    ...(last === undefined ? {} : { because: `last seen: ${seenWords(last)}` }),
    ...(see === undefined && rest.length === 0 ? {} : { help: moreSeen(see, rest) }),
  }),
  'run/aborted': ({ during }) => ({ title: `stopped during ${during}` }),
  'internal/unexpected': ({ message, stack }) => ({
    title: `a defect of tk: ${message}`,
    ...(stack === undefined
      ? {}
      : {
          because: stack
            .split('\n')
            .slice(1, 4)
            .map((frame) => frame.trim())
            .join(', '),
        }),
    help: 'please report it with this text',
  }),
};

function moreSeen(see: string | undefined, rest: readonly string[]): string {
  const lines = rest.map((line) => line.replaceAll('\n', ' '));
  const more = see === undefined ? [] : [`see more with \`${see}\``];
  return [...more, ...(lines.length === 0 ? [] : ['seen besides:', ...lines])].join('\n');
}
