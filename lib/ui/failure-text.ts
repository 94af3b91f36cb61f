import { type Failure, type Place, stripControl } from '../base/index.ts';
import { basePrinters } from './failures/base.ts';
import { chartSourcePrinters, releasePrinters } from './failures/charts.ts';
import { cliPrinters } from './failures/cli.ts';
import { clusterPrinters } from './failures/cluster.ts';
import { configPrinters } from './failures/config.ts';
import { corePrinters } from './failures/core.ts';
import { formatPrinters } from './failures/format.ts';
import { hostPrinters } from './failures/host.ts';
import { kubePrinters } from './failures/kube.ts';
import { lifecyclePrinters } from './failures/lifecycle.ts';
import { kubernetesUpgradePrinters } from './failures/kubernetes-upgrade.ts';
import { operationPrinters } from './failures/operations.ts';
import { pkiPrinters } from './failures/pki.ts';
import { renderPrinters } from './failures/render.ts';
import { secretsPrinters } from './failures/secrets.ts';
import { simPrinters } from './failures/sim.ts';
import { talconfigPrinters } from './failures/talconfig.ts';
import { talosClientPrinters } from './failures/talos-client.ts';
import { talosConfigPrinters } from './failures/talos-config.ts';
import { wasmPrinters } from './failures/wasm.ts';
import type { FailureText } from './failures/printer.ts';
import { type Style, styleWith } from './style.ts';
import { widthOf } from './width.ts';

/** One table per layer. A code stands in exactly one of them. */
export const printerTables = {
  base: basePrinters,
  chartSource: chartSourcePrinters,
  cli: cliPrinters,
  cluster: clusterPrinters,
  config: configPrinters,
  core: corePrinters,
  format: formatPrinters,
  host: hostPrinters,
  kube: kubePrinters,
  lifecycle: lifecyclePrinters,
  kubernetesUpgrade: kubernetesUpgradePrinters,
  operations: operationPrinters,
  pki: pkiPrinters,
  release: releasePrinters,
  render: renderPrinters,
  secrets: secretsPrinters,
  sim: simPrinters,
  talconfig: talconfigPrinters,
  talosClient: talosClientPrinters,
  talosConfig: talosConfigPrinters,
  wasm: wasmPrinters,
} as const;

type AnyPrinter = (facts: Failure['facts'], failure: Failure) => FailureText;

const printers: ReadonlyMap<string, AnyPrinter> = new Map(
  Object.values(printerTables).flatMap((table) => Object.entries(table) as unknown as [string, AnyPrinter][]),
);

/** The words of a failure. A code without words (a user's own, or of a newer journal) shows its facts. */
export function failureWords(failure: Failure): FailureText {
  const print = printers.get(failure.code);
  if (print) return print(failure.facts, failure);
  const facts = Object.entries(failure.facts).filter(([, value]) => value !== undefined);
  return {
    title:
      facts.map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ') || 'no more is known',
  };
}

export interface FailurePrintOptions {
  readonly style?: Style;
  readonly severity?: 'error' | 'warning';
  /** Other machines of which the same is true: `cp-2 and cp-3`. */
  readonly also?: string;
}

/** The whole text of one failure, without a line break at its end. */
export function renderFailure(failure: Failure, options: FailurePrintOptions = {}): string {
  const style = options.style ?? styleWith(false);
  const severity = options.severity ?? 'error';
  const words = failureWords(failure);
  const because = words.because ?? (failure.cause ? causeOf(failure.cause) : undefined);
  const head = severity === 'error' ? style.red : style.yellow;
  const lines = [`${head(style.bold(`${severity}[${failure.code}]`))}: ${style.bold(clean(words.title))}`];
  if (failure.where?.kind === 'file') lines.push(...renderExcerpt(failure.where, style, head));
  if (because !== undefined) lines.push(`${style.bold('because')}: ${clean(because)}`);
  if (options.also !== undefined) lines.push(`${style.bold('also')}: ${clean(options.also)}`);
  if (failure.where?.kind === 'step') lines.push(`${style.bold('step')}: ${clean(stepPath(failure.where))}`);
  if (words.help !== undefined) lines.push(`${style.bold('help')}: ${indented(words.help)}`);
  return lines.join('\n');
}

const clean = (text: string): string => stripControl(text).replaceAll('\n', ' ');

/** Help may hold a few lines to be copied; set in, so that no text inside it can pass for a line of ours. */
const indented = (text: string): string => stripControl(text).trimEnd().replaceAll('\n', '\n  ');

/** The innermost cause says what happened; what lies between only passed it on. */
function causeOf(cause: Failure): string {
  let innermost = cause;
  while (innermost.cause) innermost = innermost.cause;
  const { title, because } = failureWords(innermost);
  return because !== undefined && namesOnlyWhat.has(innermost.code) ? `${title}: ${because}` : title;
}

/** Their titles name the object; what the server has against it stands behind. */
const namesOnlyWhat: ReadonlySet<string> = new Set(['kube/invalid', 'kube/denied', 'kube/forbidden']);

function stepPath({ task, step, node }: Extract<Place, { kind: 'step' }>): string {
  const path = step === undefined ? task : `${task} › ${step}`;
  return node === undefined || path.includes(node) ? path : `${path} on ${node}`;
}

function renderExcerpt(place: Extract<Place, { kind: 'file' }>, style: Style, mark: (text: string) => string): string[] {
  const margin = ' '.repeat(String(place.line).length);
  const lines = [`${margin}${style.blue('——▶')} ${place.path}:${place.line}:${place.column}`];
  if (place.excerpt) {
    const text = stripControl(place.excerpt.text);
    const before = Array.from(text.slice(0, place.column - 1), (character) =>
      character === '\t' ? '\t' : ' '.repeat(widthOf(character)),
    ).join('');
    const marked = text.slice(place.column - 1, place.column - 1 + place.excerpt.length);
    lines.push(
      `${margin} ${style.blue('│')}`,
      `${style.blue(`${place.line} │`)} ${text}`,
      `${margin} ${style.blue('│')} ${before}${mark('^'.repeat(Math.max(1, widthOf(marked))))}`,
    );
  }
  for (const related of place.related ?? [])
    lines.push(`${margin} ${style.blue('└──')} ${related.path}:${related.line}:${related.column} ${clean(related.note)}`);
  return lines;
}

/** Codes as one line: each once, with how often it occurs. */
export function codesOf(failures: readonly Failure[]): string {
  const counts = new Map<string, number>();
  for (const { code } of failures) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, times]) => (times === 1 ? code : `${code} ×${times}`)).join(', ');
}
