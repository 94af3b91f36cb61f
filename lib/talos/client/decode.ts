import { type DescMessage, fromBinary, type Message, type MessageShape } from '../../upstream/index.ts';

/** A machine in memory gives the very same bytes as long as nothing has changed. Nobody changes what was decoded. */
const decodedBefore = new WeakMap<Uint8Array, Message>();

/** Throws what the decoder throws. */
export function decoded<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> {
  const known = decodedBefore.get(bytes);
  if (known?.$typeName === schema.typeName) return known as MessageShape<S>;
  const message = fromBinary(schema, bytes);
  decodedBefore.set(bytes, message);
  return message;
}
