/** What a look at the world came to when nobody could be asked: the code of a passing failure stands where words should. */
const words: ReadonlyMap<string, string> = new Map([
  ['host/dial', 'it does not answer'],
  ['kube/busy', 'the API server is not ready'],
  ['kube/no-answer', 'the API server does not answer in time'],
  ['kube/unreachable', 'the API server does not answer'],
  ['talos/busy', 'the machine is busy with another change'],
  ['talos/deadline', 'the machine does not answer in time'],
  ['talos/unavailable', "the machine's API is not up"],
  ['talos/unreachable', 'the machine does not answer'],
]);

/** For progress lines: `seen` of an event as somebody would say it. */
export const seenWords = (seen: string): string => words.get(seen) ?? seen;
