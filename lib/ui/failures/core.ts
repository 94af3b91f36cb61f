import { allOf, count, formatDuration } from '../../base/index.ts';
import type { CoreFailures } from '../../core/index.ts';
import type { FailureText, Printers } from './printer.ts';

const ownWords = ({ message, because, help }: CoreFailures['task/failed']): FailureText => ({
  title: message,
  ...(because === undefined ? {} : { because }),
  ...(help === undefined ? {} : { help }),
});

const quoted = (names: readonly string[]) => names.map((name) => `\`${name}\``);

export const corePrinters: Printers<CoreFailures> = {
  'task/failed': ownWords,
  'task/refused': ownWords,
  'task/needs-human': ownWords,
  'task/unknown': ({ task, suggestion }) => ({
    title: `there is no task \`${task}\``,
    help: suggestion === undefined ? 'list the tasks with `npx tk --list`' : `did you mean \`${suggestion}\`?`,
  }),
  'task/duplicate': ({ task }) => ({ title: `two task files are both called \`${task}\``, help: 'rename one of them' }),
  'task/file-pattern': ({ task, pattern }) => ({
    title: `\`${task}\` names the files \`${pattern}\`, which cannot lie inside of the repository`,
    help: 'name them from the root of the repository, as in `templates/**`',
  }),
  'params/unknown': ({ task, param, suggestion, known }) => ({
    title: `\`${task}\` has no param \`${param}\``,
    help:
      suggestion === undefined
        ? known.length === 0
          ? 'it takes no params'
          : `it takes ${allOf(quoted(known))}`
        : `did you mean \`${suggestion}\`?`,
  }),
  'params/missing': ({ task, param, description }) => ({
    title: `\`${task}\` needs \`${param}\`${description === undefined ? '' : `: ${description}`}`,
    help: `add \`--${param} …\``,
  }),
  'params/invalid': ({ task, param, problem }) => ({
    title: `\`${param}\` of \`${task}\` is not what it takes`,
    because: problem.slice(0, 1).toLowerCase() + problem.slice(1),
    help: `see \`npx tk ${task} --help\``,
  }),
  'params/not-plain': ({ task, param }) => ({
    title: `\`${param}\` of \`${task}\` is neither text, number, boolean, list nor plain object`,
    because: 'two calls could not be told apart',
  }),
  'graph/unregistered-task': ({ summary, neededBy }) => ({
    title: `${neededBy === 'the command line' ? neededBy : `\`${neededBy}\``} needs a task that has no name: "${summary}"`,
    help: 'export it as the default of a file below `tasks/`',
  }),
  'graph/cycle': ({ path }) => ({
    title: `these tasks wait for each other: ${quoted(path).join(' → ')}`,
    help: "take one of them out of the other's needs",
  }),
  'graph/needs-failed': ({ task, message }) => ({ title: `the needs of \`${task}\` could not be worked out`, because: message }),
  'step/deadline': ({ deadlineMs }) => ({ title: `not done within ${formatDuration(deadlineMs)}` }),
  'step/undecidable': ({ step, seen, help, intendedBy, target }) => ({
    title: `nobody can tell whether "${step}" has happened${target === undefined ? '' : ` on \`${target}\``}`,
    because: intendedBy === undefined ? seen : `${seen}; run ${intendedBy} had set out to do it`,
    help: help ?? 'look at the machine, then run the same command again',
  }),
  'step/after-end': ({ task, step }) => ({ title: `\`${task}\` began "${step}" after it had ended`, help: 'await every step' }),
  'run/stopped': ({ at }) => ({ title: `stopped before ${at}` }),
  'run/unfinished': ({ tasks }) => ({
    title: `the run ended without ${count(tasks.length, 'task')}: ${allOf(quoted(tasks))}`,
    help: 'please report it: this is a defect of tk',
  }),
  'lock/held': ({ heldBy, path }) => ({
    title: 'another run is changing this repository',
    because: `${heldBy} holds ${path}`,
    help: 'wait until it ends, or stop it',
  }),
  'confirm/declined': ({ message }) => ({ title: 'not confirmed', because: `the question was: ${message}`, help: 'nothing was changed' }),
  'prompt/no-terminal': ({ name, message, confirmation, choices, phrase }) => ({
    title: `nobody can answer "${message}"`,
    because: choices === undefined ? 'there is no terminal' : `there is no terminal; known are ${allOf(quoted(choices))}`,
    help:
      phrase !== undefined
        ? `\`--yes\` is not enough for this: set \`TK_ANSWER_${name.toUpperCase()}=${phrase}\``
        : confirmation
          ? 'confirm with `--yes`'
          : `give the answer with \`--${name} …\``,
  }),
  'prompt/bad-answer': ({ name, message, from, problem }) => ({
    title: `the answer to "${message}" in ${from} cannot be taken`,
    because: problem,
    help: `mend \`${name}\` there, or give it with \`--${name} …\``,
  }),
  'prompt/cancelled': () => ({ title: 'the question was not answered' }),
  'journal/write': ({ path }) => ({
    title: `${path} cannot be written`,
    because: 'what cannot be recorded is not begun',
    help: 'make room, or make it writable',
  }),
  'journal/no-run': ({ wanted }) => ({
    title: wanted === undefined ? 'there is no run to resume' : `there is no run \`${wanted}\``,
    help: 'start a task with `npx tk`',
  }),
};
