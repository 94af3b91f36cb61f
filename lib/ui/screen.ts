import type { Clock, TerminalStream } from '../base/index.ts';
import { widthOf } from './width.ts';

/** Between two pictures, so that a burst of events costs one of them. */
const frameMs = 80;
/** Without events the clocks on the screen still go on. */
const tickMs = 500;
/** Runs shorter than this never draw. */
const firstMs = 120;

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
/** Terminals that know it show the picture at once; others ignore it. */
const beginFrame = '\u001b[?2026h';
const endFrame = '\u001b[?2026l';

export interface ScreenOptions {
  readonly stream: TerminalStream;
  readonly clock: Clock;
  /** The picture: at most `height` lines, none wider than the terminal. */
  draw(height: number): readonly string[];
}

/**
 * A picture at the bottom of a terminal that is drawn over again and again. It owns the lines from its first to its last, and
 * never scrolls: it is always lower than the terminal.
 */
export class Screen {
  hasDrawn = false;
  readonly #options: ScreenOptions;
  readonly #ended = new AbortController();
  #shown: readonly string[] = [];
  #shownColumns = 0;
  #isScheduled = false;
  #isSuspended = false;
  /** Written by others while a question had the terminal. */
  readonly #held: (() => void)[] = [];

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#later(firstMs, () => {
      this.#draw();
      this.#tick();
    });
  }

  /** Something on the picture has changed. */
  touch(): void {
    if (this.#isScheduled || !this.hasDrawn) return;
    this.#isScheduled = true;
    this.#later(frameMs, () => {
      this.#isScheduled = false;
      this.#draw();
    });
  }

  aside(write: () => void): void {
    if (this.#isSuspended) {
      this.#held.push(write);
      return;
    }
    this.#erase();
    write();
    if (this.hasDrawn) this.#draw();
  }

  suspend(): void {
    this.#isSuspended = true;
    this.#erase();
    if (this.hasDrawn) this.#options.stream.write(showCursor);
  }

  resume(): void {
    this.#isSuspended = false;
    for (const write of this.#held.splice(0)) write();
    if (this.hasDrawn) this.#draw();
  }

  /** Takes the picture away and gives the terminal back. */
  end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    for (const write of this.#held.splice(0)) write();
    this.#erase();
    if (this.hasDrawn) this.#options.stream.write(showCursor);
  }

  #tick(): void {
    this.#later(tickMs, () => {
      this.#draw();
      this.#tick();
    });
  }

  #later(ms: number, act: () => void): void {
    // What goes wrong while drawing must never reach the run.
    this.#options.clock
      .sleep(ms, this.#ended.signal)
      .then(act)
      .catch(() => {});
  }

  #draw(): void {
    if (this.#isSuspended || this.#ended.signal.aborted) return;
    const { stream } = this.#options;
    const lines = this.#options.draw(Math.max(0, stream.rows - 1));
    const isSame =
      this.#shownColumns === stream.columns &&
      lines.length === this.#shown.length &&
      lines.every((line, index) => line === this.#shown[index]);
    if (isSame) return;
    const body = lines.map((line) => `${line}\u001b[K\n`).join('');
    stream.write(`${beginFrame}${hideCursor}${this.#toTop()}${body}\u001b[J${endFrame}`);
    this.#shown = lines;
    this.#shownColumns = stream.columns;
    this.hasDrawn = true;
  }

  #erase(): void {
    if (this.#shown.length === 0) return;
    this.#options.stream.write(`${this.#toTop()}\u001b[J`);
    this.#shown = [];
  }

  /** A terminal that became narrower has wrapped the lines that stood there. */
  #toTop(): string {
    if (this.#shown.length === 0) return '';
    const columns = Math.max(1, this.#options.stream.columns);
    const isNarrower = columns < this.#shownColumns;
    const rows = this.#shown.reduce((sum, line) => sum + (isNarrower ? Math.max(1, Math.ceil(visibleWidth(line) / columns)) : 1), 0);
    return `\r\u001b[${Math.min(rows, Math.max(1, this.#options.stream.rows - 1))}A`;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colour sequences
const visibleWidth = (line: string): number => widthOf(line.replace(/\u001b\[[0-9;]*m/g, ''));
