import { createRequire } from 'node:module';
import type * as library from 'yaml';

/**
 * The library `yaml`, seventy files, loaded when the first text is read with positions or written. Much is read by the quick reader
 * (`bulk.ts`) alone, and a command that only does that should not wait for these.
 */
export type { Document, Node, Pair, Scalar, ScalarTag, YAMLError, YAMLMap, YAMLSeq } from 'yaml';

type Library = typeof library;

const load = createRequire(import.meta.url);
let loaded: Library | undefined;

export const yamlLibrary = (): Library => (loaded ??= load('yaml') as Library);

export const isAlias: Library['isAlias'] = (node) => yamlLibrary().isAlias(node);
export const isMap = ((node) => yamlLibrary().isMap(node)) as Library['isMap'];
export const isNode = ((node) => yamlLibrary().isNode(node)) as Library['isNode'];
export const isPair = ((node) => yamlLibrary().isPair(node)) as Library['isPair'];
export const isScalar = ((node) => yamlLibrary().isScalar(node)) as Library['isScalar'];
export const isSeq = ((node) => yamlLibrary().isSeq(node)) as Library['isSeq'];
