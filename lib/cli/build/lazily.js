/** Everything that a descriptor of protobuf may be asked for, of whatever kind it is. */
const properties = [
  'kind proto deprecated file parent name typeName toString',
  'fields field oneofs members nestedEnums nestedMessages nestedExtensions',
  'open value values sharedPrefix method methods',
  'edition dependencies enums messages extensions services',
].flatMap((line) => line.split(' '));

const builders = new WeakMap();

/** The first question makes the object that has the answers, whose properties then stand in the place of these. */
const questions = Object.defineProperties(
  {},
  Object.fromEntries(
    properties.map((property) => [
      property,
      {
        get() {
          const build = builders.get(this);
          builders.delete(this);
          Object.setPrototypeOf(this, Object.prototype);
          return Object.defineProperties(this, Object.getOwnPropertyDescriptors(build()))[property];
        },
      },
    ]),
  ),
);

/** A descriptor that is built when it is first looked at, and is an ordinary object from then on. */
export function lazily(build) {
  const descriptor = Object.create(questions);
  builders.set(descriptor, build);
  return descriptor;
}
