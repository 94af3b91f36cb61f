import { type BaseFailures, formatDuration } from '../../base/index.ts';
import type { Printers } from './printer.ts';
import { seenWords } from '../seen-words.ts';

export const basePrinters: Printers<BaseFailures> = {
  'wait/timeout': ({ waitingFor, deadlineMs, last, see }) => ({
    title: `waited ${formatDuration(deadlineMs)} for ${waitingFor}`,
    ...(last === undefined ? {} : { because: `last seen: ${seenWords(last)}` }),
    ...(see === undefined ? {} : { help: `see more with \`${see}\`` }),
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
