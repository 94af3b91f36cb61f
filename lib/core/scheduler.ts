import type { GraphNode, TaskGraph } from './graph.ts';

/**
 *  waiting ──▶ ready ──▶ running ──▶ done │ failed │ cancelled
 *     │          └────────────────────────────────────▲
 *     └──▶ blocked (something before it did not end well)
 */
export type NodeState =
  | { readonly state: 'waiting'; readonly missing: number }
  | { readonly state: 'ready' }
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly value: unknown }
  | { readonly state: 'failed' }
  | { readonly state: 'cancelled'; readonly reason: string }
  | { readonly state: 'blocked'; readonly by: string };

/** How a node's work ended. */
export type NodeEnd =
  | { readonly state: 'done'; readonly value: unknown }
  | { readonly state: 'failed' }
  | { readonly state: 'cancelled'; readonly reason: string };

export interface SchedulerOptions {
  readonly parallel: number;
  /** After a failure go on with what does not depend on it. Absent: start nothing new. */
  readonly keepGoing?: boolean;
  locksOf(node: GraphNode): readonly string[];
  /** Never rejects. */
  start(node: GraphNode): Promise<NodeEnd>;
  /** A node that will never start. */
  dropped(node: GraphNode, state: Extract<NodeState, { state: 'blocked' | 'cancelled' }>): void;
  readonly stopping: AbortSignal;
}

/**
 * Runs the graph: each node once, after everything that it is after, within the limits. Decides only order; what a node does
 * is the caller's. Resolves when nothing runs and nothing more will start.
 */
export async function schedule(graph: TaskGraph, options: SchedulerOptions): Promise<ReadonlyMap<string, NodeState>> {
  const run = new Schedule(graph, options);
  await run.finished;
  return run.states;
}

class Schedule {
  readonly states = new Map<string, NodeState>();
  readonly finished: Promise<void>;
  readonly #graph: TaskGraph;
  readonly #options: SchedulerOptions;
  readonly #rank = new Map<string, number>();
  readonly #dependants = new Map<string, string[]>();
  readonly #locks = new Set<string>();
  readonly #groupUse = new Map<string, number>();
  /** Sorted by rank: among ready nodes the first declared starts first. */
  readonly #ready: string[] = [];
  #running = 0;
  #failedBy: string | undefined;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #isPumping = false;
  #mustPump = false;

  constructor(graph: TaskGraph, options: SchedulerOptions) {
    this.#graph = graph;
    this.#options = options;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    let rank = 0;
    for (const node of graph.nodes.values()) {
      this.#rank.set(node.id, rank);
      rank += 1;
      for (const before of node.after) {
        const list = this.#dependants.get(before);
        if (list) list.push(node.id);
        else this.#dependants.set(before, [node.id]);
      }
      this.states.set(node.id, { state: 'waiting', missing: node.after.size });
    }
    for (const node of graph.nodes.values()) if (node.after.size === 0) this.#makeReady(node.id);
    options.stopping.addEventListener('abort', () => this.#pump(), { once: true });
    this.#pump();
  }

  #node(id: string): GraphNode {
    const node = this.#graph.nodes.get(id);
    if (!node) throw new Error(`no node ${id}`);
    return node;
  }

  #makeReady(id: string): void {
    this.states.set(id, { state: 'ready' });
    const rank = this.#rank.get(id) ?? 0;
    let low = 0;
    let high = this.#ready.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rank.get(this.#ready[middle] ?? '') ?? 0) < rank) low = middle + 1;
      else high = middle;
    }
    this.#ready.splice(low, 0, id);
  }

  #pump(): void {
    // `dropped` and `start` call back into the caller, which may stop the run from there.
    this.#mustPump = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#mustPump) {
      this.#mustPump = false;
      const reason = this.#reasonToStartNothing();
      if (reason !== undefined) this.#dropRest(reason);
      for (let index = 0; index < this.#ready.length && this.#running < this.#options.parallel && !this.#mustPump; ) {
        const id = this.#ready[index] ?? '';
        const node = this.#node(id);
        if (this.#canStart(node)) {
          this.#ready.splice(index, 1);
          this.#start(node);
        } else index += 1;
      }
    }
    this.#isPumping = false;
    if (this.#running === 0 && this.#ready.length === 0) this.#resolve();
  }

  #reasonToStartNothing(): string | undefined {
    if (this.#options.stopping.aborted) return 'the run was stopped';
    if (this.#failedBy !== undefined && !this.#options.keepGoing) return `${this.#node(this.#failedBy).title} failed`;
    return undefined;
  }

  #canStart(node: GraphNode): boolean {
    if (this.#options.locksOf(node).some((lock) => this.#locks.has(lock))) return false;
    return node.groups.every((group) => (this.#groupUse.get(group.id) ?? 0) < group.limit);
  }

  #start(node: GraphNode): void {
    this.#running += 1;
    this.states.set(node.id, { state: 'running' });
    const locks = this.#options.locksOf(node);
    for (const lock of locks) this.#locks.add(lock);
    for (const group of node.groups) this.#groupUse.set(group.id, (this.#groupUse.get(group.id) ?? 0) + 1);
    void this.#options.start(node).then((end) => {
      this.#running -= 1;
      for (const lock of locks) this.#locks.delete(lock);
      for (const group of node.groups) this.#groupUse.set(group.id, (this.#groupUse.get(group.id) ?? 1) - 1);
      this.states.set(node.id, end);
      if (end.state === 'done') this.#release(node.id);
      else {
        if (end.state === 'failed') this.#failedBy ??= node.id;
        this.#block(node.id);
      }
      this.#pump();
    }, this.#reject);
  }

  #release(id: string): void {
    for (const dependant of this.#dependants.get(id) ?? []) {
      const state = this.states.get(dependant);
      if (state?.state !== 'waiting') continue;
      if (state.missing === 1) this.#makeReady(dependant);
      else this.states.set(dependant, { state: 'waiting', missing: state.missing - 1 });
    }
  }

  /** Everything that comes after a node that did not end well, near ones first. */
  #block(id: string): void {
    const queue = [...(this.#dependants.get(id) ?? [])];
    for (const next of queue) {
      if (this.states.get(next)?.state !== 'waiting') continue;
      this.#drop(next, { state: 'blocked', by: id });
      queue.push(...(this.#dependants.get(next) ?? []));
    }
  }

  #dropRest(reason: string): void {
    this.#ready.length = 0;
    for (const [id, state] of this.states)
      if (state.state === 'waiting' || state.state === 'ready') this.#drop(id, { state: 'cancelled', reason });
  }

  #drop(id: string, state: Extract<NodeState, { state: 'blocked' | 'cancelled' }>): void {
    this.states.set(id, state);
    this.#options.dropped(this.#node(id), state);
  }
}
