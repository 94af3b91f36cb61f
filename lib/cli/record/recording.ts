/** The first line of a recording. */
export interface RecordingHeader {
  readonly kind: 'header';
  readonly schema: 1;
  /** Version of tk. */
  readonly version: string;
  /** As typed. */
  readonly command: string;
  readonly startedAt: string;
}

/** One call of the Talos API. Bytes are base64 of the redacted message, `decoded` the same for people. */
export interface RecordedTalosCall {
  readonly kind: 'talos';
  readonly sequence: number;
  /** Milliseconds since the recording began: when it was asked, and when it was over. */
  readonly atMs: number;
  readonly endMs: number;
  readonly host: string;
  /** The machine that the call was passed on to. */
  readonly node?: string;
  /** Without a client certificate, as in maintenance mode. */
  readonly isInsecure: boolean;
  readonly path: string;
  readonly requests: readonly RecordedMessage[];
  readonly replies: readonly RecordedMessage[];
  /** Absent: the caller left. */
  readonly status?: { readonly code: number; readonly message: string };
}

export interface RecordedMessage {
  readonly bytes: string;
  readonly decoded: unknown;
}

export interface RecordedHttpCall {
  readonly kind: 'http';
  readonly sequence: number;
  readonly atMs: number;
  readonly endMs: number;
  readonly server: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Absent: no answer came. */
  readonly response?: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };
  readonly failure?: string;
}

export type RecordedExchange = RecordedTalosCall | RecordedHttpCall;

export interface Recording {
  readonly header: RecordingHeader;
  readonly exchanges: readonly RecordedExchange[];
}

/** A torn last line is left out: the run was cut off while it wrote. */
export function parseRecording(text: string): Recording {
  const lines = text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as RecordingHeader | RecordedExchange];
    } catch {
      return [];
    }
  });
  const [header] = lines;
  if (header?.kind !== 'header' || header.schema !== 1) throw new Error('no recording of tk');
  return { header, exchanges: lines.filter((line): line is RecordedExchange => line.kind !== 'header') };
}
