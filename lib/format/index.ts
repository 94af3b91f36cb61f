export {
  type Address,
  addressAt,
  addressOf,
  contains,
  isHostAddress,
  type Network,
  networkOf,
  nthHost,
  overlaps,
  parseAddress,
  parseNetwork,
} from './addresses.ts';
export { parseYamlBulk } from './bulk.ts';
export { type DataDocument, type DataPath, formatPath, hasMark, withoutMark, type WrittenScalar } from './document.ts';
export { editYaml, type YamlEdit } from './edit.ts';
export { formatFailure, type FormatFailures } from './failures.ts';
export { goFormatted, goFormattedDocuments } from './go-formatted.ts';
export { endpointError, type GoUrl, parseGoUrl } from './go-url.ts';
export { canonicalAddress, canonicalPrefix, isAddress, isPrefix } from './ip-address.ts';
export { parseExact, parseJson } from './json.ts';
export { goTime, type ResolvedScalar, resolveScalar, type ScalarKind, type YamlReader } from './scalar.ts';
export { type StringifyOptions, stringifyYaml, stringifyYamlDocuments } from './stringify.ts';
export { entriesOfTar, filesOfTar, packTar, type TarEntry } from './tar.ts';
export { parseToml } from './toml.ts';
export {
  compareVersions,
  isAtLeast,
  minorOf,
  newestInRange,
  parseVersion,
  type Version,
  versionOf,
} from './versions.ts';
export { type ParsedData, parseYaml, type YamlOptions } from './yaml.ts';
export {
  isTreeMap,
  type ParsedTree,
  parseYamlTree,
  TreeComment,
  type TreeList,
  type TreeMap,
  type TreeScalar,
  TreeTime,
  type TreeValue,
} from './yaml-tree.ts';
export { emitYamlTree, goFloat } from './yaml-tree-emit.ts';
