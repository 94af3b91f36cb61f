import { type Failure, placeOf, suggestionFor } from '../../base/index.ts';
import { renderFailure } from '../failures.ts';
import { type Expression, type Statement, spanOf, type Template } from './ast.ts';
import { childrenOf } from './walk.ts';

interface Known {
  readonly filters: ReadonlyMap<string, unknown>;
  readonly tests: ReadonlyMap<string, unknown>;
}

const frames: readonly string[] = ['for', 'with', 'filter-block', 'set-block', 'macro', 'call-block', 'block', 'autoescape'];

/**
 * Filters and tests that nobody defined, all of them. Jinja finds them before it renders, except inside `if` and conditional
 * expressions, where they count only when they are reached.
 */
export function checkNames(template: Template, known: Known): Failure[] {
  const failures: Failure[] = [];
  const visit = (node: Statement | Expression, soft: boolean): void => {
    if (!soft && (node.kind === 'filter' || node.kind === 'test')) {
      const table = node.kind === 'filter' ? known.filters : known.tests;
      if (!table.has(node.name)) {
        const suggestion = suggestionFor(node.name, table.keys());
        failures.push(
          renderFailure(
            node.kind === 'filter' ? 'render/unknown-filter' : 'render/unknown-test',
            { template: template.file.path, name: node.name, ...(suggestion === undefined ? {} : { suggestion }) },
            { where: placeOf(spanOf(template.file, node)) },
          ),
        );
      }
    }
    const inside = node.kind === 'if' || node.kind === 'conditional' ? true : frames.includes(node.kind) ? false : soft;
    for (const child of childrenOf(node)) visit(child, inside);
  };
  for (const statement of template.body) visit(statement, false);
  return failures;
}
