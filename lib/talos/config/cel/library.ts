import { type CelType, duration, dyn, list, map, nothing, optional, scalars, timestamp, typeOf, variable } from './types.ts';

export interface Overload {
  readonly isMember: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
}

/**
 * CEL's functions, one name a line, its overloads as `arguments: result`; a dot before the first argument makes it a method. `A` and `B`
 * stand for any type.
 *
 * Source: cel-go v0.31.0 common/stdlib/standard.go; comparisons of different kinds of numbers are off unless asked for
 */
const standard = `
_?_:_ bool A A: A
_&&_ bool bool: bool
_||_ bool bool: bool
!_ bool: bool
_==_ A A: bool
_!=_ A A: bool
@in A list(A): bool | A map(A,B): bool
_[_] list(A) int: A | map(A,B) A: B
_+_ bytes bytes: bytes | double double: double | duration duration: duration | duration timestamp: timestamp | timestamp duration: timestamp | int int: int | list(A) list(A): list(A) | string string: string | uint uint: uint
_-_ double double: double | duration duration: duration | int int: int | timestamp duration: timestamp | timestamp timestamp: duration | uint uint: uint
_*_ double double: double | int int: int | uint uint: uint
_/_ double double: double | int int: int | uint uint: uint
_%_ int int: int | uint uint: uint
-_ double: double | int: int
size bytes: int | list(A): int | map(A,B): int | string: int | .bytes: int | .list(A): int | .map(A,B): int | .string: int
type A: type(A)
bool bool: bool | string: bool
bytes bytes: bytes | string: bytes
double double: double | int: double | string: double | uint: double
duration duration: duration | int: duration | string: duration
dyn A: dyn
int int: int | double: int | duration: int | string: int | timestamp: int | uint: int
string string: string | bool: string | bytes: string | double: string | duration: string | int: string | timestamp: string | uint: string
timestamp timestamp: timestamp | int: timestamp | string: timestamp
uint uint: uint | double: uint | int: uint | string: uint
matches string string: bool | .string string: bool
contains .string string: bool
endsWith .string string: bool
startsWith .string string: bool
getFullYear .timestamp: int | .timestamp string: int
getMonth .timestamp: int | .timestamp string: int
getDayOfYear .timestamp: int | .timestamp string: int
getDayOfMonth .timestamp: int | .timestamp string: int
getDate .timestamp: int | .timestamp string: int
getDayOfWeek .timestamp: int | .timestamp string: int
getHours .timestamp: int | .timestamp string: int | .duration: int
getMinutes .timestamp: int | .timestamp string: int | .duration: int
getSeconds .timestamp: int | .timestamp string: int | .duration: int
getMilliseconds .timestamp: int | .timestamp string: int | .duration: int
`;

const relations = ['<', '<=', '>', '>=']
  .map((sign) => {
    const kinds = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration'];
    return `_${sign}_ ${kinds.map((kind) => `${kind} ${kind}: bool`).join(' | ')}\n`;
  })
  .join('');

/** Source: cel-go v0.31.0 cel/library.go, OptionalTypes */
const optionals = `
optional.of A: optional(A)
optional.ofNonZeroValue A: optional(A)
optional.none : optional(A)
optional.unwrap list(optional(A)): list(A)
unwrapOpt .list(optional(A)): list(A)
value .optional(A): A
hasValue .optional(A): bool
or .optional(A) optional(A): optional(A)
orValue .optional(A) A: A
first .list(A): optional(A)
last .list(A): optional(A)
_[?_] list(A) int: optional(A) | optional(list(A)) int: optional(A) | map(A,B) A: optional(B) | optional(map(A,B)) A: optional(B)
_[_] optional(list(A)) int: optional(A) | optional(map(A,B)) A: optional(B)
`;

const atoms: Readonly<Record<string, CelType>> = {
  ...scalars,
  null: nothing,
  duration,
  timestamp,
  dyn,
  A: variable(1),
  B: variable(2),
};

/** `map(A,list(int))`. */
export function readType(text: string): CelType {
  const [, name = '', inner = ''] = /^(\w+)\((.*)\)$/.exec(text) ?? [];
  if (name === '') return atoms[text] ?? { is: 'object', name: text };
  if (name === 'list') return list(readType(inner));
  if (name === 'optional') return optional(readType(inner));
  if (name === 'type') return typeOf(readType(inner));
  const comma = inner.indexOf(',');
  return map(readType(inner.slice(0, comma)), readType(inner.slice(comma + 1)));
}

function readLibrary(text: string, into: Map<string, Overload[]>): void {
  for (const line of text.split('\n')) {
    const [name = '', rest = ''] = /^(\S+) (.*)$/.exec(line)?.slice(1) ?? [];
    if (name === '') continue;
    const overloads = rest.split(' | ').map((one): Overload => {
      const colon = one.lastIndexOf(': ');
      const isMember = one.startsWith('.');
      const args = one.slice(isMember ? 1 : 0, colon).split(' ');
      return { isMember, args: args.filter((arg) => arg !== '').map(readType), result: readType(one.slice(colon + 2)) };
    });
    into.set(name, [...(into.get(name) ?? []), ...overloads]);
  }
}

/** Every function of an environment: CEL's own, those for optional values, and its own lines. */
export function functionsOf(own: string, hasOptionals: boolean): ReadonlyMap<string, readonly Overload[]> {
  const functions = new Map<string, Overload[]>();
  readLibrary(standard, functions);
  readLibrary(relations, functions);
  if (hasOptionals) readLibrary(optionals, functions);
  readLibrary(own, functions);
  return functions;
}
