/** What we use of the global `WebAssembly`. TypeScript knows it only together with a browser's globals. */
export interface Memory {
  readonly buffer: ArrayBuffer;
}

export interface CompiledModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

interface Global {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => CompiledModule;
    readonly Instance: new (module: CompiledModule, imports: object) => { readonly exports: object };
  };
}

export const compile = (bytes: Uint8Array<ArrayBuffer>): CompiledModule => new (globalThis as unknown as Global).WebAssembly.Module(bytes);

export const instantiate = <E>(module: CompiledModule, imports: object): E =>
  new (globalThis as unknown as Global).WebAssembly.Instance(module, imports).exports as E;
