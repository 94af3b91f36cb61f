import { join } from 'node:path';
import type { Dial, World } from '../../base/index.ts';
import { recordingDial } from './recording-dial.ts';
import type { RecordedExchange, RecordingHeader } from './recording.ts';

export interface OpenRecordingOptions {
  readonly world: World;
  /** Absolute. */
  readonly directory: string;
  readonly version: string;
  readonly command: string;
  readonly secrets: () => Promise<readonly string[]>;
}

export interface OpenedRecording {
  /** Dials through the one of the World, and notes what is said. */
  readonly dial: Dial;
  readonly path: string;
  close(): Promise<void>;
}

/** One file a run: a header, then an exchange a line, each without its keys before it is written. 0600 nevertheless. */
export async function openRecording({ world, directory, version, command, secrets }: OpenRecordingOptions): Promise<OpenedRecording> {
  const { clock, files } = world;
  const startedMs = clock.now();
  const startedAt = new Date(startedMs).toISOString();
  const path = join(directory, `${startedAt.replace(/[:.]/g, '-')}.jsonl`);
  await files.makeDirectory(directory, { mode: 0o700 });
  const file = await files.append(path, { mode: 0o600 });
  const header: RecordingHeader = { kind: 'header', schema: 1, version, command, startedAt };
  let tail = file.write(`${JSON.stringify(header)}\n`);
  const begun = clock.monotonicMs();
  const write = (exchange: RecordedExchange) => {
    // Lines stay in order; a full disk costs the recording, not the run.
    tail = tail.then(() => file.write(`${JSON.stringify(exchange)}\n`)).catch(() => {});
  };
  return {
    dial: recordingDial(world.dial, { write, secrets, elapsedMs: () => Math.round(clock.monotonicMs() - begun) }),
    path,
    async close() {
      await tail.catch(() => {});
      await file.close();
    },
  };
}
