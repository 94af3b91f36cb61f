import type { HttpHandler, HttpServerResponse, Json } from '../../base/index.ts';
import { parseYaml } from '../../format/index.ts';
import { sha256Hex } from '../../pki/index.ts';
import { officialExtensions, officialOverlays, talosDefaults, type TalosMinor, operatedMinors } from '../../upstream/tables.ts';
import type { SimFault } from '../kernel.ts';

export interface FactoryOptions {
  /** `SimKernel.fault`; point `factory/schematic` with `{ id }`. */
  readonly fault?: (point: string, facts: { readonly [fact: string]: Json }) => SimFault | undefined;
}

export interface SimFactory {
  readonly handler: HttpHandler;
  /** Ids that were registered, in order, once for each time. */
  registrations(): readonly string[];
}

/** The host name of the factory that everybody uses. */
export const factoryHost: string = talosDefaults.factory;

/**
 * An image factory: takes schematics, and has images for those that it knows.
 *
 * Shape: the id of a schematic is the hash of its text as it was sent; clients send the canonical one, for which that is the real id.
 * Source: image-factory 1.4.0 internal/frontend/http: routes, statuses and the form of the answers
 */
export function createFactory(options: FactoryOptions = {}): SimFactory {
  const known = new Map<string, string>([[talosDefaults.emptySchematic, 'customization: {}\n']]);
  const registrations: string[] = [];

  const take = (text: string): HttpServerResponse => {
    const { documents, failures } = parseYaml({ path: 'schematic.yaml', text }, { version: 'go' });
    if (failures.length > 0 || documents.length === 0) return plain(400, 'error unmarshaling schematic');
    const id = sha256Hex(text);
    const fault = options.fault?.('factory/schematic', { id });
    if (fault?.kind === 'unavailable') return plain(503, 'upstream connect error');
    known.set(id, text);
    registrations.push(id);
    return json(201, { id: fault?.kind === 'different-id' ? sha256Hex(`${text}#`) : id });
  };

  return {
    registrations: () => registrations,
    handler: async ({ method, path, body }) => {
      const { pathname } = new URL(path, 'https://factory');
      if (pathname === '/schematics' && method === 'POST') return take(new TextDecoder().decode(body));
      const [, section = '', first = '', second = '', third = ''] = pathname.split('/');
      if (section === 'schematics') return known.has(first) ? plain(200, known.get(first) ?? '') : plain(404, 'schematic not found');
      if (section === 'image' || section === 'pxe') {
        if (!known.has(first)) return plain(404, 'schematic not found');
        return /^v\d+\.\d+\.\d+/.test(second) && third !== ''
          ? plain(200, `${section} ${first} ${second} ${third}\n`)
          : plain(404, 'not found');
      }
      if (section === 'versions')
        return json(
          200,
          operatedMinors.map((minor) => `v${minor}.0`),
        );
      const minor = /^v?(\d+\.\d+)/.exec(first)?.[1] as TalosMinor;
      if (section === 'version' && operatedMinors.includes(minor) && third === 'official') {
        if (second === 'extensions')
          return json(
            200,
            officialExtensions(minor).map((name) => ({ name, ref: `ghcr.io/${name}:${first}` })),
          );
        if (second === 'overlays')
          return json(
            200,
            officialOverlays(minor).map(({ name, image }) => ({ name, image, ref: `ghcr.io/${image}:${first}` })),
          );
      }
      return plain(404, 'not found');
    },
  };
}

const plain = (status: number, text: string): HttpServerResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: text,
});

const json = (status: number, value: Json): HttpServerResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
