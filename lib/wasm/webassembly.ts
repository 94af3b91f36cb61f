/** What we use of the global `WebAssembly`. TypeScript knows it only together with a browser's globals. */
export interface Memory {
  readonly buffer: ArrayBuffer;
}

export interface CompiledModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

interface Global {
  readonly WebAssembly: {
    readonly compile: (bytes: Uint8Array<ArrayBuffer>) => Promise<CompiledModule>;
    readonly Instance: new (module: CompiledModule, imports: object) => { readonly exports: object };
  };
}

/** Off the thread that asks. */
export const compile = (bytes: Uint8Array<ArrayBuffer>): Promise<CompiledModule> =>
  (globalThis as unknown as Global).WebAssembly.compile(bytes);

export const instantiate = <E>(module: CompiledModule, imports: object): E =>
  new (globalThis as unknown as Global).WebAssembly.Instance(module, imports).exports as E;
