import type { z } from 'zod';
import { type Failure, TkError } from '../base/index.ts';
import { coreFailure } from './failures.ts';
import type { Need, Needs, Parallel, TaskCall } from './needs.ts';
import { canonicalText, checkParams, kebabCase } from './params.ts';
import type { TaskRegistry } from './registry.ts';
import { type ParamsSchema, paramsSchemaOf, type Task } from './task.ts';

/** A task with checked params. Two calls with the same canonical params are one node. */
export interface GraphNode {
  /** Name and canonical params: unique, the same in every run. */
  readonly id: string;
  readonly name: string;
  /** Name and params as a person writes them: `upgrade-node NODE=cp-1`. */
  readonly title: string;
  readonly task: Task;
  readonly params: object;
  /** Nodes whose result this one reads. */
  readonly needs: ReadonlySet<string>;
  /** Nodes that have to be done first, results or not: `needs` and the order of sequences. */
  readonly after: ReadonlySet<string>;
  /** Side-by-side lists with a limit that this node is in. */
  readonly groups: readonly ParallelGroup[];
  /** The node whose list of needs brought this one; absent for goals and single needs. For display. */
  readonly listedBy?: string;
  /** The shape in which `run` wants its results. */
  readonly wants: Wants;
}

export interface ParallelGroup {
  readonly id: string;
  readonly limit: number;
}

/** Node ids in the shape of the task's `needs`. */
export type Wants =
  | { readonly kind: 'one'; readonly of: WantedNeed }
  | { readonly kind: 'named'; readonly of: ReadonlyMap<string, WantedNeed> };
export type WantedNeed = string | readonly string[];

export interface TaskGraph {
  /** In an order in which each node comes after everything that it is after; ties in the order of declaration. */
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly goals: readonly string[];
}

interface Draft {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly task: Task;
  readonly params: object;
  readonly needs: Set<string>;
  readonly after: Set<string>;
  readonly groups: ParallelGroup[];
  listedBy?: string;
  wants: Wants;
}

/**
 * Expands goals to everything that they need. Pure.
 *
 * Failure: all of `graph/*` and `params/*` at once.
 */
export function buildGraph(goals: readonly TaskCall[], registry: TaskRegistry, scope: object): TaskGraph {
  const builder = new GraphBuilder(registry, scope);
  const goalIds = goals.map((goal) => builder.add(goal, 'the command line'));
  builder.expandAll();
  builder.throwIfFailed();
  const nodes = inOrder(builder.drafts);
  return { nodes, goals: goalIds.filter((id) => id !== undefined) };
}

class GraphBuilder {
  readonly drafts = new Map<string, Draft>();
  readonly #failures: Failure[] = [];
  readonly #unexpanded: Draft[] = [];
  readonly #registry: TaskRegistry;
  readonly #scope: object;
  #groups = 0;

  constructor(registry: TaskRegistry, scope: object) {
    this.#registry = registry;
    this.#scope = scope;
  }

  throwIfFailed(): void {
    const [first, ...rest] = this.#failures;
    if (first) throw new TkError(first, ...rest);
  }

  /** The node's id; undefined when the call is wrong. */
  add(call: TaskCall, neededBy: string): string | undefined {
    const name = this.#registry.nameOf(call.task);
    if (name === undefined) {
      this.#failures.push(coreFailure('graph/unregistered-task', { summary: call.task.definition.summary, neededBy }));
      return undefined;
    }
    const task = this.#registry.get(name);
    const params = checkParams(name, task, call.params);
    if (!params.ok) {
      this.#failures.push(...params.failures);
      return undefined;
    }
    const canonical = canonicalText(params.value);
    if (canonical === undefined) {
      const param = Object.entries(params.value).find(([, value]) => value !== undefined && canonicalText(value) === undefined)?.[0] ?? '';
      this.#failures.push(coreFailure('params/not-plain', { task: name, param: kebabCase(param) }));
      return undefined;
    }
    const id = canonical === '{}' ? name : `${name}${canonical}`;
    if (this.drafts.has(id)) return id;
    const draft: Draft = {
      id,
      name,
      title: titleOf(name, call.params, paramsSchemaOf(call.task)),
      task,
      params: params.value,
      needs: new Set(),
      after: new Set(),
      groups: [],
      wants: { kind: 'named', of: new Map() },
    };
    this.drafts.set(id, draft);
    this.#unexpanded.push(draft);
    return id;
  }

  /** A list of work instead of recursion: a chain of ten thousand tasks must not overflow, and a cycle ends by itself. */
  expandAll(): void {
    for (let draft = this.#unexpanded.shift(); draft; draft = this.#unexpanded.shift()) {
      const needs = this.#needsOf(draft);
      if (needs !== undefined) draft.wants = this.#expand(draft, needs);
    }
  }

  #needsOf(draft: Draft): Needs | undefined {
    const { needs } = draft.task.definition;
    if (typeof needs !== 'function' || isNeed(needs)) return needs;
    try {
      return (needs as (params: object, scope: object) => Needs)(draft.params, this.#scope);
    } catch (error) {
      if (error instanceof TkError) this.#failures.push(...error.failures);
      else
        this.#failures.push(
          coreFailure('graph/needs-failed', { task: draft.name, message: error instanceof Error ? error.message : String(error) }),
        );
      return undefined;
    }
  }

  #expand(draft: Draft, needs: Needs): Wants {
    if (isNeed(needs)) return { kind: 'one', of: this.#expandNeed(draft, needs) };
    return { kind: 'named', of: new Map(Object.entries(needs).map(([name, need]) => [name, this.#expandNeed(draft, need)])) };
  }

  #expandNeed(draft: Draft, need: Need): WantedNeed {
    if (isCall(need)) return this.#require(draft, need) ?? '';
    if (isList(need)) return this.#list(draft, need);
    if (need.kind === 'parallel') return this.#parallel(draft, need);
    const groups = need.calls.map((member) => (member.kind === 'call' ? this.#list(draft, [member]) : this.#parallel(draft, member)));
    let before: readonly string[] = [];
    for (const group of groups) {
      for (const id of group) for (const previous of before) if (previous !== id) this.drafts.get(id)?.after.add(previous);
      // An empty list in the row must not cut it.
      if (group.length > 0) before = group;
    }
    return groups.flat();
  }

  #list(draft: Draft, calls: readonly TaskCall[]): readonly string[] {
    const ids = calls.map((call) => this.#require(draft, call)).filter((id) => id !== undefined);
    for (const id of ids) {
      const listed = this.drafts.get(id);
      if (listed) listed.listedBy ??= draft.id;
    }
    return ids;
  }

  #parallel(draft: Draft, { calls, parallel }: Parallel): readonly string[] {
    const ids = this.#list(draft, calls);
    if (parallel === undefined) return ids;
    this.#groups += 1;
    const group = { id: `${draft.id}#${this.#groups}`, limit: Math.max(1, parallel) };
    for (const id of new Set(ids)) this.drafts.get(id)?.groups.push(group);
    return ids;
  }

  #require(draft: Draft, call: TaskCall): string | undefined {
    const id = this.add(call, draft.name);
    if (id !== undefined) {
      draft.needs.add(id);
      draft.after.add(id);
    }
    return id;
  }
}

const isList = (need: Need): need is readonly TaskCall[] => Array.isArray(need);
const isCall = (need: Need): need is TaskCall => !isList(need) && need.kind === 'call';

function isNeed(needs: Needs | ((...args: never) => Needs)): needs is Need {
  if (Array.isArray(needs)) return true;
  const kind: unknown = (needs as { readonly kind?: unknown }).kind;
  return kind === 'call' || kind === 'sequence' || kind === 'parallel';
}

/** Depth first over `after`; the order of discovery decides ties, so the same declarations give the same order. */
function inOrder(drafts: ReadonlyMap<string, Draft>): ReadonlyMap<string, GraphNode> {
  const ordered = new Map<string, GraphNode>();
  const open = new Set<string>();
  const failures: Failure[] = [];
  for (const root of drafts.keys()) {
    const stack: { id: string; rest: Iterator<string> }[] = [];
    const enter = (id: string) => {
      const draft = drafts.get(id);
      if (!draft || ordered.has(id)) return;
      if (open.has(id)) {
        const from = stack.findIndex((frame) => frame.id === id);
        failures.push(
          coreFailure('graph/cycle', {
            path: [...stack.slice(from).map((frame) => frame.id), id].map((step) => drafts.get(step)?.title ?? step),
          }),
        );
        return;
      }
      open.add(id);
      stack.push({ id, rest: draft.after.values() });
    };
    enter(root);
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const next = frame.rest.next();
      if (!next.done) {
        enter(next.value);
        continue;
      }
      stack.pop();
      open.delete(frame.id);
      const draft = drafts.get(frame.id);
      if (draft) ordered.set(frame.id, draft);
    }
  }
  const [first, ...rest] = failures;
  if (first) throw new TkError(first, ...rest);
  return ordered;
}

/** Only what the caller gave: defaults would be noise. */
function titleOf(name: string, params: object, schema: ParamsSchema): string {
  const words = Object.entries(params)
    .filter(([key, value]) => value !== undefined && !isDefault(schema.shape[key] as z.ZodType | undefined, value))
    .map(([key, value]) => `${kebabCase(key)}=${typeof value === 'string' ? value : (canonicalText(value) ?? '…')}`);
  return [name, ...words].join(' ');
}

function isDefault(field: z.ZodType | undefined, value: unknown): boolean {
  const absent = field?.safeParse(undefined);
  return absent?.success === true && absent.data !== undefined && canonicalText(absent.data) === canonicalText(value);
}

/** The results of a node's needs in the shape that its `run` declared. */
export function shapeResults(wants: Wants, resultOf: (id: string) => unknown): unknown {
  const one = (wanted: WantedNeed): unknown => (typeof wanted === 'string' ? resultOf(wanted) : wanted.map(resultOf));
  if (wants.kind === 'one') return one(wants.of);
  return Object.fromEntries([...wants.of].map(([name, wanted]) => [name, one(wanted)]));
}
