import { isAddress } from './ip-address.ts';

/** The parts of a URL as Go's `net/url` tells them apart. */
export interface GoUrl {
  readonly scheme: string;
  /** With its port, and with the brackets of an IPv6 address. */
  readonly host: string;
  /** Without port and brackets. */
  readonly hostname: string;
  readonly port: string;
  /** Without its escapes. */
  readonly path: string;
}

/**
 * Reads a URL as Go does, or says in Go's words why it is none.
 *
 * Source: Go 1.26 net/url/url.go, with which Talos 1.13 and 1.14 are built; 1.12's let more than one colon pass in a host
 */
export function parseGoUrl(text: string): GoUrl | { readonly error: string } {
  const [url = '', fragment] = cut(text, '#');
  let shown = url;
  try {
    const parsed = parse(url);
    shown = text;
    if (fragment !== undefined) checkEscapes(fragment);
    return parsed;
  } catch (error) {
    if (!(error instanceof NoUrl)) throw error;
    return { error: `parse ${JSON.stringify(shown)}: ${error.message}` };
  }
}

/** What is wrong with an endpoint. Source: siderolabs/net ValidateEndpointURI */
export function endpointError(text: string): string | undefined {
  const url = parseGoUrl(text);
  if ('error' in url) return url.error;
  if ((url.host.match(/:/g) ?? []).length > 2 && !(url.host.includes('[') && url.host.includes(']')))
    return 'IPv6 addresses MUST be enclosed by square brackets';
  if (url.hostname === '') return 'hostname must not be blank';
  if (url.port === '') return undefined;
  return Number(url.port) >= 1 && Number(url.port) <= 65_535 ? undefined : 'port number must be between 1 and 65535';
}

/** Stays in this file. */
class NoUrl extends Error {}

function parse(url: string): GoUrl {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Go's parser refuses them
  if (/[\u0000-\u001f\u007f]/.test(url)) throw new NoUrl('net/url: invalid control character in URL');
  if (url === '*') return { scheme: '', host: '', hostname: '', port: '', path: '*' };
  if (url.startsWith(':')) throw new NoUrl('missing protocol scheme');
  const [, scheme = '', afterScheme = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(url) ?? [undefined, '', url];
  const [rest = ''] = cut(afterScheme, '?');
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { scheme: scheme.toLowerCase(), host: '', hostname: '', port: '', path: '' };
    if (rest.split('/')[0]?.includes(':')) throw new NoUrl('first path segment in URL cannot contain colon');
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'));
  const [, authority = '', path = ''] = hasAuthority ? (/^\/\/([^/]*)(.*)$/s.exec(rest) ?? []) : [undefined, '', rest];
  const host = readAuthority(scheme.toLowerCase(), authority);
  checkEscapes(path);
  const [, name = '', port = ''] = /^(.*?)(?::(\d*))?$/s.exec(host) ?? [];
  const hostname = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  return { scheme: scheme.toLowerCase(), host, hostname, port, path: unescaped(path) };
}

function readAuthority(scheme: string, authority: string): string {
  const at = authority.lastIndexOf('@');
  const host = readHost(scheme, authority.slice(at + 1));
  if (at < 0) return host;
  const user = authority.slice(0, at);
  if (!/^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/.test(user)) throw new NoUrl('net/url: invalid userinfo');
  for (const part of cut(user, ':')) checkEscapes(part ?? '');
  return host;
}

function readHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[');
  if (open > 0) throw new NoUrl('invalid IP-literal');
  if (open === 0) {
    const close = host.lastIndexOf(']');
    if (close < 0) throw new NoUrl(`missing ']' in host`);
    checkPort(host.slice(close + 1));
    const inside = host.slice(1, close);
    const zone = inside.indexOf('%25');
    checkHost(zone < 0 ? inside : inside.slice(0, zone));
    if (zone >= 0) checkHost(inside.slice(zone), true);
    const address = unescaped(inside);
    if (!isAddress(address)) throw new NoUrl(`invalid host: ParseAddr(${JSON.stringify(address)}): unable to parse IP`);
    if (!address.includes(':')) throw new NoUrl('invalid IP-literal');
    return `[${address}]${host.slice(close + 1)}`;
  }
  const first = host.indexOf(':');
  if (first !== -1) checkPort(host.slice(scheme === 'http' || scheme === 'https' ? first : host.lastIndexOf(':')));
  checkHost(host);
  return unescaped(host);
}

function checkPort(port: string): void {
  if (port !== '' && !/^:\d*$/.test(port)) throw new NoUrl(`invalid port ${JSON.stringify(port)} after host`);
}

const inHost = /^[A-Za-z0-9._~!$&'()*+,;=:[\]<>"-]$/;
const onlyInHost = /^[A-Za-z0-9._~!$&'()*+,;=:[\]<>"-]*$/;

/** Escapes may only stand for bytes beyond ASCII there; in a zone, for what could also be written. */
function checkHost(host: string, isZone = false): void {
  if (onlyInHost.test(host)) return;
  const isGood = (escape: string) => {
    if (!/^%[0-9A-Fa-f]{2}$/.test(escape)) return false;
    const byte = Number.parseInt(escape.slice(1), 16);
    return escape === '%25' || (isZone ? byte === 0x20 || inHost.test(String.fromCharCode(byte)) : byte >= 0x80);
  };
  for (const [part] of host.matchAll(/%[0-9A-Fa-f]{2}|%.{0,2}|[^%]/gs)) {
    if (part.startsWith('%') && !isGood(part)) throw new NoUrl(`invalid URL escape ${JSON.stringify(part)}`);
    if (/^[\u0020-\u007e]$/.test(part) && !inHost.test(part)) throw new NoUrl(`invalid character ${JSON.stringify(part)} in host name`);
  }
}

function checkEscapes(text: string): void {
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text)?.[0];
  if (wrong !== undefined) throw new NoUrl(`invalid URL escape ${JSON.stringify(wrong)}`);
}

function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = new TextEncoder().encode(text);
  const read: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] === 0x25) {
      read.push(Number.parseInt(String.fromCharCode(bytes[at + 1] ?? 0, bytes[at + 2] ?? 0), 16));
      at += 2;
    } else read.push(bytes[at] ?? 0);
  }
  return new TextDecoder().decode(new Uint8Array(read));
}

function cut(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
