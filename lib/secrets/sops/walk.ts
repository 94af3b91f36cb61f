import { isTreeMap, TreeComment, type TreeList, type TreeMap, type TreeValue } from '../../format/index.ts';
import type { Leaf } from './cipher.ts';
import type { CommentStack } from './selection.ts';

/** What to put in a leaf's place. `path` is made of keys only: places in lists do not count. */
export type OnLeaf = (leaf: Leaf, path: readonly string[], comments: CommentStack) => Leaf;

/** A copy of the tree with every leaf replaced, in the order in which SOPS visits them; null stays null. */
export function mapTree(map: TreeMap, onLeaf: OnLeaf, path: readonly string[] = [], outer: CommentStack = []): TreeMap {
  let active: string[] = [];
  const entries: TreeMap['entries'] = [];
  for (const entry of map.entries) {
    if (entry instanceof TreeComment) {
      active = [...active, entry.text];
      const leaf = onLeaf(entry, path, [...outer, active]);
      entries.push(leaf instanceof TreeComment ? leaf : new TreeComment(String(leaf), entry.isInline));
      continue;
    }
    entries.push({ key: entry.key, value: mapValue(entry.value, onLeaf, [...path, entry.key], [...outer, active]) });
    active = [];
  }
  return { entries };
}

function mapValue(value: TreeValue, onLeaf: OnLeaf, path: readonly string[], comments: CommentStack): TreeValue {
  if (value === null) return null;
  if (Array.isArray(value)) return mapList(value, onLeaf, path, comments);
  if (isTreeMap(value)) return mapTree(value, onLeaf, path, comments);
  return onLeaf(value, path, comments) as TreeValue;
}

/** An encrypted comment of a list becomes an item of it, and an item that decrypts to a comment becomes one again. */
function mapList(list: TreeList, onLeaf: OnLeaf, path: readonly string[], outer: CommentStack): TreeList {
  let active: string[] = [];
  return list.map((item) => {
    if (item instanceof TreeComment) {
      active = [...active, item.text];
      return onLeaf(item, path, [...outer, active]) as TreeValue | TreeComment;
    }
    const value = mapValue(item, onLeaf, path, [...outer, active]);
    active = [];
    return value;
  });
}
