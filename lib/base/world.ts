import type { Secret } from './secret.ts';

/** The only way out. Types only: `lib/host` binds them to Node, `lib/sim` to virtual time and memory. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly exec: Exec;
  readonly dial: Dial;
  readonly listen: Listen;
  readonly compute: Compute;
  readonly terminal: Terminal;
  readonly env: Env;
}

export interface Clock {
  /** Wall time, milliseconds since the epoch. May jump. */
  now(): number;
  /** Never goes back. Milliseconds. */
  monotonicMs(): number;
  /** Rejects with `run/aborted` as soon as the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fire` once when the time has come. Returns how to take it back, which costs less than to stop a sleep. Absent: sleep. */
  after?(ms: number, fire: () => void): () => void;
  /**
   * Real work (a file, a socket, a key) during which simulated time must stand still. On the host clock it only calls `work`.
   * A handler that sleeps on the clock inside a held call is parked: the clock lets go of its hold while it sleeps.
   */
  whileBusy<T>(work: () => Promise<T>): Promise<T>;
}

export type KeyKind = 'ed25519' | 'p256' | 'rsa4096';

export interface Random {
  bytes(count: number): Uint8Array;
  /** In [0, 1). */
  fraction(): number;
  /** PKCS#8 DER. Ring A takes keys from a fixture pool, because key generation is slow and cannot be seeded. */
  privateKey(kind: KeyKind): Promise<Secret<Uint8Array>>;
}

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly sizeBytes: number;
  /** Permission bits only: 0o600. */
  readonly mode: number;
  readonly modifiedMs: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileStat['kind'];
}

/** Paths are absolute. Failures are `host/file` with the operation, the path and the errno name. */
export interface Files {
  /** Undefined when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** UTF-8; undefined when there is no such file. A byte-order mark stays in the text. */
  readText(path: string): Promise<string | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  /** Sorted by name; empty when there is no such directory. */
  list(path: string): Promise<readonly DirectoryEntry[]>;
  /** Atomic: temporary file beside it, fsync, rename, fsync of the directory; parents are made. Old or new content, never half. */
  write(path: string, content: Uint8Array | string, options?: { readonly mode?: number }): Promise<void>;
  /** Opens for appending; parents are made. */
  append(path: string, options?: { readonly mode?: number }): Promise<AppendFile>;
  /** A file or an empty directory; nothing happens when it is not there. */
  remove(path: string): Promise<void>;
  /** A whole tree. Callers may only name trees that are ours (`.tk/…`, a temporary directory). */
  removeTree(path: string): Promise<void>;
  makeDirectory(path: string, options?: { readonly mode?: number }): Promise<void>;
  /** Resolves links; undefined when the path does not exist. */
  realPath(path: string): Promise<string | undefined>;
  /** Held until released or until this process ends, however it ends. Returns who holds it instead when somebody does. */
  lock(path: string, owner: string): Promise<FileLock | { readonly heldBy: string }>;
}

export interface AppendFile {
  /** `sync` returns only when the bytes are on the disk. */
  write(text: string, options?: { readonly sync?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface FileLock {
  release(): Promise<void>;
}

export interface ExecOptions {
  readonly cwd?: string;
  /** The child sees these and the allow-list (PATH, HOME, LANG, TERM, TMPDIR), nothing else. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array | string;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

export interface Exec {
  /** Never a shell. A non-zero exit is a result; a command that cannot be started is `host/command-not-found`. */
  run(argv: readonly [string, ...string[]], options: ExecOptions): Promise<ExecResult>;
}

// --- network -------------------------------------------------------------------------------------------------------

/** PEM texts; keys in the standard labels (`PRIVATE KEY`, `EC PRIVATE KEY`), Talos' own label is changed by `pki`. */
export type TalosTrust =
  | { readonly kind: 'mutual'; readonly ca: string; readonly certificate: string; readonly key: Secret<string> }
  /** Maintenance mode: any server certificate, no client certificate. With a fingerprint, exactly that one. */
  | { readonly kind: 'insecure'; readonly spkiSha256?: string };

export interface TalosTarget {
  /** An address or a host name. */
  readonly host: string;
  readonly port: number;
  readonly trust: TalosTrust;
}

/** What the other side showed in the handshake of this very socket. */
export interface PeerIdentity {
  /** base64(SHA-256(SubjectPublicKeyInfo)) of the leaf, as Talos prints it. */
  readonly spkiSha256: string;
  readonly certificatePem: string;
}

export type GrpcMetadata = Readonly<Record<string, string | readonly string[]>>;

/** Numbers of google.golang.org/grpc/codes. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
}

/** Thrown by transports and by simulated handlers. */
export class GrpcError extends Error {
  readonly status: GrpcStatus;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'GrpcError';
    this.status = { code, message };
  }
}

export interface GrpcCall {
  /** `/machine.MachineService/Version` */
  readonly path: string;
  readonly metadata: GrpcMetadata;
  /** Encoded requests; one for unary calls. Pulled as the connection takes them. */
  readonly requests: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/**
 * One connection to one apid over one TLS socket. It never outlives its socket: when the socket ends every call rejects with
 * UNAVAILABLE and the connection stays dead; whoever wants another dials again. There are no deadlines in here; callers put
 * theirs on the clock and abort the signal.
 */
export interface TalosConnection {
  readonly peer: PeerIdentity;
  /** Encoded replies. Ends normally on status OK, throws `GrpcError` otherwise. */
  call(call: GrpcCall): AsyncIterable<Uint8Array>;
  isOpen(): boolean;
  close(): void;
}

export interface HttpTarget {
  readonly protocol: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  readonly tls?: {
    /** PEM; absent: the system's roots. */
    readonly ca?: string;
    readonly certificate?: string;
    readonly key?: Secret<string>;
    /** Name to verify the certificate against when it is not `host`. */
    readonly serverName?: string;
    readonly insecureSkipVerify?: boolean;
  };
}

export interface HttpRequest {
  readonly target: HttpTarget;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Lower-case names. Values of `authorization` never reach an event. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Dial {
  /**
   * Rejects with `host/dial` and its facts: reason `refused | timeout | unreachable | certificate-required | unknown-authority | fingerprint-mismatch | reset | not-allowed`
   * and the rarer ones of `DialReason` in lib/host; `timeout` also when the signal fires.
   */
  talos(target: TalosTarget, signal: AbortSignal): Promise<TalosConnection>;
  /** Connections are pooled per target. Rejects with `host/dial` when no response came. Redirects are the caller's business. */
  http(request: HttpRequest): Promise<HttpResponse>;
}

/** How a handler sees the caller. Absent on plain connections and when no certificate was shown. */
export interface ClientCertificate {
  readonly organizations: readonly string[];
  readonly commonName: string;
  readonly pem: string;
}

export interface GrpcServerCall extends GrpcCall {
  readonly client?: ClientCertificate;
  readonly remoteAddress: string;
}

/** Replies; throws `GrpcError` for any status but OK. The same function serves ring A (called directly) and ring B (behind TLS). */
export type GrpcHandler = (call: GrpcServerCall) => AsyncIterable<Uint8Array>;

export interface GrpcMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

export interface ServerTls {
  readonly certificate: string;
  readonly key: Secret<string>;
  /** With a CA, a client certificate that it signed is demanded (`require`) or looked at if one is shown (`request`). */
  readonly clientCa?: string;
  readonly clientCertificates?: 'require' | 'request';
}

export interface HttpServerRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly client?: ClientCertificate;
  readonly signal: AbortSignal;
}

export interface HttpServerResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

export type HttpHandler = (request: HttpServerRequest) => Promise<HttpServerResponse>;

export interface Server {
  readonly host: string;
  readonly port: number;
  /** Ends every connection at once, as a machine that loses power does. */
  close(): Promise<void>;
}

export interface Listen {
  /** Port 0 takes a free one. */
  grpc(options: {
    readonly host: string;
    readonly port: number;
    readonly tls: ServerTls;
    readonly methods: readonly GrpcMethod[];
    readonly handler: GrpcHandler;
  }): Promise<Server>;
  http(options: { readonly host: string; readonly port: number; readonly tls?: ServerTls; readonly handler: HttpHandler }): Promise<Server>;
}

// --- the rest ------------------------------------------------------------------------------------------------------

export interface Compute {
  /**
   * Runs the default export of a module (file URL) with a structured-cloneable input, off the main thread where there is one.
   * A worker that traps or passes its time is thrown away; the next call gets a new one.
   */
  run<I, O>(module: string, input: I, options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<O>;
}

export interface TerminalStream {
  readonly isTty: boolean;
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

export interface Terminal {
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  /** Whether somebody can answer: stdin and stderr are terminals. */
  readonly isInteractive: boolean;
}

export interface Env {
  get(name: string): string | undefined;
  readonly home: string;
  readonly platform: 'linux' | 'darwin' | 'win32';
}
