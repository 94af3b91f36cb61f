import { expressionEnvironments, expressionFields, type ExpressionSubject } from '../../../lib/upstream/tables.ts';
import { randomOf } from '../patch/random-case.ts';

export interface ExpressionCase {
  readonly environment: ExpressionSubject;
  readonly text: string;
}

/** What people write, and what they get wrong. */
const written: Readonly<Partial<Record<ExpressionSubject, readonly string[]>>> = {
  disk: [
    'system_disk',
    '!system_disk',
    "disk.transport == 'nvme'",
    'disk.transport == "nvme" && !system_disk',
    'disk.size > 100u * GB',
    'disk.size > 100 * GB',
    'disk.size > 100',
    'disk.size >= 1u * TiB && disk.size <= 2u * TiB && !disk.rotational',
    "disk.dev_path == '/dev/sda'",
    "'/dev/disk/by-id/ata-X' in disk.symlinks",
    "disk.symlinks.exists(s, s.startsWith('/dev/disk/by-id/'))",
    "glob('Samsung*', disk.model) || disk.serial in ['A', 'B']",
    'disk.wwid.matches("^naa.*$")',
    'disk.model.contains("SSD") ? disk.size > 1u : disk.rotational',
    'disks.size > 1u',
    'disk.sise > 1u',
    'disk.size > 10GB',
    'disk.transport = "nvme"',
    'disk.transport == nvme',
    'system_disk == "true"',
    'disk.size',
    'has(disk.uuid) && size(disk.symlinks) > 0',
    'disk.readonly == false && disk.cdrom != true',
    'disk.transport == "nvme" and !system_disk',
    '(disk.transport == "nvme"',
    'int(disk.size / GiB) > 100 && double(disk.size) / 2.0 > 1.5e3',
    'true',
    '',
    '/dev/sda',
    'disk.size > 1u // more',
  ],
  volume: ['volume.partition_label == "DATA"', 'volume.name == "xfs" && disk.serial == "1"', 'system_disk', 'volume.size > 1u * GB'],
  member: ['volume.partition_label.startsWith("r-lvm")', 'volume_id == "r-lvmdata"', 'disk.transport == "nvme" && !system_disk'],
  link: [
    'mac(link.permanent_addr) == "00:1a:2b:3c:4d:5e"',
    'glob("00:1a:2b:*", mac(link.permanent_addr))',
    'link.driver == "e1000"',
    'link.permanent_addr == "00:1a:2b:3c:4d:5e"',
    'link.type == 1 && link.kind == ""',
    'link.bond_master.mode == 1',
    'link.alt_names.exists(a, a == "x")',
    'link.name == "eth0"',
  ],
  trigger: [
    'memory_full_avg10 > 12.0 && d_memory_full_avg10 > 0.0 && time_since_trigger > duration("500ms")',
    'multiply_qos_vectors(d_qos_memory_full_total, {System: 8.0, Podruntime: 4.0}) > 3000.0',
    'memory_full_avg10 > 12',
    'qos_memory_current[Burstable] > 1.0 * double(GiB)',
    'qos_memory_current["Burstable"] > 1.0',
    'time_since_trigger > "500ms"',
  ],
  scoring: [
    'memory_max.hasValue() ? 0.0 : {Besteffort: 1.0, Burstable: 0.5, Guaranteed: 0.0, Podruntime: 0.0, System: 0.0}[class] * double(memory_current.orValue(0u))',
    'double(memory_peak.value())',
    'memory_current.optMap(x, double(x)).orValue(0.0)',
    'double(memory_current.orValue(0))',
    '1',
    'path.startsWith("kubepods") ? 1.0 : 0.0',
  ],
};

export const writtenExpressions: readonly ExpressionCase[] = Object.entries(written).flatMap(([environment, texts]) =>
  texts.map((text) => ({ environment: environment as ExpressionSubject, text })),
);

const subjects = Object.keys(expressionEnvironments) as ExpressionSubject[];
const leaves = [
  '1',
  '-1',
  '2u',
  '1.5',
  '1e3',
  '"a"',
  "'b'",
  'r"\\d"',
  'b"x"',
  'true',
  'false',
  'null',
  '0x1F',
  '[]',
  '{}',
  'dyn(1)',
  'int',
  'string',
  'x',
  'nope',
];
const methods = 'contains startsWith endsWith matches size getHours getFullYear value hasValue orValue or nope first last'.split(' ');
const calls = 'size int uint double string bytes bool duration timestamp type dyn glob mac matches nope optional.of optional.none'.split(
  ' ',
);
const macros = 'all exists exists_one map filter optMap optFlatMap'.split(' ');
const signs = '== != < <= > >= + - * / % && || in'.split(' ');

/** Expressions put together at random from what an environment knows, most of them wrong in one place. */
export function randomExpressions(count: number, seed: number): readonly ExpressionCase[] {
  const random = randomOf(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  const fields = Object.values(expressionFields('1.14')).flatMap((one) => Object.keys(one));
  const make = (environment: ExpressionSubject, depth: number): string => {
    const names = expressionEnvironments[environment].variables.map((line) => line.split(' ')[0] ?? '');
    const inner = () => make(environment, depth - 1);
    const several = (most: number) => Array.from({ length: below(most + 1) }, inner).join(', ');
    if (depth <= 0) return random() < 0.6 ? pick(names) : pick(leaves);
    switch (below(14)) {
      case 0:
      case 1:
        return `${pick(names)}.${pick(fields)}`;
      case 2:
      case 3:
      case 4:
        return `${inner()} ${pick(signs)} ${inner()}`;
      case 5:
        return `${pick(['!', '-', '!!', '--'])}${inner()}`;
      case 6:
        return `(${inner()})`;
      case 7:
        return `${inner()}.${pick(methods)}(${several(2)})`;
      case 8:
        return `${pick(calls)}(${several(2)})`;
      case 9:
        return `${inner()}.${pick(macros)}(x, ${random() < 0.1 ? `${inner()}, ` : ''}${inner()})`;
      case 10:
        return `${inner()} ? ${inner()} : ${inner()}`;
      case 11:
        return random() < 0.5 ? `[${several(3)}]` : `{${inner()}: ${inner()}}`;
      case 12:
        return `${inner()}[${inner()}]`;
      default:
        return random() < 0.5 ? `has(${inner()}.${pick(fields)})` : `${inner()}.${random() < 0.3 ? '?' : ''}${pick(fields)}`;
    }
  };
  const damage = (text: string): string => {
    const at = below(text.length + 1);
    return random() < 0.5
      ? text.slice(0, at) + text.slice(at + 1 + below(3))
      : text.slice(0, at) + pick(['(', ')', '.', '"', '=', '&', ',', ' ', 'u', '1', '@']) + text.slice(at);
  };
  return Array.from({ length: count }, () => {
    const kind = random();
    const one = pick(writtenExpressions);
    if (kind < 0.3) return { environment: one.environment, text: damage(one.text) };
    if (kind < 0.4) return { environment: pick(subjects), text: one.text };
    const environment = pick(subjects);
    const text = make(environment, 1 + below(3));
    return { environment, text: kind < 0.5 ? damage(text) : text };
  });
}
