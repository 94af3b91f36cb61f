import type { Json } from '../base/index.ts';
import type { SimStore } from './kernel.ts';

/** What changed since the last call of `takeChanges`; `undefined` marks a deleted key. */
export type StoreChanges = ReadonlyMap<string, Json | undefined>;

export interface MemoryStore extends SimStore {
  takeChanges(): StoreChanges;
  load(entries: Iterable<readonly [string, Json]>): void;
  entries(): readonly (readonly [string, Json])[];
}

/**
 * Values by key, with the keys kept sorted so that walking a prefix costs what it returns. `keepsChanges`: somebody is going to take
 * them.
 */
export function createMemoryStore(onChange: () => void = () => {}, keepsChanges = true): MemoryStore {
  const values = new Map<string, Json>();
  const sorted: string[] = [];
  let changes = new Map<string, Json | undefined>();

  const lowerBound = (key: string): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const insert = (key: string, value: Json) => {
    const { size } = values;
    values.set(key, value);
    if (values.size > size) sorted.splice(lowerBound(key), 0, key);
  };

  return {
    get: <T extends Json>(key: string) => values.get(key) as T | undefined,
    set(key, value) {
      insert(key, value);
      if (keepsChanges) changes.set(key, value);
      onChange();
    },
    delete(key) {
      if (!values.delete(key)) return;
      sorted.splice(lowerBound(key), 1);
      if (keepsChanges) changes.set(key, undefined);
      onChange();
    },
    keys(prefix) {
      const found: string[] = [];
      for (let index = lowerBound(prefix); index < sorted.length; index += 1) {
        const key = sorted[index] as string;
        if (!key.startsWith(prefix)) break;
        found.push(key);
      }
      return found;
    },
    takeChanges() {
      const taken = changes;
      changes = new Map();
      return taken;
    },
    load(entries) {
      for (const [key, value] of entries) insert(key, value);
    },
    entries: () => sorted.map((key) => [key, values.get(key) as Json] as const),
  };
}
