import { parseYamlBulk } from '../../../lib/format/index.ts';
import { machineConfigSchema, type SchemaType, talconfigSchema } from '../../../lib/upstream/tables.ts';
import { genConfigCases } from '../gen-config/cases.ts';
import { bases } from '../patch/bases.ts';
import { patchCases } from '../patch/cases.ts';
import { header, talhelperCases } from '../talhelper/cases.ts';
import { validateCases } from '../validate/cases.ts';

export interface Coverage {
  readonly covered: readonly string[];
  readonly blank: readonly string[];
}

/** Which things that upstream defines occur in a recorded case, and which do not. */
export function coverage(): Readonly<Record<'talconfig keys' | 'merge rules' | 'document kinds', Coverage>> {
  return { 'talconfig keys': talconfigKeys(), 'merge rules': mergeRules(), 'document kinds': documentKinds() };
}

function split(all: Iterable<string>, seen: ReadonlySet<string>): Coverage {
  const sorted = [...new Set(all)].sort();
  return { covered: sorted.filter((one) => seen.has(one)), blank: sorted.filter((one) => !seen.has(one)) };
}

/** Every key of the file's own schema, and the first level of what it borrows from Talos. */
function talconfigKeys(): Coverage {
  const all = new Set<string>();
  const seen = new Set<string>();
  const name = (type: SchemaType): string => type.go.replace(/^(?:\*|\[\])+/, '');
  const collect = (type: SchemaType, done: Set<string>) => {
    if (type.is === 'pointer') return collect(type.to, done);
    if (type.is === 'list') return collect(type.of, done);
    if (type.is !== 'struct' || done.has(type.go)) return;
    done.add(type.go);
    for (const field of type.fields) {
      all.add(`${name(type)}.${field.name}`);
      collect(field.type, done);
    }
  };
  const mark = (type: SchemaType, value: unknown) => {
    if (type.is === 'pointer') return mark(type.to, value);
    if (type.is === 'list') {
      if (Array.isArray(value)) for (const item of value) mark(type.of, item);
      return;
    }
    if (type.is !== 'struct' || typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      const field = type.byName.get(key);
      if (!field) continue;
      seen.add(`${name(type)}.${key}`);
      mark(field.type, child);
    }
  };
  collect(talconfigSchema(), new Set());
  for (const one of talhelperCases) {
    // What is never accepted is covered by its refusal.
    for (const key of one.refuses ?? []) seen.add(key);
    if (one.name.startsWith('refused')) continue;
    for (const value of parseYamlBulk((header('1.13') + one.talconfig).replaceAll(/\$\{[^}]*\}/g, 'x'), { version: 'go' }))
      mark(talconfigSchema(), value);
  }
  return split(all, seen);
}

/** Fields whose lists and structs are not merged in the ordinary way, of all minors. */
function mergeRules(): Coverage {
  const all = new Set<string>();
  const seen = new Set<string>();
  const keyed = [
    'v1alpha1.NetworkDeviceList',
    'v1alpha1.VlanList',
    'v1alpha1.AdmissionPluginConfigList',
    'extensions.ConfigFileList',
    'security.ImageVerificationRules',
  ];
  for (const minor of ['1.13', '1.14'] as const) {
    const visit = (type: SchemaType, value: readonly unknown[], path: string, done: readonly string[]) => {
      if (type.is === 'pointer') return visit(type.to, value, path, done);
      if (type.is === 'list' || type.is === 'map') {
        if (keyed.includes(type.go) || type.go.endsWith('.Args')) {
          all.add(`${path} by key`);
          if (value.length > 0) seen.add(`${path} by key`);
        }
        return visit(
          type.of,
          value.flatMap((one) => (Array.isArray(one) ? one : typeof one === 'object' && one !== null ? Object.values(one) : [])),
          path,
          done,
        );
      }
      if (type.is !== 'struct' || done.includes(type.go)) return;
      for (const field of type.fields) {
        const inner = value.flatMap((one) => {
          const child = typeof one === 'object' && one !== null ? (one as Record<string, unknown>)[field.name] : undefined;
          return child === undefined ? [] : [child];
        });
        const below = path === '' ? field.name : `${path}.${field.name}`;
        if (field.replaces) {
          all.add(`${below} replaces`);
          if (inner.length > 0) seen.add(`${below} replaces`);
        }
        visit(field.type, inner, below, [...done, type.go]);
      }
    };
    const patches = patchDocuments();
    for (const { kind, type } of machineConfigSchema(minor).kinds.values()) {
      visit(
        type,
        patches.filter((one) => (one['kind'] ?? 'v1alpha1') === kind),
        kind === 'v1alpha1' ? '' : kind,
        [],
      );
    }
  }
  return split(all, seen);
}

function patchDocuments(): Record<string, unknown>[] {
  return patchCases.flatMap(({ patches }) => patches.flatMap(documentsIn));
}

function documentsIn(text: string): Record<string, unknown>[] {
  try {
    return parseYamlBulk(text, { version: 'go' }).filter(
      (one): one is Record<string, unknown> => typeof one === 'object' && one !== null && !Array.isArray(one),
    );
  } catch {
    return [];
  }
}

function documentKinds(): Coverage {
  const seen = new Set<string>(['v1alpha1']);
  const texts = [
    ...Object.values(bases),
    ...patchCases.flatMap(({ patches }) => patches),
    ...validateCases.map(({ append }) => append ?? ''),
    ...genConfigCases.flatMap(({ patches, controlPlanePatches, workerPatches }) => [
      ...(patches ?? []),
      ...(controlPlanePatches ?? []),
      ...(workerPatches ?? []),
    ]),
  ];
  for (const text of texts) for (const match of text.matchAll(/^kind: (\w+)$/gm)) seen.add(match[1] ?? '');
  // What gen config writes by itself, and what talhelper makes of network settings.
  for (const kind of [
    'DiscoveryServiceConfig',
    'DiscoveryIdentityConfig',
    'FilesystemTrimConfig',
    'SecurityProfileConfig',
    'LinkAliasConfig',
    'DHCPv6Config',
  ])
    seen.add(kind);
  for (const kind of machineConfigSchema('1.14').kinds.keys()) {
    if (
      /^Kube(?:Cluster|APIServerCA|Prism|AggregatorCA|AdmissionControl|AuditPolicy|Authentication|Authorizer|EtcdEncryption|ServiceAccount|APIServer|ControllerManager|Scheduler|Proxy|FlannelCNI|CoreDNS)Config$/.test(
        kind,
      )
    )
      seen.add(kind);
  }
  return split([...machineConfigSchema('1.14').kinds.keys()], seen);
}
