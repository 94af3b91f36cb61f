/** Which values of a file are encrypted. At most one of the six may be given; none means every key but those ending in `_unencrypted`. */
export interface Selection {
  readonly unencrypted_suffix?: string | undefined;
  readonly encrypted_suffix?: string | undefined;
  readonly unencrypted_regex?: string | undefined;
  readonly encrypted_regex?: string | undefined;
  readonly unencrypted_comment_regex?: string | undefined;
  readonly encrypted_comment_regex?: string | undefined;
}

export const selectionKeys = [
  'unencrypted_suffix',
  'encrypted_suffix',
  'unencrypted_regex',
  'encrypted_regex',
  'unencrypted_comment_regex',
  'encrypted_comment_regex',
] as const satisfies readonly (keyof Selection)[];

export const defaultSelection: Selection = { unencrypted_suffix: '_unencrypted' };

/** Comments that stand over a value, outermost block first. */
export type CommentStack = readonly (readonly string[])[];

/** Go's syntax for the flags that JavaScript writes elsewhere: `(?i)` in front. Undefined when it is no expression. */
export function goRegex(source: string): RegExp | undefined {
  const [, flags = ''] = /^\(\?([imsU]+)\)/.exec(source) ?? [];
  const body = flags === '' ? source : source.slice(flags.length + 3);
  const plain = body
    .replace(/\(\?P</g, '(?<')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$');
  try {
    return new RegExp(
      plain,
      [...flags]
        .filter((flag) => 'ims'.includes(flag))
        .join('')
        .concat('u'),
    );
  } catch {
    try {
      return new RegExp(plain, [...flags].filter((flag) => 'ims'.includes(flag)).join(''));
    } catch {
      return undefined;
    }
  }
}

/** Decides per value. Source: getsops/sops sops.go `shouldBeEncrypted`. */
export function selector(selection: Selection): (path: readonly string[], comments: CommentStack, isComment: boolean) => boolean {
  const regex = (source: string | undefined) => (source ? goRegex(source) : undefined);
  const unencrypted = regex(selection.unencrypted_regex);
  const encrypted = regex(selection.encrypted_regex);
  const unencryptedComment = regex(selection.unencrypted_comment_regex);
  const encryptedComment = regex(selection.encrypted_comment_regex);
  const { unencrypted_suffix: plainSuffix, encrypted_suffix: suffix } = selection;
  return (path, comments, isComment) => {
    let isEncrypted = true;
    if (plainSuffix && path.some((part) => part.endsWith(plainSuffix))) isEncrypted = false;
    if (suffix) isEncrypted = path.some((part) => part.endsWith(suffix));
    if (unencrypted && path.some((part) => unencrypted.test(part))) isEncrypted = false;
    if (encrypted) isEncrypted = path.some((part) => encrypted.test(part));
    if (unencryptedComment && comments.some((level) => level.some((text) => unencryptedComment.test(text)))) isEncrypted = false;
    if (encryptedComment) {
      // The comment that asks for encryption stays readable itself.
      const isItself = (level: number, place: number) =>
        isComment && level === comments.length - 1 && place === (comments.at(-1)?.length ?? 0) - 1;
      isEncrypted = comments.some((level, index) => level.some((text, place) => !isItself(index, place) && encryptedComment.test(text)));
    }
    return isEncrypted;
  };
}
