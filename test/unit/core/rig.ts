import {
  type AppendFile,
  baseFailure,
  type Clock,
  createRedactor,
  type Files,
  type Random,
  Secret,
  TkError,
} from '../../../lib/base/index.ts';
import {
  createEngine,
  createRegistry,
  type EngineEvent,
  type Prompter,
  type RunHandle,
  type RunOptions,
  type RunResult,
  type Task,
  type TaskCall,
  taskDefiner,
  type TaskRegistry,
} from '../../../lib/core/index.ts';

/** Tasks of these tests get nothing but the engine's own. */
export const defineTask = taskDefiner<{ plan: { readonly site: string }; run: { readonly site: string } }>();

/** A clock that jumps to the next timer as soon as nothing else is going on. */
export function jumpingClock(startMs = 1_800_000_000_000): Clock {
  let nowMs = 0;
  let timers: { atMs: number; order: number; fire: () => void }[] = [];
  let order = 0;
  let scheduled = false;
  const jumpWhenIdle = () => {
    if (scheduled) return;
    scheduled = true;
    // Two turns of the loop: everything that was ready has run.
    setImmediate(() =>
      setImmediate(() => {
        scheduled = false;
        timers.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
        const next = timers.shift();
        if (!next) return;
        nowMs = Math.max(nowMs, next.atMs);
        next.fire();
        if (timers.length > 0) jumpWhenIdle();
      }),
    );
  };
  return {
    now: () => startMs + nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const aborted = () => reject(new TkError(baseFailure('run/aborted', { during: 'sleep' })));
        if (signal?.aborted) return aborted();
        const timer = { atMs: nowMs + ms, order: (order += 1), fire: resolve };
        timers.push(timer);
        signal?.addEventListener('abort', () => {
          timers = timers.filter((other) => other !== timer);
          aborted();
        });
        jumpWhenIdle();
      }),
    whileBusy: (work) => work(),
  };
}

export function countingRandom(first = 0): Random {
  let next = first;
  return {
    bytes: (count) => Uint8Array.from({ length: count }, () => (next += 1) % 256),
    fraction: () => ((next += 1) % 100) / 100,
    privateKey: async () => new Secret(new Uint8Array()),
  };
}

/** What the power cut leaves: bytes that were not synced are kept, lost, or kept in part. */
export type Survival = 'all' | 'synced' | 'torn';

/** Files in memory with a page cache. After `dieAt` operations the process is dead: nothing it asks for ever returns. */
export class MemoryFiles implements Files {
  readonly disk = new Map<string, { text: string; syncedLength: number }>();
  operations = 0;
  isDead = false;
  #dieAt = Number.POSITIVE_INFINITY;
  #failsFrom = Number.POSITIVE_INFINITY;
  readonly #locks = new Map<string, string>();

  dieAt(operation: number): this {
    this.#dieAt = operation;
    return this;
  }

  /** From this operation on the disk is full. */
  fullFrom(operation: number): this {
    this.#failsFrom = operation;
    return this;
  }

  /** The files that the next process finds. */
  afterCrash(survival: Survival): MemoryFiles {
    const next = new MemoryFiles();
    for (const [path, { text, syncedLength }] of this.disk) {
      const unsynced = text.length - syncedLength;
      const kept = survival === 'all' ? unsynced : survival === 'synced' ? 0 : Math.floor(unsynced / 2);
      const survived = text.slice(0, syncedLength + kept);
      next.disk.set(path, { text: survived, syncedLength: survived.length });
    }
    return next;
  }

  async #operation<T>(path: string, act: () => T): Promise<T> {
    this.operations += 1;
    if (this.operations === this.#dieAt) this.isDead = true;
    if (this.isDead) return new Promise<never>(() => {});
    if (this.operations >= this.#failsFrom) throw new Error(`ENOSPC ${path}`);
    return act();
  }

  async readText(path: string): Promise<string | undefined> {
    return this.disk.get(path)?.text;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const text = this.disk.get(path)?.text;
    return text === undefined ? undefined : Buffer.from(text);
  }

  async stat(path: string) {
    const file = this.disk.get(path);
    return file && { kind: 'file' as const, sizeBytes: file.text.length, mode: 0o600, modifiedMs: 0 };
  }

  async list(path: string) {
    const names = new Map<string, 'file' | 'directory'>();
    for (const file of this.disk.keys()) {
      if (!file.startsWith(`${path}/`)) continue;
      const [name = '', ...rest] = file.slice(path.length + 1).split('/');
      names.set(name, rest.length > 0 ? 'directory' : 'file');
    }
    return [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, kind]) => ({ name, kind }));
  }

  write(path: string, content: Uint8Array | string) {
    const text = typeof content === 'string' ? content : Buffer.from(content).toString();
    return this.#operation(path, () => void this.disk.set(path, { text, syncedLength: text.length }));
  }

  append(path: string): Promise<AppendFile> {
    return this.#operation(path, () => {
      const file = this.disk.get(path) ?? { text: '', syncedLength: 0 };
      this.disk.set(path, file);
      return {
        write: (text, options = {}) =>
          this.#operation(path, () => {
            file.text += text;
            if (options.sync) file.syncedLength = file.text.length;
          }),
        close: () => this.#operation(path, () => {}),
      };
    });
  }

  remove(path: string) {
    return this.#operation(path, () => void this.disk.delete(path));
  }

  removeTree(path: string) {
    return this.#operation(path, () => {
      for (const file of this.disk.keys()) if (file.startsWith(`${path}/`)) this.disk.delete(file);
    });
  }

  makeDirectory() {
    return this.#operation('', () => {});
  }

  async realPath(path: string) {
    return path;
  }

  async lock(path: string, owner: string) {
    const heldBy = this.#locks.get(path);
    if (heldBy !== undefined) return { heldBy };
    this.#locks.set(path, owner);
    return { release: async () => void this.#locks.delete(path) };
  }
}

/** Something that waits until the test lets it go. */
export interface Gate {
  /** Resolves when somebody stands at the gate. */
  readonly reached: Promise<void>;
  pass(): Promise<void>;
  open(): void;
}

export function gate(): Gate {
  const arrived = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    reached: arrived.promise,
    pass() {
      arrived.resolve();
      return opened.promise;
    },
    open: opened.resolve,
  };
}

/** Nobody sits at the terminal. */
export const noPrompter: Prompter = {
  text: () => Promise.reject(new Error('asked')),
  password: () => Promise.reject(new Error('asked')),
  confirm: () => Promise.reject(new Error('asked')),
  select: () => Promise.reject(new Error('asked')),
  multiselect: () => Promise.reject(new Error('asked')),
};

export interface Rig {
  readonly files: MemoryFiles;
  readonly registry: TaskRegistry;
  readonly events: EngineEvent[];
  readonly printed: string[];
  readonly clock: Clock;
  begin(goal: TaskCall | readonly TaskCall[], options?: Partial<RunOptions>): RunHandle;
  run(goal: TaskCall | readonly TaskCall[], options?: Partial<RunOptions>): Promise<RunResult>;
  engine: ReturnType<typeof createEngine>;
  /** Event names with what they are about, without times. */
  story(): string[];
}

export function rig(
  tasks: Readonly<Record<string, Task>>,
  options: {
    readonly files?: MemoryFiles;
    readonly prompter?: Prompter;
    readonly clock?: Clock;
    readonly secrets?: readonly string[];
    readonly identity?: string;
    /** Runs that share files need ids of their own. */
    readonly firstRandom?: number;
  } = {},
): Rig {
  const files = options.files ?? new MemoryFiles();
  const registry = createRegistry();
  for (const [name, task] of Object.entries(tasks)) registry.register(name, task);
  const events: EngineEvent[] = [];
  const printed: string[] = [];
  const redactor = createRedactor();
  for (const secret of options.secrets ?? []) redactor.add(secret);
  const clock = options.clock ?? jumpingClock();
  const engine = createEngine({
    world: { clock, random: countingRandom(options.firstRandom), files },
    registry,
    kit: { plan: () => ({ site: 'here' }), run: () => ({ site: 'here' }) },
    stateDirectory: '/repo/.tk',
    root: '/repo',
    identity: options.identity ?? 'home',
    version: '0.0.0',
    redactor,
    prompter: options.prompter ?? noPrompter,
    sinks: [(event) => events.push(event)],
    stdout: (text) => void printed.push(text),
    owner: 'the test',
  });
  const begin: Rig['begin'] = (goal, runOptions = {}) =>
    engine.run(Array.isArray(goal) ? (goal as readonly TaskCall[]) : [goal as TaskCall], { argv: [], ...runOptions });
  return {
    files,
    registry,
    events,
    printed,
    clock,
    engine,
    begin,
    run: (goal, runOptions) => begin(goal, runOptions).finished,
    story: () => events.map(line),
  };
}

function line(event: EngineEvent): string {
  switch (event.event) {
    case 'run-started':
      return `run ${event.goals.join(', ')}`;
    case 'task-started':
      return `${event.task} started`;
    case 'task-detail':
      return `${event.task}: ${event.text}`;
    case 'task-finished':
      return `${event.task} ${described(event.outcome)}`;
    case 'step-started':
      return `  ${event.title} (${event.kind}${event.node === undefined ? '' : ` on ${event.node}`})`;
    case 'step-detail':
      return `    ${event.text}`;
    case 'step-retry':
      return `    try ${event.attempt} failed with ${event.failure.code}, again in ${event.delayMs} ms`;
    case 'step-finished':
      return `  ${event.step} ${described(event.outcome)}`;
    case 'waiting':
      return `  waiting for ${event.waitingFor}: ${event.seen}`;
    case 'log':
      return `  ${event.level}: ${event.text}`;
    case 'warning':
      return `  warning: ${event.failure.code}`;
    case 'asked':
      return `asked ${event.name}: ${event.message}`;
    case 'report':
      return `report ${event.headline ?? ''} ${JSON.stringify(event.rows)}`;
    case 'stopping':
      return `${event.signal} ${event.stage}`;
    case 'run-finished':
      return `${event.outcome} ${event.exitCode}`;
  }
}

function described(outcome: { readonly state: string }): string {
  const { state, ...rest } = outcome as {
    readonly state: string;
    readonly failures?: readonly { code: string }[];
    readonly failure?: { code: string };
  };
  if (rest.failures) return `${state} ${rest.failures.map((failure) => failure.code).join(' ')}`;
  if (rest.failure) return `${state} ${rest.failure.code}`;
  return [state, ...Object.entries(rest).map(([key, value]) => `${key}=${String(value)}`)].join(' ');
}
