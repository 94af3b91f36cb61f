import { placeOf, type SourceFile, throwIfAny, TkError } from '../../base/index.ts';
import { renderFailure } from '../failures.ts';
import type { Value } from '../python/values.ts';
import type { Template } from './ast.ts';
import { checkNames } from './check.ts';
import type { Environment, TemplateSource } from './environment.ts';
import { Interpreter } from './interpreter.ts';
import { normalise, TemplateSyntaxError } from './lexer.ts';
import { parseTemplate } from './parser.ts';

/** Templates of one environment, parsed once each. */
export class TemplateLibrary implements TemplateSource {
  readonly #environment: Environment;
  readonly #parsed = new Map<string, Template>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  load(name: string): Template | undefined {
    const known = this.#parsed.get(name);
    if (known) return known;
    const source = this.#environment.source(name);
    if (!source) return undefined;
    const template = this.parse(source);
    this.#parsed.set(name, template);
    return template;
  }

  /** Failure: `render/syntax`, or every unknown filter and test of the template. */
  parse(source: SourceFile): Template {
    try {
      const template = parseTemplate(source, this.#environment.parser);
      if (this.#environment.parser.dialect === 'jinja') throwIfAny(checkNames(template, this.#environment));
      return template;
    } catch (error) {
      if (!(error instanceof TemplateSyntaxError)) throw error;
      const file = normalise(source, this.#environment.parser);
      throw new TkError(
        renderFailure(
          'render/syntax',
          { template: source.path, detail: error.message },
          { where: placeOf({ file, start: error.start, end: error.end }) },
        ),
      );
    }
  }

  render(source: SourceFile, given: ReadonlyMap<string, Value>): string {
    return new Interpreter(this.#environment, this, this.parse(source)).render(given);
  }
}
