import { type Env, type Exec, failuresOf, type Files, TkError, type World } from '../base/index.ts';
import { createKernel, type KernelHandle, type KernelOptions } from './create-kernel.ts';
import { createMemoryDial } from './memory-dial.ts';
import { createMemoryFiles, type InitialFile, type MemoryFiles } from './memory-files.ts';
import { createNetwork, type SimNetwork } from './network.ts';

type ExecFailures = { 'host/command-not-found': { command: string } };
const execFailure = failuresOf<ExecFailures>();

export interface MemoryWorld {
  readonly world: World;
  readonly kernel: KernelHandle;
  readonly network: SimNetwork;
  readonly files: MemoryFiles;
  /** Everything written to the two streams so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
}

export interface MemoryWorldOptions extends Partial<KernelOptions> {
  readonly files?: Readonly<Record<string, InitialFile>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Answers for child processes; default: no command exists. */
  readonly exec?: Exec;
  /** A file system that outlives one simulated process, for crash and resume. */
  readonly disk?: MemoryFiles;
}

/** Where ring A's virtual wall clock starts: 2026-01-05T08:00:00Z. */
const defaultEpochMs = 1_767_600_000_000;

/** Ring A: a World in memory and virtual time, decided by its seed alone. Nothing in it reaches outside. */
export function createMemoryWorld(options: MemoryWorldOptions = {}): MemoryWorld {
  const kernel = createKernel({ seed: 'ring-a', epochMs: defaultEpochMs, ...options });
  const network = createNetwork();
  const files =
    options.disk ??
    createMemoryFiles(
      () => kernel.clock.now(),
      options.files,
      (operation, path) => kernel.fault(`disk/${operation}`, { path })?.kind,
    );
  const output = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTty: false,
    columns: 80,
    rows: 24,
    write(text: string) {
      output[name] += text;
    },
  });
  const env: Env = { get: (name) => options.env?.[name], home: '/home/user', platform: 'linux' };
  const world: World = {
    clock: kernel.clock,
    random: kernel.random('workstation'),
    files: files satisfies Files,
    exec: options.exec ?? {
      run: async ([command]) => {
        throw new TkError(execFailure('host/command-not-found', { command }));
      },
    },
    dial: createMemoryDial(kernel, network),
    listen: {
      grpc: async ({ host, port, tls, methods, handler }) => {
        network.listen(host, port, { kind: 'grpc', tls: async () => tls, methods, handler });
        return { host, port, close: async () => network.unlisten(host, port) };
      },
      http: async ({ host, port, tls, handler }) => {
        network.listen(host, port, { kind: 'http', handler, ...(tls ? { tls: async () => tls } : {}) });
        return { host, port, close: async () => network.unlisten(host, port) };
      },
    },
    compute: {
      run: (module, input) =>
        kernel.clock.whileBusy(async () => {
          const loaded = (await import(module)) as { default: (input: unknown) => unknown };
          return (await loaded.default(input)) as never;
        }),
    },
    terminal: { stdout: stream('stdout'), stderr: stream('stderr'), isInteractive: false },
    env,
  };
  return { world, kernel, network, files, output };
}
