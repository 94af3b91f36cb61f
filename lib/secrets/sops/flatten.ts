import { isTreeMap, TreeComment, type TreeMap, type TreeValue } from '../../format/index.ts';

const mapMark = '__map_';
const listMark = '__list_';

/** Nested metadata as flat keys, for the formats that have no nesting. Source: getsops/sops stores/flatten.go */
export function flatten(map: TreeMap): TreeMap {
  const entries: TreeMap['entries'] = [];
  const visit = (value: TreeValue, key: string): void => {
    if (Array.isArray(value))
      value
        .filter((item) => !(item instanceof TreeComment))
        .forEach((item, index) => visit(item as TreeValue, `${key}${listMark}${index}`));
    else if (isTreeMap(value)) for (const entry of value.entries) visitEntry(entry, `${key}${mapMark}`);
    else entries.push({ key, value });
  };
  const visitEntry = (entry: TreeMap['entries'][number], prefix: string): void => {
    if (!(entry instanceof TreeComment)) visit(entry.value, prefix + entry.key);
  };
  for (const entry of map.entries) visitEntry(entry, '');
  return { entries };
}

interface Branch {
  value?: TreeValue;
  readonly children: Map<string | number, Branch>;
}

/** The reverse; undefined when the keys contradict each other. */
export function unflatten(map: TreeMap): TreeMap | undefined {
  const root: Branch = { children: new Map() };
  for (const entry of map.entries) {
    if (entry instanceof TreeComment) continue;
    let branch = root;
    const [head = '', ...parts] = entry.key.split(/(?=__map_|__list_)/);
    const path = [
      head,
      ...parts.map((part) => (part.startsWith(mapMark) ? part.slice(mapMark.length) : Number.parseInt(part.slice(listMark.length), 10))),
    ];
    for (const part of path) {
      const next: Branch = branch.children.get(part) ?? { children: new Map() };
      branch.children.set(part, next);
      branch = next;
    }
    if (branch.value !== undefined) return undefined;
    branch.value = entry.value;
  }
  const build = (branch: Branch): TreeValue => {
    if (branch.children.size === 0) return branch.value ?? { entries: [] };
    const keys = [...branch.children.keys()];
    const child = (key: string | number) => build(branch.children.get(key) as Branch);
    if (keys.every((key) => typeof key === 'number')) return keys.sort((a, b) => a - b).map(child);
    return { entries: keys.map((key) => ({ key: String(key), value: child(key) })) };
  };
  const built = build(root);
  return isTreeMap(built) ? built : undefined;
}
