import { machineConfigSchema, type SchemaType, type TalosMinor } from '../../../lib/upstream/tables.ts';

export interface RandomCase {
  readonly seed: number;
  readonly base: string;
  readonly patches: readonly string[];
}

/** Source: the generator mulberry32, public domain */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Scalars as they are written. Most fit their type; some only look as if they did. */
const spellings: Readonly<Record<string, readonly string[]>> = {
  string: [
    'a',
    'b',
    'two words',
    '""',
    'off',
    'yes',
    '0644',
    '1_000',
    '12:30',
    '2020-01-01',
    '1e3',
    '0x1F',
    'true',
    '3.10',
    '"null"',
    "'it''s'",
    '"a\\nb"',
    '10.0.0.1',
    '~',
    'x-${Y}',
    '"#no"',
    'ä',
    '-',
    '1.',
    '.5',
    '+1',
    '9223372036854775808',
  ],
  bool: ['true', 'false', 'true', 'false', 'yes', 'off', 'True'],
  int: ['0', '1', '1500', '-1', '0x10', '010', '1_000', '"5"', '1.0'],
  uint: ['0', '1', '255', '0x10', '010', '4_096'],
  'time.Duration': ['0s', '90s', '1h30m15.5s', '1m', '500ms', '24h', '"0"', '15'],
  base64: ['Y2VydA==', '""', 'aGVsbG8='],
  'block.ByteSize': ['10GiB', '100MB', '1.5GB', '1024', '0', '"0"', '10 GB', '1TiB'],
  'block.PercentageSize': ['80%', '0%', '100%'],
  'block.Size': ['10GiB', '80%', '1024', '500MB'],
  'v1alpha1.DiskSize': ['10GB', '1000000001', '0', '100 GiB', '5000', '1500'],
  'v1alpha1.FileMode': ['0o644', '0644', '420', '0x1a4', '0', '0o755'],
  'runtime.EtcFileMode': ['0o644', '0644', '420', '0'],
  'v1alpha1.InstallDiskSizeMatcher': ['">= 100GB"', '100GB', '"<1TiB"', '"== 10 GB"'],
  'cel.Expression': ['"true"', "'disk.size > 10u * GB'", '\'disk.transport == "nvme"\'', "'link.type == 1'", 'system_disk'],
  'network.PortRange': ['80', '8000-8100', '"443"', '0', '5-5'],
  prefix: ['10.0.0.0/8', 'fd00::/8', '2001:DB8::1/64', '192.168.1.10/24', '0.0.0.0/0', '""'],
  address: ['10.0.0.1', '2001:0db8::0001', 'fe80::1', '::1', '""'],
  port: ['10.0.0.1:80', '"[fd00::1]:51820"', '""'],
  'nethelpers.HardwareAddr': ['aa:bb:cc:dd:ee:ff', 'AA:BB:CC:00:11:22', 'aa-bb-cc-dd-ee-ff'],
  'meta.URL': ['https://example.org/a', 'https://10.0.0.1:6443', '""', 'http://x:1/y?z=1#q'],
  any: ['1', 'true', 'text', '0644', '1.50', '2020-01-01', '~', '[1, a]', '{k: v, n: {m: [1]}}', '1e3', '12:30', '""'],
};

const familyOf = (go: string): string => {
  if (spellings[go]) return go;
  if (/^u?int\d*$/.test(go)) return go.startsWith('u') ? 'uint' : 'int';
  if (go.endsWith('AddrPort')) return 'port';
  if (go.endsWith('Prefix')) return 'prefix';
  if (go.endsWith('.Addr')) return 'address';
  if (go.endsWith('Base64Bytes')) return 'base64';
  if (go.endsWith('Endpoint')) return 'meta.URL';
  return 'string';
};

type Written = string | Written[] | { [key: string]: Written };

/** A base and one or two patches of it, by the tables of that minor: a random choice of documents, fields, spellings and deletions. */
export function randomCase(seed: number, minor: TalosMinor): RandomCase {
  const random = randomOf(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const chance = (share: number) => random() < share;
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const schema = machineConfigSchema(minor);
  const names = ['one', 'two'];
  const keys = ['a', 'b.c', 'zone', 'x-y', '"1"'];

  const value = (type: SchemaType, depth: number, isPatch: boolean): Written => {
    if (isPatch && chance(0.03)) return '~';
    switch (type.is) {
      case 'pointer':
        return value(type.to, depth, isPatch);
      case 'any':
        return pick(spellings['any'] ?? []);
      case 'enum':
        return chance(0.04) ? 'nonsense' : chance(0.1) ? pick(type.values).toUpperCase() : quoted(pick(type.values));
      case 'scalar':
        return pick(spellings[familyOf(type.go)] ?? []);
      case 'list':
        return Array.from({ length: below(3) }, () => (isPatch && depth > 1 && chance(0.05) ? '~' : value(type.of, depth + 1, isPatch)));
      case 'map':
        return Object.fromEntries(
          Array.from({ length: below(3) }, () => [
            pick(keys),
            isPatch && chance(0.12) ? { $patch: 'delete' } : value(type.of, depth + 1, isPatch),
          ]),
        );
      case 'struct': {
        const result: { [key: string]: Written } = {};
        const share = depth === 0 ? 0.6 : depth > 3 ? 0.25 : 0.4;
        const crowded = Math.min(1, 5 / Math.max(1, type.fields.length));
        for (const field of type.fields)
          if (chance(Math.max(share * crowded, depth === 0 ? 0.1 : 0.05)))
            result[field.name] = isPatch && chance(0.08) ? { $patch: 'delete' } : value(field.type, depth + 1, isPatch);
        if (isPatch && depth > 1 && chance(0.03)) result['$patch'] = 'delete';
        if (chance(0.01)) result['unheardOf'] = '1';
        return result;
      }
    }
  };

  const kinds = [...schema.kinds.values()];
  const chosen = Array.from({ length: 1 + below(2) }, () => (chance(0.4) ? schema.kinds.get('v1alpha1') : pick(kinds))).flatMap((kind) =>
    kind ? [kind] : [],
  );
  const documentOf = (kind: (typeof kinds)[number], isPatch: boolean): Written => {
    const body = value(kind.type, 0, isPatch);
    const fields = typeof body === 'object' && !Array.isArray(body) ? body : {};
    if (kind.kind === 'v1alpha1') {
      const { version: _, ...rest } = fields;
      if (isPatch) return Object.keys(rest).length > 0 ? rest : { debug: 'true' };
      return { version: 'v1alpha1', ...rest, machine: rest['machine'] ?? {} };
    }
    const identity = {
      apiVersion: 'v1alpha1',
      kind: kind.kind,
      ...(kind.nameField === undefined ? {} : { [kind.nameField]: pick(names) }),
    };
    if (isPatch && chance(0.05)) return { ...identity, $patch: 'delete' };
    return { ...fields, ...identity };
  };
  const text = (documents: readonly Written[]) => documents.map((document) => `${write(document, 0)}\n`).join('---\n');
  const legacy = schema.kinds.get('v1alpha1');
  const baseKinds = [...new Set([...(legacy ? [legacy] : []), ...chosen])];
  return {
    seed,
    base: text(baseKinds.map((kind) => documentOf(kind, false))),
    patches: Array.from({ length: 1 + below(2) }, () => text([...new Set(chosen)].map((kind) => documentOf(kind, true)))),
  };
}

const quoted = (word: string): string => (/^[A-Za-z][\w./-]*$/.test(word) ? word : JSON.stringify(word));

function write(written: Written, column: number): string {
  if (typeof written === 'string') return written;
  const pad = ' '.repeat(column);
  const below = (child: Written): string => {
    if (typeof child === 'string') return ` ${child}`;
    const isEmpty = Array.isArray(child) ? child.length === 0 : Object.keys(child).length === 0;
    if (isEmpty) return Array.isArray(child) ? ' []' : ' {}';
    return `\n${write(child, column + 2)}`;
  };
  if (!Array.isArray(written))
    return Object.entries(written)
      .map(([key, child]) => `${pad}${key}:${below(child)}`)
      .join('\n');
  return written
    .map((child) => {
      const inner = below(child);
      return inner.startsWith('\n') ? `${pad}- ${inner.slice(column + 3)}` : `${pad}-${inner}`;
    })
    .join('\n');
}
