/** Colours that never carry meaning alone. Every function returns its text unchanged when colours are off. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  blue(text: string): string;
}

const escape = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;
const unchanged = (text: string) => text;

export function styleWith(colors: boolean): Style {
  if (!colors) return { bold: unchanged, dim: unchanged, red: unchanged, green: unchanged, yellow: unchanged, blue: unchanged };
  return {
    bold: escape(1, 22),
    dim: escape(2, 22),
    red: escape(31, 39),
    green: escape(32, 39),
    yellow: escape(33, 39),
    blue: escape(34, 39),
  };
}
