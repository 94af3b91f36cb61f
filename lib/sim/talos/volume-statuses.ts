import { definitions, type MessageInitShape } from '../../upstream/index.ts';
import type { Machine } from './machine.ts';

const { BlockVolumePhase: phases, BlockVolumeType: types } = definitions.enums;
const ready = phases.VOLUME_PHASE_READY;

interface VolumeStatus {
  readonly id: string;
  readonly yaml: object;
  readonly proto: MessageInitShape<typeof definitions.block.VolumeStatusSpecSchema>;
}

/** Numbers of the partitions that a system disk gets. */
const partitions = { META: 4, STATE: 5, EPHEMERAL: 6, ETCD: 7 };
type PartitionName = keyof typeof partitions;
const names = Object.keys(partitions) as readonly PartitionName[];

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

/** The volumes of an installed machine's system disk. */
export function volumeStatuses(machine: Machine): readonly VolumeStatus[] {
  const disk = machine.spec.disks.find(({ path }) => path === machine.get('installed')?.disk);
  if (!disk) return [];
  const partition = (id: PartitionName, size: number, filesystem?: string): VolumeStatus => {
    const location = `${disk.path}${disk.path.endsWith('n1') ? 'p' : ''}${partitions[id]}`;
    const partitionUuid = partitionIdOf(machine, id);
    const place = { location, parentLocation: disk.path };
    const pretty = prettySize(size);
    const kind = filesystem ? { filesystem } : {};
    return {
      id,
      yaml: { phase: 'ready', type: 'partition', ...place, partitionUUID: partitionUuid, size, prettySize: pretty, ...kind },
      proto: { phase: ready, type: types.VOLUME_TYPE_PARTITION, ...place, partitionUuid, size: BigInt(size), prettySize: pretty },
    };
  };
  return [
    partition('META', mebibyte),
    partition('STATE', 100 * mebibyte),
    partition('EPHEMERAL', disk.sizeBytes - 4 * gibibyte, 'xfs'),
    // A directory of EPHEMERAL has neither a place nor a size of its own.
    machine.hasEtcdVolume()
      ? partition('ETCD', 4 * gibibyte, 'xfs')
      : { id: 'ETCD', yaml: { phase: 'ready', type: 'directory' }, proto: { phase: ready, type: types.VOLUME_TYPE_DIRECTORY } },
  ];
}

/** Another one each time that it was made. */
function partitionIdOf(machine: Machine, id: PartitionName): string {
  const made = machine.get('partitions')?.[id] ?? 0;
  return `${machine.spec.uuid.slice(0, 24)}${names.indexOf(id)}${made.toString(16).padStart(11, '0')}`;
}

/** As Go's humanize prints sizes. */
export function prettySize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
