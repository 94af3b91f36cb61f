import { TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';
import type { Prompter, Question } from './prompter.ts';

/** One question at a time over the whole run: two prompts on one terminal would answer each other. A signal ends the wait. */
export function askOneAtATime(
  prompter: Prompter,
  lock: { tail: Promise<unknown> },
  stopping: AbortSignal,
  asked: (question: { readonly name: string; readonly message: string }) => void,
): Prompter {
  const inTurn =
    <Q extends Question, A>(ask: (question: Q) => Promise<A>) =>
    (question: Q): Promise<A> => {
      const answer = lock.tail.then(() => {
        const stopped = () => new TkError(coreFailure('run/stopped', { at: question.message }));
        if (stopping.aborted) throw stopped();
        asked({ name: question.name, message: question.message });
        return new Promise<A>((resolve, reject) => {
          const stop = () => reject(stopped());
          stopping.addEventListener('abort', stop, { once: true });
          ask(question)
            .then(resolve, reject)
            .finally(() => stopping.removeEventListener('abort', stop));
        });
      });
      lock.tail = answer.catch(() => {});
      return answer;
    };
  return {
    text: inTurn((question) => prompter.text(question)),
    password: inTurn((question) => prompter.password(question)),
    confirm: inTurn((question) => prompter.confirm(question)),
    select: inTurn((question) => prompter.select(question)),
    multiselect: inTurn((question) => prompter.multiselect(question)),
  };
}
