export { afterOn, type Either, eitherOf, type Limit, limitOf } from './abort.ts';
export type { Brand, NodeName, Sha256Hex } from './brand.ts';
export { crc32 } from './checksum.ts';
export { ipv6Text } from './ipv6.ts';
export { repositoryName } from './repository-name.ts';
export {
  type Condition,
  holds,
  minutes,
  never,
  notYet,
  type Observation,
  seconds,
  throwIfAborted,
  waitFor,
  type WaitObserver,
} from './condition.ts';
export {
  type BaseFailures,
  baseFailure,
  type Failure,
  type FailureContext,
  failureOf,
  failuresOf,
  type FailureTable,
  hasCode,
  type Json,
  throwIfAny,
  TkError,
} from './failure.ts';
export { chosenLater, onlyItem } from './iterate.ts';
export { contentKey, deepFrozen, remembered, whenAsked } from './memo.ts';
export { parsePemBlocks, type PemBlock } from './pem.ts';
export { createRedactor, type Redactor, Secret } from './secret.ts';
export {
  type Excerpt,
  type FilePlace,
  hidden,
  type LineColumn,
  lineColumnAt,
  lineStarts,
  type Place,
  placeOf,
  relatedPlace,
  type RelatedPlace,
  type SourceFile,
  type Span,
} from './source.ts';
export { allOf, count, editDistance, formatDuration, oneOf, sizeText, stripControl, suggestionFor, tableText } from './text.ts';
export {
  type AppendFile,
  type ClientCertificate,
  type Clock,
  type Compute,
  type Dial,
  type DirectoryEntry,
  type Env,
  type Exec,
  type ExecOptions,
  type ExecResult,
  type FileLock,
  type Files,
  type FileStat,
  type GrpcCall,
  GrpcError,
  type GrpcHandler,
  type GrpcMetadata,
  type GrpcMethod,
  type GrpcServerCall,
  type GrpcStatus,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  type HttpServerRequest,
  type HttpServerResponse,
  type HttpTarget,
  type KeyKind,
  type Listen,
  type PeerIdentity,
  type Random,
  type Server,
  type ServerTls,
  type TalosConnection,
  type TalosTarget,
  type TalosTrust,
  type Terminal,
  type TerminalStream,
  type World,
} from './world.ts';
