/** Prose of columns, and a hash that only storage migration reads. */
const unstable = new Set(['description', 'storageVersionHash']);

/**
 * Takes out what differs from run to run, and keeps what must stay equal: the same uid gets the same name everywhere. Versions keep
 * only whether they changed since the object's last answer.
 */
export function createNormaliser(): (value: unknown) => unknown {
  const uids = new Map<string, string>();
  const uid = (text: string): string => {
    if (/^(0{8}|1{8})-/.test(text)) return text;
    const known = uids.get(text) ?? `uid-${uids.size + 1}`;
    uids.set(text, known);
    return known;
  };
  const walk = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return text(value, key);
    if (Array.isArray(value)) {
      const items = value.map((item) => walk(item, key));
      // Go walks a map of managers: the order of causes is random.
      return key === 'causes' ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
    }
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !unstable.has(name))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, inner]) => [name.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, uid), walk(inner, name)]),
    );
  };
  const text = (value: string, key: string): string => {
    if (key === 'resourceVersion') return 'version';
    if (key === 'continue') return 'token';
    return value
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, uid)
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, 'time')
      .replace(/^\d+[sm]$/, 'age');
  };
  return (value) => walk(value, '');
}

/** One answer as it is compared: JSON, lines of JSON, or text. */
export function parseAnswer(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    const lines = body.split('\n').filter((line) => line !== '');
    try {
      return { lines: lines.map((line) => JSON.parse(line) as unknown) };
    } catch {
      return body;
    }
  }
}
