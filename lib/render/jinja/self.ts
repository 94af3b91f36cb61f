import { Instance, type Value } from '../python/values.ts';

/** `self`: the blocks of the running template by name. */
export class SelfReference extends Instance {
  readonly typeName = 'jinja2.runtime.TemplateReference';
  readonly #block: (name: string) => Value | undefined;

  constructor(block: (name: string) => Value | undefined) {
    super();
    this.#block = block;
  }

  attribute(): Value | undefined {
    return undefined;
  }

  override item(key: Value): Value | undefined {
    return typeof key === 'string' ? this.#block(key) : undefined;
  }
}
