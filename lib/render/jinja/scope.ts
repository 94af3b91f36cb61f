import type { Value } from '../python/values.ts';
import type { StatementOf, Template } from './ast.ts';

/** Names that one stretch of a template has assigned. The outermost scope of a template also exports them. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly context: Context;
  readonly #names = new Map<string, Value>();

  constructor(context: Context, parent?: Scope) {
    this.context = context;
    this.parent = parent;
  }

  inner(): Scope {
    return new Scope(this.context, this);
  }

  /** Undefined when nobody knows the name. */
  get(name: string): Value | undefined {
    const value = this.#names.get(name);
    if (value !== undefined) return value;
    return this.parent ? this.parent.get(name) : this.context.get(name);
  }

  set(name: string, value: Value): void {
    this.#names.set(name, value);
  }

  /** Inner names win. */
  locals(): Map<string, Value> {
    const all = this.parent?.locals() ?? new Map<string, Value>();
    for (const [name, value] of this.#names) all.set(name, value);
    return all;
  }
}

export interface BlockSource {
  readonly template: Template;
  readonly block: StatementOf<'block'>;
}

/** What one template and its parents share while they render. */
export class Context {
  readonly template: Template;
  /** Names set at the top of the template, in order. */
  readonly exported = new Map<string, Value>();
  /** First the most derived. */
  readonly blocks: Map<string, BlockSource[]>;
  readonly #given: ReadonlyMap<string, Value>;

  constructor(template: Template, given: ReadonlyMap<string, Value>, blocks?: Map<string, BlockSource[]>) {
    this.template = template;
    this.#given = given;
    this.blocks = blocks ?? new Map();
    if (!blocks) this.addBlocks(template);
  }

  get(name: string): Value | undefined {
    return this.exported.has(name) ? this.exported.get(name) : this.#given.get(name);
  }

  addBlocks(template: Template): void {
    for (const [name, block] of template.blocks) {
      const sources = this.blocks.get(name);
      if (sources) sources.push({ template, block });
      else this.blocks.set(name, [{ template, block }]);
    }
  }

  all(locals: ReadonlyMap<string, Value>): Map<string, Value> {
    return new Map([...this.#given, ...this.exported, ...locals]);
  }

  /** For scoped blocks: the same blocks and exports, and the locals of the place. */
  derived(locals: ReadonlyMap<string, Value>): Context {
    return new Context(this.template, this.all(locals), this.blocks);
  }
}
