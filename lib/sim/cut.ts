/** What ends a call from outside. */
export interface Cut {
  listen(): void;
  /** For the few who look at it: aborted by either. */
  signal(): AbortSignal;
  /** What the work gives, or the error when either comes first. */
  orCut<T>(work: Promise<T>): Promise<T>;
  /** Leaves nothing behind on the signals, which outlive the call. */
  release(): void;
}

/** Its own signal, or that of the service. A signal for both is made only when somebody wants it. */
export function cutBy(call: AbortSignal, closed: AbortSignal, error: () => Error): Cut {
  let either: AbortController | undefined;
  let reject: ((error: Error) => void) | undefined;
  const abort = () => {
    either?.abort();
    reject?.(error());
  };
  return {
    listen() {
      call.addEventListener('abort', abort);
      closed.addEventListener('abort', abort);
    },
    signal() {
      either ??= new AbortController();
      if (call.aborted || closed.aborted) either.abort();
      return either.signal;
    },
    orCut(work) {
      work.catch(nothing);
      if (call.aborted || closed.aborted) return Promise.reject(error());
      return new Promise((resolve, fail) => {
        reject = fail;
        work.then(resolve, fail);
      });
    },
    release() {
      call.removeEventListener('abort', abort);
      closed.removeEventListener('abort', abort);
    },
  };
}

const nothing = () => {};

/** What a generator would do: begins at the first `next`, ends for good at the end, with an error, or when it is left. */
export function iteratedOnce<T>(
  begin: () => Promise<AsyncIterator<T>>,
  nextOf: (items: AsyncIterator<T>) => Promise<IteratorResult<T>>,
  end: () => void,
): AsyncIterable<T> {
  let items: AsyncIterator<T> | undefined;
  let isOver = false;
  const leave = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    end();
    await items?.return?.();
  };
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (isOver) return { done: true, value: undefined };
        try {
          items ??= await begin();
          const next = await nextOf(items);
          if (next.done) await leave();
          return next;
        } catch (error) {
          await leave();
          throw error;
        }
      },
      async return() {
        await leave();
        return { done: true, value: undefined };
      },
    }),
  };
}
