import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { GrpcMethod } from '../../base/index.ts';
import { ClusterService } from './gen/cluster_pb.ts';
import { State } from './gen/cosi_pb.ts';
import { InspectService } from './gen/inspect_pb.ts';
import { DebugService, ImageService, LifecycleService, LVMService, MachineService, MDService } from './gen/machine_pb.ts';
import { StorageService } from './gen/storage_pb.ts';
import { TimeService } from './gen/time_pb.ts';

/** The Talos generations whose API is described here. */
export type TalosApiMinor = '1.12' | '1.13' | '1.14';

const minors: readonly TalosApiMinor[] = ['1.12', '1.13', '1.14'];

/**
 * Every service that apid answers for, with the first generation that has it.
 * Source: Talos api/ at v1.12.11, v1.13.9, v1.14.0-rc.1; cosi-project/specification
 */
const services: readonly (readonly [service: DescService, since: TalosApiMinor])[] = [
  [MachineService, '1.12'],
  [ClusterService, '1.12'],
  [InspectService, '1.12'],
  [StorageService, '1.12'],
  [TimeService, '1.12'],
  [State, '1.12'],
  [ImageService, '1.13'],
  [LifecycleService, '1.13'],
  [DebugService, '1.13'],
  [LVMService, '1.14'],
  [MDService, '1.14'],
];

/** Methods that upstream took away, with the last generation that had them. */
const removed: Readonly<Record<string, TalosApiMinor>> = { '/machine.MachineService/GenerateConfiguration': '1.12' };

export function talosServices(minor: TalosApiMinor): readonly DescService[] {
  return services.filter(([, since]) => minors.indexOf(since) <= minors.indexOf(minor)).map(([service]) => service);
}

/** Whether a machine of that generation knows the method; it answers Unimplemented otherwise. */
export function isMethodOf(minor: TalosApiMinor, path: string): boolean {
  let paths = methodsOf.get(minor);
  if (!paths) {
    const all = talosServices(minor).flatMap((service) => service.methods.map(methodPath));
    paths = new Set(all.filter((one) => minors.indexOf(minor) <= minors.indexOf(removed[one] ?? minor)));
    methodsOf.set(minor, paths);
  }
  return paths.has(path);
}

const methodsOf = new Map<TalosApiMinor, ReadonlySet<string>>();

/** `/machine.MachineService/Version` */
export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** What a server must know to accept the calls of these services. */
export function methodShapes(of: readonly DescService[]): readonly GrpcMethod[] {
  return of.flatMap((service) =>
    service.methods.map((method) => ({
      path: methodPath(method),
      requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    })),
  );
}
