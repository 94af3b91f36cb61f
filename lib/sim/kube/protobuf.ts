import { type Obj, type Value } from './value.ts';

/**
 * What a field number means in one of Kubernetes' messages. Integers are varints; `map` is text to text, `bytes-map` text to base64.
 */
type Field =
  | { readonly name: string; readonly as: 'text' | 'number' | 'boolean' | 'map' | 'bytes-map' }
  | { readonly name: string; readonly as: 'message' | 'messages'; readonly of: Shape }
  | { readonly name: string; readonly as: 'texts' };
type Shape = { readonly [number: number]: Field };

const text = (name: string): Field => ({ name, as: 'text' });

const owner: Shape = {
  1: text('kind'),
  3: text('name'),
  4: text('uid'),
  5: text('apiVersion'),
  6: { name: 'controller', as: 'boolean' },
  7: { name: 'blockOwnerDeletion', as: 'boolean' },
};

/** Source: apimachinery pkg/apis/meta/v1/generated.proto. Times and managed fields are the server's own: left out. */
const metadata: Shape = {
  1: text('name'),
  2: text('generateName'),
  3: text('namespace'),
  5: text('uid'),
  6: text('resourceVersion'),
  7: { name: 'generation', as: 'number' },
  11: { name: 'labels', as: 'map' },
  12: { name: 'annotations', as: 'map' },
  13: { name: 'ownerReferences', as: 'messages', of: owner },
  14: { name: 'finalizers', as: 'texts' },
};
const withMetadata: Field = { name: 'metadata', as: 'message', of: metadata };

const deleteOptions: Shape = {
  1: { name: 'gracePeriodSeconds', as: 'number' },
  2: { name: 'preconditions', as: 'message', of: { 1: text('uid'), 2: text('resourceVersion') } },
  4: text('propagationPolicy'),
  5: { name: 'dryRun', as: 'texts' },
};

/** Bodies that stock tools send this way. Source: k8s.io/api core/v1, policy/v1, coordination/v1 generated.proto */
const shapes: { readonly [kind: string]: Shape } = {
  ConfigMap: {
    1: withMetadata,
    2: { name: 'data', as: 'map' },
    3: { name: 'binaryData', as: 'bytes-map' },
    4: { name: 'immutable', as: 'boolean' },
  },
  Secret: { 1: withMetadata, 2: { name: 'data', as: 'bytes-map' }, 3: text('type'), 4: { name: 'stringData', as: 'map' } },
  Eviction: { 1: withMetadata, 2: { name: 'deleteOptions', as: 'message', of: deleteOptions } },
  DeleteOptions: deleteOptions,
};

const magic = Buffer.from('k8s\0');

/** Undefined for what this simulation cannot read: the caller answers 415, as for a kind without protobuf. */
export function readProtobuf(body: Uint8Array): Obj | undefined {
  const bytes = Buffer.from(body);
  if (!bytes.subarray(0, 4).equals(magic)) return undefined;
  let type: Obj = {};
  let raw: Buffer | undefined;
  for (const { number, value } of fieldsOf(bytes.subarray(4))) {
    if (number === 1 && Buffer.isBuffer(value)) type = readMessage(value, { 1: text('apiVersion'), 2: text('kind') });
    if (number === 2 && Buffer.isBuffer(value)) raw = value;
  }
  const shape = shapes[String(type.kind)];
  return shape && { ...type, ...readMessage(raw ?? Buffer.alloc(0), shape) };
}

function readMessage(bytes: Buffer, shape: Shape): Obj {
  const found: Obj = {};
  for (const { number, value } of fieldsOf(bytes)) {
    const field = shape[number];
    if (!field) continue;
    if (typeof value === 'number') {
      found[field.name] = field.as === 'boolean' ? value !== 0 : value;
      continue;
    }
    switch (field.as) {
      case 'text':
        if (value.length > 0) found[field.name] = value.toString('utf8');
        break;
      case 'texts':
        found[field.name] = [...((found[field.name] as Value[] | undefined) ?? []), value.toString('utf8')];
        break;
      case 'message':
        found[field.name] = readMessage(value, field.of);
        break;
      case 'messages':
        found[field.name] = [...((found[field.name] as Value[] | undefined) ?? []), readMessage(value, field.of)];
        break;
      case 'map':
      case 'bytes-map': {
        const [key, content] = entryOf(value);
        found[field.name] = { ...(found[field.name] as Obj | undefined), [key]: content.toString(field.as === 'map' ? 'utf8' : 'base64') };
        break;
      }
      case 'number':
      case 'boolean':
        break;
    }
  }
  return found;
}

function entryOf(bytes: Buffer): readonly [string, Buffer] {
  let key = '';
  let content = Buffer.alloc(0);
  for (const { number, value } of fieldsOf(bytes)) {
    if (typeof value === 'number') continue;
    if (number === 1) key = value.toString('utf8');
    else content = Buffer.from(value);
  }
  return [key, content];
}

function* fieldsOf(bytes: Buffer): Generator<{ readonly number: number; readonly value: Buffer | number }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at] as number;
      at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 2: {
        const length = varint();
        yield { number, value: bytes.subarray(at, at + length) };
        at += length;
        break;
      }
      case 1:
        at += 8;
        break;
      default:
        at += 4;
    }
  }
}
