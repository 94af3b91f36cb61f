import { formatDuration } from '../base/index.ts';
import {
  type RowState,
  rowState,
  rowTookMs,
  type RunView,
  stepTitle,
  type StepView,
  taskTitle,
  type TaskView,
  topRows,
  type WaitView,
} from './run-view.ts';
import { codesOf } from './failure-text.ts';
import type { Style } from './style.ts';
import { padded, truncated, widthOf } from './width.ts';

export interface FrameOptions {
  readonly columns: number;
  /** Lines that the frame may take. */
  readonly height: number;
  readonly style: Style;
  /** Since the begin on the run's clock; grows between events. */
  readonly elapsedMs: number;
  /** Since the begin on the person's clock. */
  readonly wallMs: number;
  /** The run's clock is a simulated one. */
  readonly simulated: boolean;
}

/** What a line is worth when there is not room for all: the higher, the earlier it goes. */
const worth = { failed: 0, running: 1, step: 2, pending: 3, done: 4, doneStep: 5, hint: 6 } as const;

interface Line {
  readonly text: string;
  readonly rank: number;
}

const symbols: Readonly<Record<RowState, string>> = { pending: '◌', running: '❯', done: '✔', skipped: '–', failed: '✖', dropped: '◌' };
const hintAfterMs = 60_000;
/** In fewer columns a picture tells less than none. */
const narrowest = 20;

/**
 * The live picture of a run: at most `height` lines, none wider than the terminal. Pure.
 */
export function drawFrame(view: RunView, options: FrameOptions): readonly string[] {
  if (options.height < 1 || options.columns < narrowest) return [];
  const footer = footerLines(view, options);
  const room = options.height - footer.length;
  if (room < 1) return footer.slice(-1);
  const painter = new Painter(view, options);
  return [...fitted(painter.lines(), room, options), ...footer];
}

/** The picture that stays when the run has ended: every row of the first level. */
export function drawEnd(view: RunView, options: FrameOptions): readonly string[] {
  return new Painter(view, options).lines({ isEnd: true }).map((line) => line.text);
}

function fitted(lines: readonly Line[], room: number, options: FrameOptions): readonly string[] {
  if (lines.length <= room) return lines.map((line) => line.text);
  // One line of the room tells how many were left out.
  const excess = lines.length - room + 1;
  const order = lines.map((line, index) => ({ index, rank: line.rank })).sort((a, b) => b.rank - a.rank || a.index - b.index);
  const left = new Set(order.slice(0, excess).map(({ index }) => index));
  const kept = lines.filter((_, index) => !left.has(index)).map((line) => line.text);
  return [options.style.dim(truncated(` … ${excess} more`, options.columns - 1)), ...kept].slice(0, room);
}

class Painter {
  readonly #view: RunView;
  readonly #options: FrameOptions;
  readonly #width: number;
  readonly #names: number;

  constructor(view: RunView, options: FrameOptions) {
    this.#view = view;
    this.#options = options;
    // The last column stays free: writing into it makes some terminals wrap.
    this.#width = Math.min(options.columns - 1, 110);
    const names = topRows(view).flatMap((task) => {
      const state = rowState(view, task);
      if (state !== 'running' && state !== 'failed') return [widthOf(taskTitle(task))];
      // What stands below it, one level in, shares its columns.
      const below = [
        ...task.children.flatMap((id) => (view.tasks.has(id) ? [taskTitle(view.tasks.get(id) as TaskView)] : [])),
        ...task.steps.flatMap((id) => (view.steps.has(id) ? [stepTitle(view.steps.get(id) as StepView)] : [])),
      ];
      return [widthOf(taskTitle(task)), ...below.map((name) => widthOf(name) + 2)];
    });
    const widest = Math.max(0, ...names);
    this.#names = Math.min(widest, 34, Math.floor(this.#width / 2));
  }

  lines(options: { readonly isEnd?: boolean } = {}): readonly Line[] {
    return this.#level(topRows(this.#view), 0, options.isEnd ?? false);
  }

  #level(tasks: readonly TaskView[], depth: number, isEnd: boolean): Line[] {
    const lines: Line[] = [];
    const pending: string[] = [];
    for (const task of tasks) {
      const state = rowState(this.#view, task);
      if (state === 'pending' || state === 'dropped') pending.push(taskTitle(task));
      else lines.push(...this.#task(task, state, depth, isEnd));
    }
    if (pending.length > 0)
      lines.push({ text: this.#row({ depth, state: 'pending', name: pending.join(' · '), isList: true }), rank: worth.pending });
    return lines;
  }

  #task(task: TaskView, state: RowState, depth: number, isEnd: boolean): Line[] {
    const children = task.children.map((id) => this.#view.tasks.get(id)).filter((child) => child !== undefined);
    const ended = children.filter((child) => child.phase.state === 'ended').length;
    const tookMs = rowTookMs(this.#view, task);
    const isActive = state === 'running' || state === 'failed';
    const counted = isActive && children.length > 0 ? `${ended} of ${children.length}` : undefined;
    const own = this.#row({
      depth,
      state,
      name: taskTitle(task),
      detail: this.#detailOf(task) ?? counted,
      tookMs: state === 'running' ? this.#runningMs(task.startedMs) : tookMs,
    });
    const lines: Line[] = [{ text: own, rank: state === 'failed' ? worth.failed : isActive ? worth.running : worth.done }];
    if (!isActive || (isEnd && state !== 'failed')) return lines;
    lines.push(...this.#level(children, depth + 1, isEnd));
    for (const id of task.steps) lines.push(...this.#step(id, depth + 1, taskTitle(task)));
    lines.push(...this.#hint(task.waiting, depth + 1));
    return lines;
  }

  #step(id: string, depth: number, under: string): Line[] {
    const step = this.#view.steps.get(id);
    if (!step) return [];
    const state: RowState =
      step.phase.state === 'running' ? 'running' : step.phase.outcome.state === 'cancelled' ? 'dropped' : step.phase.outcome.state;
    const tookMs = step.phase.state === 'running' ? this.#runningMs(step.phase.sinceMs) : step.phase.tookMs;
    const text = this.#row({
      depth,
      state,
      name: under.includes(step.node ?? '') ? step.title : stepTitle(step),
      detail: this.#detailOf(step),
      tookMs,
    });
    const lines: Line[] = [{ text, rank: state === 'failed' ? worth.failed : state === 'running' ? worth.step : worth.doneStep }];
    if (state !== 'running') return lines;
    for (const inner of step.steps) lines.push(...this.#step(inner, depth + 1, `${under} ${stepTitle(step)}`));
    lines.push(...this.#hint(step.waiting, depth + 1));
    return lines;
  }

  /** In a list each stands for the one before it where that has no room. */
  #detailOf(of: TaskView | StepView): string | readonly string[] | undefined {
    if (of.phase.state === 'ended') {
      const { outcome } = of.phase;
      if (outcome.state === 'skipped') return outcome.reason;
      if (outcome.state === 'failed') return codesOf('failure' in outcome ? [outcome.failure] : outcome.failures);
      return (
        of.detail ??
        ('changes' in outcome && outcome.changes === 0 && 'row' in of && of.row.effect !== 'read' ? 'nothing changed' : undefined)
      );
    }
    if (of.waiting) return [`waiting for ${of.waiting.waitingFor}: ${of.waiting.seen}`, of.waiting.seen];
    return ('retry' in of ? of.retry : undefined) ?? of.detail;
  }

  /** Undefined while it would only flicker. */
  #runningMs(sinceMs: number | undefined): number | undefined {
    if (sinceMs === undefined) return undefined;
    const ms = this.#options.elapsedMs - sinceMs;
    return ms < 1000 ? undefined : Math.floor(ms / 1000) * 1000;
  }

  #hint(waiting: WaitView | undefined, depth: number): Line[] {
    if (!waiting || this.#options.elapsedMs - waiting.sinceMs < hintAfterMs) return [];
    const leftMs = Math.max(0, waiting.sinceMs + waiting.deadlineMs - this.#options.elapsedMs);
    const parts = [
      ...(waiting.see === undefined ? [] : [`see more: ${waiting.see}`]),
      `deadline in ${formatDuration(Math.ceil(leftMs / 1000) * 1000)}`,
    ];
    return [
      { text: this.#options.style.dim(truncated(`${' '.repeat(3 + depth * 2)}${parts.join(' · ')}`, this.#width)), rank: worth.hint },
    ];
  }

  #row(row: {
    readonly depth: number;
    readonly state: RowState;
    readonly name: string;
    readonly detail?: string | readonly string[] | undefined;
    readonly tookMs?: number | undefined;
    /** The name is a list of names and may take the whole line. */
    readonly isList?: boolean;
  }): string {
    const { style } = this.#options;
    const indent = ' '.repeat(1 + row.depth * 2);
    const room = this.#width - indent.length - 2;
    if (row.isList) return style.dim(truncated(`${indent}${symbols[row.state]} ${row.name}`, this.#width));
    const took = row.tookMs === undefined || row.tookMs === 0 ? '' : this.#took(row.tookMs);
    const nameRoom = Math.max(0, this.#names - row.depth * 2);
    const name =
      row.detail === undefined && took === ''
        ? truncated(row.name, room)
        : padded(truncated(row.name, Math.max(nameRoom, room - 30)), nameRoom);
    const detailRoom = room - widthOf(name) - 2 - (took === '' ? 0 : widthOf(took) + 1);
    const details = [row.detail ?? ''].flat().map((text) => text.replaceAll('\n', ' '));
    const detail = details.find((text) => widthOf(text) <= detailRoom) ?? truncated(details.at(-1) ?? '', detailRoom);
    const gap = took === '' ? '' : ' '.repeat(Math.max(1, room - widthOf(name) - 2 - widthOf(detail) - widthOf(took)));
    const paint =
      row.state === 'failed' ? style.red : row.state === 'done' ? style.green : row.state === 'running' ? style.yellow : style.dim;
    const spacer = detail === '' && took === '' ? '' : '  ';
    const plain = `${indent}${symbols[row.state]} ${name}${spacer}${detail}${gap}${took}`;
    if (widthOf(plain) > this.#width) return truncated(plain, this.#width);
    const shown = row.state === 'running' ? style.bold(name) : name;
    const rest = `${spacer}${detail === '' ? '' : style.dim(detail)}${gap}${took === '' ? '' : style.dim(took)}`;
    return `${indent}${paint(symbols[row.state])} ${shown}${rest}`;
  }

  #took(ms: number): string {
    return this.#options.simulated && ms >= 1000 ? `${formatDuration(ms)} ⏩` : formatDuration(ms);
  }
}

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

function footerLines(view: RunView, options: FrameOptions): readonly string[] {
  const time = options.simulated
    ? `${formatDuration(options.elapsedMs)} simulated in ${formatDuration(options.wallMs)}`
    : formatDuration(options.elapsedMs);
  const parts =
    view.stopping === undefined
      ? [time, 'Ctrl-C stops safely']
      : [view.stopping === 'safely' ? 'stopping: what runs is let end, Ctrl-C again aborts' : 'aborting', time];
  const short = ` ${parts.join(' · ')}`;
  // A path that is cut off helps nobody.
  const whole = view.journal === undefined ? short : `${short} · log ${directoryOf(view.journal)}`;
  const room = options.columns - 1;
  return ['', options.style.dim(widthOf(whole) <= room ? whole : truncated(short, room))];
}
