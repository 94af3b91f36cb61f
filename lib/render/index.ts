export { type ApplyOptions, applyTree, planTree, type TreeChanges } from './apply.ts';
export { type ReadData, readTemplateData } from './data.ts';
export { createEngine, type EngineOptions, type Rendered, type TemplateData, type TemplateEngine } from './engine.ts';
export { type RenderFailures, renderFailure } from './failures.ts';
export { type Data, Float, type TemplateFunction } from './python/convert.ts';
export type { UndefinedMode } from './python/values.ts';
export { makejinjaPlugin, type PluginFacts } from './makejinja.ts';
export { type PlannedFile, type RenderedTree, renderTree, type RenderTreeOptions } from './tree.ts';
