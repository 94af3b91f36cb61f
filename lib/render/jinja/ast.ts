import type { SourceFile, Span } from '../../base/index.ts';
import type { BinaryOperator, Ordering } from '../python/operators.ts';
import type { Value } from '../python/values.ts';

/** Offsets into the normalised source. */
interface Located {
  readonly start: number;
  readonly end: number;
}

export type Comparison = Ordering | '==' | '!=' | 'in' | 'not in';

export type Expression = Located &
  (
    | { readonly kind: 'constant'; readonly value: Value }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'namespace-field'; readonly name: string; readonly field: string }
    | { readonly kind: 'list' | 'tuple'; readonly items: readonly Expression[] }
    | { readonly kind: 'dict'; readonly pairs: readonly { readonly key: Expression; readonly value: Expression }[] }
    | { readonly kind: 'attribute'; readonly object: Expression; readonly name: string }
    | { readonly kind: 'subscript'; readonly object: Expression; readonly key: Expression }
    | {
        readonly kind: 'slice';
        readonly from?: Expression | undefined;
        readonly to?: Expression | undefined;
        readonly step?: Expression | undefined;
      }
    | { readonly kind: 'call'; readonly callee: Expression; readonly args: CallArguments }
    /** Without an input it filters the text of a filter block. */
    | { readonly kind: 'filter'; readonly input?: Expression | undefined; readonly name: string; readonly args: CallArguments }
    | { readonly kind: 'test'; readonly input: Expression; readonly name: string; readonly args: CallArguments; readonly negated: boolean }
    | { readonly kind: 'unary'; readonly operator: 'not' | '-' | '+'; readonly operand: Expression }
    | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
    | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
    | { readonly kind: 'concat'; readonly parts: readonly Expression[] }
    | {
        readonly kind: 'compare';
        readonly first: Expression;
        readonly rest: readonly { readonly operator: Comparison; readonly operand: Expression }[];
      }
    | { readonly kind: 'conditional'; readonly test: Expression; readonly then: Expression; readonly otherwise?: Expression | undefined }
  );

export interface CallArguments {
  readonly positional: readonly Expression[];
  readonly named: readonly { readonly name: string; readonly value: Expression }[];
  readonly rest?: Expression | undefined;
  readonly namedRest?: Expression | undefined;
}

export interface MacroParameters {
  readonly names: readonly string[];
  /** Of the last `defaults.length` names. */
  readonly defaults: readonly Expression[];
}

export type Target = Extract<Expression, { kind: 'name' | 'namespace-field' | 'tuple' | 'list' }>;

export type Statement = Located &
  (
    | { readonly kind: 'output'; readonly parts: readonly (string | Expression)[] }
    | {
        readonly kind: 'if';
        readonly branches: readonly { readonly test: Expression; readonly body: readonly Statement[] }[];
        readonly otherwise: readonly Statement[];
      }
    | {
        readonly kind: 'for';
        readonly target: Target;
        readonly iterable: Expression;
        readonly filter?: Expression | undefined;
        readonly recursive: boolean;
        readonly body: readonly Statement[];
        readonly otherwise: readonly Statement[];
      }
    | { readonly kind: 'set'; readonly target: Target; readonly value: Expression }
    | { readonly kind: 'set-block'; readonly target: Target; readonly filter?: Expression | undefined; readonly body: readonly Statement[] }
    | {
        readonly kind: 'with';
        readonly targets: readonly Target[];
        readonly values: readonly Expression[];
        readonly body: readonly Statement[];
      }
    | { readonly kind: 'filter-block'; readonly filter: Expression; readonly body: readonly Statement[] }
    | { readonly kind: 'autoescape'; readonly enabled: Expression; readonly body: readonly Statement[] }
    | {
        readonly kind: 'block';
        readonly name: string;
        readonly scoped: boolean;
        readonly required: boolean;
        readonly body: readonly Statement[];
      }
    | { readonly kind: 'extends'; readonly template: Expression }
    | { readonly kind: 'include'; readonly template: Expression; readonly ignoreMissing: boolean; readonly withContext: boolean }
    | { readonly kind: 'import'; readonly template: Expression; readonly alias: string; readonly withContext: boolean }
    | {
        readonly kind: 'from-import';
        readonly template: Expression;
        readonly names: readonly { readonly name: string; readonly alias: string }[];
        readonly withContext: boolean;
      }
    | { readonly kind: 'macro'; readonly name: string; readonly parameters: MacroParameters; readonly body: readonly Statement[] }
    | { readonly kind: 'call-block'; readonly call: Expression; readonly parameters: MacroParameters; readonly body: readonly Statement[] }
    | { readonly kind: 'do'; readonly value: Expression }
    | { readonly kind: 'break' | 'continue' }
    | { readonly kind: 'debug' }
  );

export type StatementOf<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

export interface Template {
  readonly file: SourceFile;
  readonly body: readonly Statement[];
  readonly blocks: ReadonlyMap<string, StatementOf<'block'>>;
  /** Whether an `extends` stands at the top, so that text before it may be dropped. */
  readonly extends: boolean;
}

export const spanOf = (file: SourceFile, node: { readonly start: number; readonly end: number }): Span => ({
  file,
  start: node.start,
  end: node.end,
});
