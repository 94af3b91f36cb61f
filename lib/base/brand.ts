declare const brand: unique symbol;

/** A string that only one function can make. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type NodeName = Brand<string, 'NodeName'>;
export type Sha256Hex = Brand<string, 'Sha256Hex'>;
