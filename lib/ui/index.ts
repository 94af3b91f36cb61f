export { createRenderer, type OutputKind } from './create-renderer.ts';
export { type FailurePrintOptions, failureWords, renderFailure } from './failure-text.ts';
export type { CliFailures } from './failures/cli.ts';
export type { FailureText, Printers } from './failures/printer.ts';
export { renderPlan } from './plan-text.ts';
export { createPrompter, type PrompterOptions } from './prompter.ts';
export type { Renderer, RendererOptions } from './renderer.ts';
export { type Style, styleWith } from './style.ts';
export { padded, truncated, widthOf } from './width.ts';
