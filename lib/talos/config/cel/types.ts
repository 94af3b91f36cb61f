/** A type of CEL. `name` is what its messages call it; variables are numbered. */
export type CelType =
  | { readonly is: 'plain'; readonly name: 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'duration' | 'timestamp' }
  | { readonly is: 'dyn' }
  | { readonly is: 'object'; readonly name: string }
  | { readonly is: 'list' | 'map' | 'optional' | 'type'; readonly of: readonly CelType[] }
  | { readonly is: 'variable'; readonly id: number };

const plain = (name: (CelType & { is: 'plain' })['name']): CelType => ({ is: 'plain', name });
export const bool = plain('bool');
export const int = plain('int');
export const uint = plain('uint');
export const double = plain('double');
export const string = plain('string');
export const bytes = plain('bytes');
export const nothing = plain('null');
export const duration = plain('duration');
export const timestamp = plain('timestamp');
export const dyn: CelType = { is: 'dyn' };
/** By the names that literals and types have in common. */
export const scalars = { bool, int, uint, double, string, bytes } as const;

export const list = (of: CelType): CelType => ({ is: 'list', of: [of] });
export const map = (key: CelType, value: CelType): CelType => ({ is: 'map', of: [key, value] });
export const optional = (of: CelType): CelType => ({ is: 'optional', of: [of] });
export const typeOf = (of: CelType): CelType => ({ is: 'type', of: [of] });
export const object = (name: string): CelType => ({ is: 'object', name });
export const variable = (id: number): CelType => ({ is: 'variable', id });

/** As cel-go prints it. */
export function typeName(type: CelType): string {
  switch (type.is) {
    case 'plain':
    case 'object':
      return type.name;
    case 'dyn':
      return 'dyn';
    case 'variable':
      return `_var${type.id}`;
    case 'list':
    case 'map':
    case 'type':
      return `${type.is}(${type.of.map(typeName).join(', ')})`;
    case 'optional':
      return `optional_type(${type.of.map(typeName).join(', ')})`;
  }
}

function isSame(left: CelType, right: CelType): boolean {
  return typeName(left) === typeName(right);
}

/**
 * Which types stand for which variables.
 *
 * Source: cel-go v0.31.0 checker/types.go, checker/mapping.go
 */
export class Substitutions {
  #known: Map<number, CelType>;
  #count = 0;

  constructor(known: Map<number, CelType> = new Map()) {
    this.#known = known;
  }

  fresh(): CelType {
    this.#count += 1;
    return variable(1000 + this.#count);
  }

  /** Whether each type fits its place; what was learnt about variables stays only if all do. */
  allFit(types: readonly CelType[], places: readonly CelType[]): boolean {
    const before = new Map(this.#known);
    if (types.length === places.length && types.every((type, index) => this.#fits(type, places[index] ?? dyn))) return true;
    this.#known = before;
    return false;
  }

  fits(type: CelType, place: CelType): boolean {
    return this.allFit([type], [place]);
  }

  #fits(left: CelType, right: CelType): boolean {
    if (right.is === 'variable') {
      const { isValid, isKnown } = this.#standsFor(left, right);
      if (isValid) return true;
      if (isKnown) return false;
    }
    if (left.is === 'variable') return this.#standsFor(right, left).isValid;
    if (left.is === 'dyn' || right.is === 'dyn') return true;
    if (isNull(left) || isNull(right)) return isNullable(isNull(left) ? right : left);
    if (left.is === 'type' || right.is === 'type') return left.is === right.is;
    if ('of' in left && 'of' in right)
      return left.is === right.is && left.of.every((inner, index) => this.#fits(inner, right.of[index] ?? dyn));
    return isSame(left, right);
  }

  #standsFor(type: CelType, place: CelType & { is: 'variable' }): { readonly isValid: boolean; readonly isKnown: boolean } {
    if (isSame(type, place)) return { isValid: true, isKnown: true };
    const known = this.#known.get(place.id);
    if (known) {
      if (isSame(type, known)) return { isValid: true, isKnown: true };
      if (!this.#fits(type, known)) return { isValid: false, isKnown: true };
      const general = moreGeneral(type, known);
      if (!this.#occursIn(place.id, general)) this.#known.set(place.id, general);
      return { isValid: true, isKnown: true };
    }
    if (this.#occursIn(place.id, type)) return { isValid: false, isKnown: false };
    this.#known.set(place.id, type);
    return { isValid: true, isKnown: false };
  }

  #occursIn(id: number, type: CelType): boolean {
    if (type.is === 'variable') {
      if (type.id === id) return true;
      const known = this.#known.get(type.id);
      return known !== undefined && this.#occursIn(id, known);
    }
    return 'of' in type && type.of.some((inner) => this.#occursIn(id, inner));
  }

  /** With what is known; variables that stayed free are anything where `isFinal`. */
  apply(type: CelType, isFinal = false): CelType {
    if (type.is === 'variable') {
      const known = this.#known.get(type.id);
      return known ? this.apply(known, isFinal) : isFinal ? dyn : type;
    }
    return 'of' in type ? { is: type.is, of: type.of.map((inner) => this.apply(inner, isFinal)) } : type;
  }

  /** Of the elements of a list or map that may differ. */
  join(before: CelType | undefined, next: CelType): CelType {
    if (!before) return next;
    return this.fits(before, next) ? moreGeneral(before, next) : dyn;
  }
}

const isNull = (type: CelType) => type.is === 'plain' && type.name === 'null';
const isNullable = (type: CelType): boolean =>
  type.is === 'object' ||
  type.is === 'optional' ||
  (type.is === 'plain' && (type.name === 'null' || type.name === 'duration' || type.name === 'timestamp'));

function moreGeneral(left: CelType, right: CelType): CelType {
  return isAtLeastAsGeneral(left, right) ? left : right;
}

function isAtLeastAsGeneral(left: CelType, right: CelType): boolean {
  if (left.is === 'dyn' || left.is === 'variable') return true;
  if (isNull(right)) return isNullable(left);
  if (left.is !== right.is) return false;
  if ('of' in left && 'of' in right) return left.of.every((inner, index) => isAtLeastAsGeneral(inner, right.of[index] ?? dyn));
  return isSame(left, right);
}
