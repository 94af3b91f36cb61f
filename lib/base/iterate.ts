/**
 * An iterable of the one item that `make` gives when somebody asks. One call of a machine passes through half a dozen layers:
 * a generator in each would cost more than the call.
 */
export function onlyItem<T>(make: () => Promise<T> | T): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      let isOver = false;
      return {
        async next() {
          if (isOver) return ended;
          isOver = true;
          return { done: false, value: await make() };
        },
        async return() {
          isOver = true;
          return ended;
        },
      };
    },
  };
}

/** The iterable that `choose` decides for when its first item is asked for. */
export function chosenLater<T>(choose: () => Promise<AsyncIterable<T>> | AsyncIterable<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      let items: AsyncIterator<T> | undefined;
      let isOver = false;
      return {
        async next() {
          if (isOver) return ended;
          items ??= (await choose())[Symbol.asyncIterator]();
          return items.next();
        },
        async return() {
          isOver = true;
          await items?.return?.();
          return ended;
        },
      };
    },
  };
}

const ended = { done: true, value: undefined } as const;
