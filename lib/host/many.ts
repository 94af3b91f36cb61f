/** Node versions from the first on have a compiler in the middle, which makes fast code at little cost; tried up to the last. */
const withMiddle = { first: 24, last: 26 };
/** What takes longer than this gains from the best code there is. */
const shortMs = 3000;

/**
 * Many nodes are to be worked through, which takes a second or two. Making the best code of what is hot costs more processor time than
 * that code saves until then; what lasts longer has it later.
 */
export function expectShortWork(): void {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < withMiddle.first || major > withMiddle.last) return;
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--no-opt');
  setTimeout(() => setFlagsFromString('--opt'), shortMs).unref();
}
