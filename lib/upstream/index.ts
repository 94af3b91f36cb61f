// Wire types, one namespace per protobuf package: `machineApi.VersionResponseSchema`, `definitions.block.DiskSpecSchema`.
export {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
export {
  type Any,
  AnySchema,
  type Duration,
  DurationSchema,
  EmptySchema,
  type Timestamp,
  timestampFromMs,
  timestampMs,
  TimestampSchema,
} from '@bufbuild/protobuf/wkt';
export * as definitions from './api/definitions.ts';
export * as clusterApi from './api/gen/cluster_pb.ts';
export * as commonApi from './api/gen/common_pb.ts';
export * as cosiMetaApi from './api/gen/cosi/resource/meta_pb.ts';
export * as cosiApi from './api/gen/cosi_pb.ts';
export * as googleRpc from './api/gen/google_rpc_pb.ts';
export * as inspectApi from './api/gen/inspect_pb.ts';
export * as machineApi from './api/gen/machine_pb.ts';
export * as machineConfigApi from './api/gen/resource/config_pb.ts';
export * as securityApi from './api/gen/securityapi_pb.ts';
export * as storageApi from './api/gen/storage_pb.ts';
export * as timeApi from './api/gen/time_pb.ts';
export { isMethodOf, methodPath, methodShapes, type TalosApiMinor, talosServices } from './api/services.ts';
