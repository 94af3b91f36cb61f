import { suggestionFor, throwIfAny } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { talosResourceTypes } from '../../talos/index.ts';
import { definitions, fromBinary } from '../../upstream/index.ts';
import type { Connections } from '../connections.ts';
import { operationFailure } from './failures.ts';

/** Source: Talos internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go (Reset), which asks the same of the same resources */
export async function checkWipe(
  connections: Connections,
  node: NodeModel,
  { labels, userDisks }: { readonly labels: readonly string[]; readonly userDisks: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  if (labels.length + userDisks.length === 0) return;
  throwIfAny(
    await connections.readProven(node, signal, async (machine) => {
      const wrong = [];
      if (userDisks.length > 0) {
        const known = (await machine.disks(signal)).filter((disk) => !disk.isReadonly).map((disk) => disk.devPath);
        const [system] = await machine.list(talosResourceTypes.systemDisk, signal);
        const systemDisk = system && fromBinary(definitions.block.SystemDiskSpecSchema, system.proto).devPath;
        const others = known.filter((path) => path !== systemDisk);
        for (const disk of userDisks) {
          const suggestion = suggestionFor(disk, others);
          if (disk === systemDisk) wrong.push(operationFailure('disk/is-system', { node: node.name, disk }));
          else if (!known.includes(disk))
            wrong.push(operationFailure('disk/unknown', { node: node.name, disk, known: others, ...(suggestion ? { suggestion } : {}) }));
        }
      }
      if (labels.length > 0) {
        const volumes = (await machine.list(talosResourceTypes.volumeStatuses, signal)).map(({ id, proto }) => ({
          id,
          isApart: fromBinary(definitions.block.VolumeStatusSpecSchema, proto).location !== '',
        }));
        const known = volumes.filter(({ isApart }) => isApart).map(({ id }) => id);
        for (const label of labels.filter((one) => !known.includes(one))) {
          // A directory goes with the volume that it lies on, and cannot be wiped alone.
          if (volumes.some(({ id }) => id === label)) {
            wrong.push(operationFailure('disk/is-directory', { node: node.name, label }));
            continue;
          }
          const suggestion = suggestionFor(label, known);
          wrong.push(operationFailure('disk/unknown-volume', { node: node.name, label, known, ...(suggestion ? { suggestion } : {}) }));
        }
      }
      return wrong;
    }),
  );
}
