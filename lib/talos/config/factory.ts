import { type Clock, type Dial, type Files, hasCode, type HttpResponse, type HttpTarget, TkError } from '../../base/index.ts';
import { talosDefaults } from '../../upstream/tables.ts';
import { talosConfigFailure } from './failures.ts';
import { renderSchematic, type Schematic, schematicId } from './schematic.ts';

export interface FactoryPorts {
  readonly dial: Pick<Dial, 'http'>;
  readonly clock: Clock;
  readonly files: Pick<Files, 'stat' | 'write'>;
  /** Absolute; remembers what was registered. */
  readonly cacheDirectory: string;
}

/** Which image factory. Absent: the public one. */
export interface FactoryAddress {
  /** Host, with its port where it has one. */
  readonly host?: string;
  /** Default `https`. */
  readonly protocol?: string;
  /** Default `/schematics`. */
  readonly endpoint?: string;
}

export interface Registered {
  readonly id: string;
  /** False: this was done before, and nobody was asked. */
  readonly isNew: boolean;
}

export interface ImageFactory {
  /**
   * Makes the schematic known to the factory, which then builds its images. Once for each id: afterwards nothing is sent.
   *
   * Failure: `factory/unreachable`, `factory/refused`; `factory/different-id` when the factory computes another id than we do, because
   * every image and every upgrade would then name a schematic that does not exist.
   */
  register(schematic: Schematic, signal: AbortSignal): Promise<Registered>;
}

/** Why a request is worth repeating. Everything else is an answer. */
const passing: Readonly<Record<string, string>> = {
  '429': 'too many requests from this address',
  '500': 'storage behind the factory hiccups',
  '502': 'a proxy lost its backend',
  '503': 'the factory restarts',
  '504': 'a proxy gave up on its backend',
  reset: 'a proxy closed an idle connection',
  timeout: 'a lost packet',
};
const attempts = 4;
const attemptMs = 60_000;
const firstPauseMs = 1_000;
const longestAnswerBytes = 65_536;

/** Source: image-factory internal/frontend/http/schematic.go: POST with the schematic as YAML, 201 or 200 with `{ "id": … }` */
export function createImageFactory(ports: FactoryPorts, address: FactoryAddress = {}): ImageFactory {
  const { host = talosDefaults.factory, protocol = 'https', endpoint = '/schematics' } = address;
  return {
    async register(schematic, signal) {
      const id = schematicId(schematic);
      const mark = `${ports.cacheDirectory}/schematics/${host.replaceAll(/[^\w.-]/g, '_')}/${id}`;
      if (await ports.files.stat(mark)) return { id, isNew: false };
      const text = renderSchematic(schematic);
      const answer = await post(text);
      const found = idIn(answer.body);
      if (found === undefined)
        throw new TkError(talosConfigFailure('factory/refused', { host, status: answer.status, said: answer.body.slice(0, 200) }));
      if (found !== id) throw new TkError(talosConfigFailure('factory/different-id', { host, expected: id, found }));
      await ports.files.write(mark, text);
      return { id, isNew: true };

      async function post(body: string): Promise<{ readonly status: number; readonly body: string }> {
        for (let attempt = 1; ; attempt += 1) {
          const outcome = await tryOnce(body);
          const reason = 'status' in outcome ? String(outcome.status) : outcome.reason;
          if ('status' in outcome && (outcome.status === 200 || outcome.status === 201)) return outcome;
          if (passing[reason] !== undefined && attempt < attempts) {
            await ports.clock.sleep(firstPauseMs * 2 ** (attempt - 1), signal);
            continue;
          }
          throw new TkError(
            'status' in outcome
              ? talosConfigFailure('factory/refused', { host, status: outcome.status, said: outcome.body.slice(0, 200) })
              : talosConfigFailure('factory/unreachable', { host, reason }),
          );
        }
      }

      async function tryOnce(body: string): Promise<{ readonly status: number; readonly body: string } | { readonly reason: string }> {
        const timer = new AbortController();
        const cutOff = new AbortController();
        ports.clock.sleep(attemptMs, timer.signal).then(
          () => cutOff.abort(),
          () => {},
        );
        try {
          const response = await ports.dial.http({
            target: targetOf(protocol, host),
            method: 'POST',
            path: endpoint,
            headers: { host, 'content-type': 'application/yaml', 'user-agent': 'talos-tk' },
            body,
            signal: AbortSignal.any([signal, cutOff.signal]),
          });
          return { status: response.status, body: await bodyOf(response) };
        } catch (error) {
          signal.throwIfAborted();
          if (cutOff.signal.aborted) return { reason: 'timeout' };
          if (hasCode(error, 'host/dial')) return { reason: String(error.failure.facts['reason']) };
          throw error;
        } finally {
          timer.abort();
        }
      }
    },
  };
}

function targetOf(protocol: string, host: string): HttpTarget {
  const [, name = host, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const isPlain = protocol === 'http';
  return { protocol: isPlain ? 'http' : 'https', host: name, port: port === undefined ? (isPlain ? 80 : 443) : Number(port) };
}

async function bodyOf(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > longestAnswerBytes) break;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])));
}

function idIn(body: string): string | undefined {
  try {
    const { id } = JSON.parse(body) as { readonly id?: unknown };
    return typeof id === 'string' && id !== '' ? id : undefined;
  } catch {
    return undefined;
  }
}
