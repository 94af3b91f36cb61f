import { quoted } from '../python/text.ts';
import { Instance, type Value } from '../python/values.ts';

/** `self`: the blocks of the running template by name. */
export class SelfReference extends Instance {
  readonly typeName = 'jinja2.runtime.TemplateReference';
  readonly #template: string;
  readonly #block: (name: string) => Value | undefined;

  constructor(template: string, block: (name: string) => Value | undefined) {
    super();
    this.#template = template;
    this.#block = block;
  }

  attribute(): Value | undefined {
    return undefined;
  }

  override item(key: Value): Value | undefined {
    return typeof key === 'string' ? this.#block(key) : undefined;
  }

  override text(): string {
    return `<TemplateReference ${quoted(this.#template)}>`;
  }
}
