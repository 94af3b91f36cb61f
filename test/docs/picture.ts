// Draws docs/bootstrap.svg: the terminal while `tk bootstrap --sim` runs in a copy of this repository. node test/docs/picture.ts
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import headless from '@xterm/headless';

const root = join(import.meta.dirname, '../..');
const size = { cols: 92, rows: 24 };
/** The moment to show: most is done, and something still runs. */
const moment = /❯ bootstrap:flux/;

const folder = mkdtempSync(join(tmpdir(), 'tk-picture-'));
try {
  for (const name of ['cluster.yaml', 'nodes.yaml', 'templates']) cpSync(join(root, name), join(folder, name), { recursive: true });
  const lines = await film(folder);
  writeFileSync(join(root, 'docs/bootstrap.svg'), drawing(lines));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Cell {
  readonly text: string;
  readonly color: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

/** The screen at the last instant at which the moment was on it. */
async function film(cwd: string): Promise<readonly (readonly Cell[])[]> {
  const terminal = new headless.Terminal({ ...size, allowProposedApi: true });
  const child = spawn(process.execPath, [join(root, 'lib/cli/tk.js'), 'bootstrap', '--sim'], {
    cwd,
    ...size,
    env: { ...process.env, TERM: 'xterm-256color', HOME: cwd } as Record<string, string>,
  });
  let shown: readonly (readonly Cell[])[] = [];
  let written = Promise.resolve();
  child.onData((data) => {
    written = written.then(
      () =>
        new Promise((resolve) =>
          terminal.write(data, () => {
            const screen = cellsOf(terminal);
            if (moment.test(screen.map((line) => line.map(({ text }) => text).join('')).join('\n'))) shown = screen;
            resolve();
          }),
        ),
    );
  });
  await new Promise<void>((resolve) => child.onExit(() => resolve()));
  await written;
  return shown;
}

function cellsOf(terminal: InstanceType<typeof headless.Terminal>): readonly (readonly Cell[])[] {
  const { active } = terminal.buffer;
  return Array.from({ length: size.rows }, (_, row) => {
    const line = active.getLine(active.baseY + row);
    return Array.from({ length: size.cols }, (_each, column): Cell => {
      const cell = line?.getCell(column);
      const color = cell?.isFgPalette() ? cell.getFgColor() : undefined;
      return { text: cell?.getChars() || ' ', color, bold: Boolean(cell?.isBold()), dim: Boolean(cell?.isDim()) };
    });
  });
}

function drawing(lines: readonly (readonly Cell[])[]): string {
  const [width, height] = [8.4, 18];
  const palette: Readonly<Record<number, string>> = { 1: '#ff7b72', 2: '#7ee787', 3: '#e3b341', 4: '#79c0ff', 5: '#d2a8ff', 6: '#76e3ea' };
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const used = lines.slice(0, lines.findLastIndex((line) => line.some(({ text }) => text !== ' ')) + 1);
  const rows = used.map((line, row) => {
    const runs: { at: number; text: string; look: string }[] = [];
    for (const [column, cell] of line.entries()) {
      const look = `fill="${cell.dim ? '#8b949e' : (palette[cell.color ?? -1] ?? '#e6edf3')}"${cell.bold ? ' font-weight="bold"' : ''}`;
      const last = runs.at(-1);
      if (last?.look === look) last.text += cell.text;
      else runs.push({ at: column, text: cell.text, look });
    }
    return runs
      .filter(({ text }) => text.trim() !== '')
      .map(({ at, text, look }) => {
        const start = at + text.length - text.trimStart().length;
        return `<text x="${(16 + start * width).toFixed(1)}" y="${30 + row * height}" ${look} xml:space="preserve">${escaped(text.trim())}</text>`;
      })
      .join('\n');
  });
  const [w, h] = [Math.ceil(32 + size.cols * width), 32 + used.length * height];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">
<title>npx tk bootstrap --sim</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.filter((row) => row !== '').join('\n')}
</svg>
`;
}
