import { GrpcError, type GrpcStatus, type TalosTrust, type World } from '../../lib/base/index.ts';
import { applyPath, fieldsOf, type RecordedCall, withConfig } from '../oracle/talosctl/transcript.ts';

export interface Answer {
  readonly status: GrpcStatus | undefined;
  readonly fields: readonly string[];
}

/** The recorded call once more; a stream that its caller left is left after as many messages. */
export async function sayAgain(
  { dial, clock }: World,
  call: RecordedCall,
  trust: TalosTrust,
  configOf: (address: string) => string,
): Promise<Answer> {
  const stop = new AbortController();
  const connection = await dial.talos({ host: call.endpoint, port: 50_000, trust }, stop.signal);
  const fields = new Set<string>();
  const requests = async function* () {
    for (const request of call.requests) {
      const bytes = new Uint8Array(Buffer.from(request, 'base64'));
      yield call.path === applyPath ? withConfig(bytes, configOf(call.node ?? call.endpoint)) : bytes;
    }
  };
  const metadata = {
    ...(call.node === undefined ? {} : { node: call.node }),
    ...(call.nodes === undefined ? {} : { nodes: call.nodes }),
  };
  // Virtual time only passes while somebody waits for it. A follower is left after a minute at the latest.
  clock.sleep(call.status === undefined ? 60_000 : 600_000, stop.signal).then(
    () => stop.abort(),
    () => {},
  );
  let status: GrpcStatus | undefined;
  let replies = 0;
  try {
    for await (const reply of connection.call({ path: call.path, metadata, requests: requests(), signal: stop.signal })) {
      for (const field of fieldsOf(call.path, reply)) fields.add(field);
      replies += 1;
      if (call.status === undefined && replies >= call.replies) break;
    }
    if (call.status !== undefined) status = { code: 0, message: '' };
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    if (call.status !== undefined) status = error.status;
  } finally {
    stop.abort();
    connection.close();
  }
  return { status, fields: [...fields].sort() };
}
