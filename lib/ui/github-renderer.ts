import type { EngineEvent } from '../core/index.ts';
import { failureWords } from './failure-text.ts';
import { plainLinesOf } from './plain-lines.ts';
import type { Renderer, RendererOptions } from './renderer.ts';
import { applyEvent, newRunView } from './run-view.ts';
import { styleWith } from './style.ts';
import { hintsIn } from './sandbox-hints.ts';
import { renderSummary } from './summary.ts';

/**
 * For GitHub Actions: one group per task, written when the task ends, because groups cannot run side by side; annotations for
 * failures, at their file and line where they have one.
 */
export function createGithubRenderer({ stream, clock, simulated, isSandbox }: RendererOptions): Renderer {
  const view = newRunView();
  const startedMs = clock.monotonicMs();
  const hints = hintsIn({ isSandbox });
  const write = (text: string) => stream.write(hints(text));
  const groups = new Map<string, string[]>();
  const finishTask = (task: string, lines: readonly string[]) => {
    const collected = groups.get(task) ?? [];
    groups.delete(task);
    const [title = task] = lines;
    if (collected.length === 0) write(`${title}\n`);
    else write(`::group::${message(title)}\n${collected.map((line) => `${unspoken(line)}\n`).join('')}::endgroup::\n`);
  };
  return {
    sink(event) {
      applyEvent(view, event);
      const { task, lines } = plainLinesOf(view, event);
      if (event.event === 'task-finished') finishTask(event.task, lines);
      else if (event.event === 'task-started') groups.set(event.task, []);
      else if (task !== undefined && groups.has(task)) groups.get(task)?.push(...lines);
      else if (lines.length > 0) write(lines.map((line) => `${unspoken(line)}\n`).join(''));
      if (event.event === 'run-finished') finishRun(event);
    },
    aside: (tell) => tell(),
    suspend() {},
    resume() {},
    async close() {},
  };

  function finishRun(event: Extract<EngineEvent, { event: 'run-finished' }>): void {
    for (const failure of event.failures) {
      const place =
        failure.where?.kind === 'file'
          ? `file=${property(failure.where.path)},line=${failure.where.line},col=${failure.where.column},`
          : '';
      const words = failureWords(failure);
      const text = [
        words.title,
        ...(words.because === undefined ? [] : [`because: ${words.because}`]),
        ...(words.help === undefined ? [] : [`help: ${words.help}`]),
      ];
      write(`::error ${place}title=${property(failure.code)}::${message(text.join('\n'))}\n`);
    }
    const summary = renderSummary(view, { style: styleWith(false), wallMs: clock.monotonicMs() - startedMs, simulated });
    if (summary !== '') write(`\n${summary.split('\n').map(unspoken).join('\n')}`);
  }
}

const message = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => message(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
/** Text from elsewhere must not be read as a command of the runner. */
const unspoken = (line: string): string => (/^\s*::/.test(line) ? `\u200b${line}` : line);
