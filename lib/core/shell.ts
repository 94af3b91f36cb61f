/** What a finished command left behind. */
export interface ShellOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface ShellCommand extends Promise<ShellOutput> {
  /** A non-zero exit is a result instead of a failure. */
  nothrow(): ShellCommand;
  quiet(): ShellCommand;
  /** `'30s'`, `'5m'` */
  timeout(duration: string): ShellCommand;
  /** Standard output without the last newline. */
  text(): Promise<string>;
  json<T = unknown>(): Promise<T>;
  lines(): Promise<string[]>;
}

/** Starts a command; each value in the template becomes exactly one argument. */
export interface Shell {
  (pieces: TemplateStringsArray, ...values: readonly unknown[]): ShellCommand;
}
