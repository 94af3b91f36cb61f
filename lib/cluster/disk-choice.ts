import type { DiskChoice } from '../config/index.ts';
import type { Disk } from '../talos/index.ts';

/**
 * The disks that a machine would install to. Talos takes the first; more than one is a question that a person has to answer.
 *
 * Source: Talos pkg/machinery/config/types/v1alpha1/v1alpha1_provider.go (`DiskMatchExpression`), v1.14: sizes compare, modalias and
 * bus path, serial, model, WWID and UUID are globs, types are read off transport and rotation.
 */
export function matchingDisks(choice: DiskChoice, disks: readonly Disk[]): readonly Disk[] {
  const usable = disks.filter((disk) => !disk.isReadonly && !disk.isCdrom);
  switch (choice.by) {
    case 'nothing':
      return [];
    case 'path':
      return usable.filter((disk) => disk.devPath === choice.path || disk.symlinks.includes(choice.path));
    case 'selector': {
      const tests = Object.entries(choice.selector).map(([field, wanted]) => testOf(field, wanted));
      // Device-mapper devices have no transport, and are never meant.
      return usable.filter((disk) => disk.transport !== '' && tests.every((accepts) => accepts(disk)));
    }
  }
}

/** "serial `S1`", "`/dev/sda`": how a choice is named in a sentence. */
export function describeChoice(choice: DiskChoice): string {
  switch (choice.by) {
    case 'nothing':
      return 'no choice';
    case 'path':
      return `\`${choice.path}\``;
    case 'selector':
      return Object.entries(choice.selector)
        .map(([field, wanted]) => `${field} \`${wanted}\``)
        .join(' and ');
  }
}

export function describeDisk(disk: Disk): string {
  const size = `${(disk.sizeBytes / 1e9).toFixed(0)} GB`;
  return [disk.devPath, disk.model, disk.serial && `serial ${disk.serial}`, size].filter(Boolean).join(' ');
}

function testOf(field: string, wanted: string): (disk: Disk) => boolean {
  switch (field) {
    case 'size':
      return sizeTest(wanted);
    case 'type':
      return typeTest(wanted);
    case 'model':
    case 'serial':
    case 'wwid':
    case 'uuid':
    case 'modalias':
    case 'busPath': {
      const pattern = globPattern(wanted);
      return (disk) => pattern.test(disk[field]);
    }
    default:
      // Upstream refuses `name`; the generator says so. Nothing matches what is not understood.
      return () => false;
  }
}

/** `ssd` is whatever does not rotate, an NVMe disk too. */
function typeTest(wanted: string): (disk: Disk) => boolean {
  switch (wanted) {
    case 'nvme':
      return (disk) => disk.transport === 'nvme';
    case 'sd':
      return (disk) => disk.transport === 'mmc';
    case 'hdd':
      return (disk) => disk.isRotational;
    case 'ssd':
      return (disk) => !disk.isRotational;
    default:
      return () => false;
  }
}

const comparisons: Readonly<Record<string, (size: number, bound: number) => boolean>> = {
  '==': (size, bound) => size === bound,
  '<': (size, bound) => size < bound,
  '<=': (size, bound) => size <= bound,
  '>': (size, bound) => size > bound,
  '>=': (size, bound) => size >= bound,
};

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

function sizeTest(wanted: string): (disk: Disk) => boolean {
  const match = /^\s*(<=|>=|==|<|>)?\s*([\d.]+)\s*([A-Za-z]*)\s*$/.exec(wanted);
  const unit = units[(match?.[3] ?? '').toLowerCase()];
  const compare = comparisons[match?.[1] ?? '=='];
  if (!match || unit === undefined || !compare) return () => false;
  const bound = Math.floor(Number(match[2]) * unit);
  return (disk) => compare(disk.sizeBytes, bound);
}

/** `*` any text, `?` one character, as the glob function of Talos' CEL environment has it. */
function globPattern(pattern: string): RegExp {
  const body = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${body}$`, 's');
}
