import type { AppendFile, Dial, Files, GrpcCall, TalosConnection, World } from '../../../lib/base/index.ts';

/** `write`: what is on the disk changes; `append`: by a line at the end of a journal. */
export type OperationKind = 'read' | 'write' | 'append' | 'wire';

export interface MortalProcess {
  readonly world: World;
  readonly death: Promise<'dead'>;
}

/**
 * The World as one process sees it that dies at one of its operations: an even one has taken effect when it dies, an odd one has
 * not; half an operation further (41.5) it is the other way round. Nothing that a dead process asked for ever returns, so nothing of it goes
 * on. `on` hears of every operation before it is begun, `ended` when it has taken effect.
 */
export function mortal(
  world: World,
  dieAfter: number | undefined,
  on: (operation: number, kind: OperationKind) => Promise<void> | void = () => {},
  ended?: (kind: OperationKind) => void,
): MortalProcess {
  const dying = Promise.withResolvers<'dead'>();
  // One for each process: what waits for it is forgotten with the process.
  const never = new Promise<never>(() => {});
  let isDead = false;
  let operations = 0;
  let frozen: Promise<void> | undefined;
  const die = (): Promise<never> => {
    isDead = true;
    dying.resolve('dead');
    return never;
  };
  /** One operation. What was under way when the process died may take effect, but nobody hears of it. */
  const live = async <T>(kind: OperationKind, act: () => Promise<T>): Promise<T> => {
    if (isDead) return never;
    operations += 1;
    const operation = operations;
    // A laptop that is closed: nothing of the process goes on until it is opened again.
    frozen ??= on(operation, kind) ?? undefined;
    if (frozen) {
      await frozen;
      frozen = undefined;
    }
    const isLast = dieAfter !== undefined && operation === Math.floor(dieAfter);
    if (isLast && (operation % 2 === 1) === Number.isInteger(dieAfter)) return die();
    try {
      const value = await act();
      ended?.(kind);
      if (isLast) return die();
      return isDead ? never : value;
    } catch (error) {
      if (isLast) return die();
      if (isDead) return never;
      throw error;
    }
  };
  const { files, dial, clock } = world;
  const mortalFiles: Files = {
    read: (path) => live('read', () => files.read(path)),
    readText: (path) => live('read', () => files.readText(path)),
    stat: (path) => live('read', () => files.stat(path)),
    list: (path) => live('read', () => files.list(path)),
    write: (path, content, options) => live('write', () => files.write(path, content, options)),
    append: (path, options) => live('write', async () => mortalAppend(await files.append(path, options))),
    remove: (path) => live('write', () => files.remove(path)),
    removeTree: (path) => live('write', () => files.removeTree(path)),
    makeDirectory: (path, options) => live('write', () => files.makeDirectory(path, options)),
    realPath: (path) => live('read', () => files.realPath(path)),
    lock: (path, owner) => live('write', () => files.lock(path, owner)),
  };
  const mortalAppend = (file: AppendFile): AppendFile => ({
    write: (text, options) => live('append', () => file.write(text, options)),
    close: () => live('write', () => file.close()),
  });
  const mortalDial: Dial = {
    talos: (target, signal) => live('wire', async () => mortalConnection(await dial.talos(target, signal))),
    http: (request) => live('wire', () => dial.http(request)),
  };
  const mortalConnection = (connection: TalosConnection): TalosConnection => ({
    peer: connection.peer,
    isOpen: () => connection.isOpen(),
    close: () => connection.close(),
    call: (call: GrpcCall) => ({
      [Symbol.asyncIterator]() {
        // Begun with the first message that is asked for: what a dead process was about to say is never said.
        let begun: AsyncIterator<Uint8Array> | undefined;
        const messages = () => (begun ??= connection.call(call)[Symbol.asyncIterator]());
        const leave = async () => {
          await begun?.return?.();
          return { done: true, value: undefined } as const;
        };
        return { next: () => live('wire', () => messages().next()), return: leave };
      },
    }),
  });
  return {
    death: dying.promise,
    world: {
      ...world,
      files: mortalFiles,
      dial: mortalDial,
      clock: {
        ...clock,
        now: () => clock.now(),
        monotonicMs: () => clock.monotonicMs(),
        whileBusy: (work) => clock.whileBusy(work),
        ...(clock.after && {
          after: (ms: number, fire: () => void) =>
            (clock.after as NonNullable<typeof clock.after>)(ms, () => {
              if (isDead) return;
              if (frozen) void frozen.then(() => void (isDead || fire()));
              else fire();
            }),
        }),
        async sleep(ms, signal) {
          try {
            await clock.sleep(ms, signal);
          } catch (error) {
            if (isDead) return never;
            throw error;
          }
          if (frozen) await frozen;
          if (isDead) await never;
        },
      },
    },
  };
}
