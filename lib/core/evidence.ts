/**
 * What reality says about an act. `seen` is what was looked at, in words a person can check ("3 members on cp-1").
 * `undecidable` means that nobody may act before a person has looked.
 */
export type Evidence<T = void> =
  | { readonly state: 'done'; readonly seen: string; readonly value: T }
  | { readonly state: 'not-done'; readonly seen?: string }
  | { readonly state: 'undecidable'; readonly seen: string; readonly help?: string };

export function done(seen: string): Evidence<void>;
export function done<T>(seen: string, value: T): Evidence<T>;
export function done<T>(seen: string, value?: T): Evidence<T | undefined> {
  return { state: 'done', seen, value };
}

export const notDone = (seen?: string): Evidence<never> => ({ state: 'not-done', ...(seen === undefined ? {} : { seen }) });

export const undecidable = (seen: string, help?: string): Evidence<never> => ({
  state: 'undecidable',
  seen,
  ...(help === undefined ? {} : { help }),
});
