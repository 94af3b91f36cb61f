/** Shorter texts turn up by chance. */
const shortest = 12;

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/**
 * The forms in which a secret gets out: as it is, in base64 at each of the three places where it may begin, in base64 for URLs,
 * twice in base64, in hex of both cases, percent-encoded, inside JSON, folded by YAML, and backwards.
 */
export function encodingsOf(secret: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(secret);
  const found = new Map<string, string>([['raw', secret]]);
  for (const shift of [0, 1, 2]) {
    // Characters that share bits with what stands before or behind are left out.
    const text = base64(Buffer.concat([Buffer.alloc(shift, 0x41), bytes]));
    found.set(`base64+${shift}`, text.replace(/=+$/, '').slice(shift === 0 ? 0 : 4, -2));
  }
  found.set('base64url', bytes.toString('base64url').slice(0, -2));
  found.set(
    'base64 twice',
    base64(Buffer.from(base64(bytes)))
      .replace(/=+$/, '')
      .slice(0, -2),
  );
  found.set('hex', bytes.toString('hex'));
  found.set('HEX', bytes.toString('hex').toUpperCase());
  found.set('percent', encodeURIComponent(secret));
  found.set('JSON', JSON.stringify(secret).slice(1, -1));
  found.set('folded', secret.replaceAll(/\s+/g, ' ').trim());
  found.set('reversed', [...secret].reverse().join(''));
  return new Map([...found].filter(([, text]) => text.length >= shortest));
}

const withoutBreaks = (text: string): string => (text.includes('\n') ? text.replaceAll(/\s*\n\s*/g, '') : text);

export interface Canaries {
  add(name: string, secret: string): void;
  /** `name (encoding)` of each secret that stands in the text; line breaks do not hide one. */
  findIn(text: string): readonly string[];
}

export function createCanaries(): Canaries {
  /** Of each secret: the encoding, its form, and the form without line breaks. */
  const known = new Map<string, readonly (readonly [encoding: string, form: string, joined: string])[]>();
  const names = new Map<string, string>();
  return {
    add(name, secret) {
      if (secret.length < shortest || known.has(secret)) return;
      known.set(
        secret,
        [...encodingsOf(secret)].map(([encoding, form]) => [encoding, form, withoutBreaks(form)] as const),
      );
      names.set(secret, name);
    },
    findIn(text) {
      const joined = text.includes('\n') ? withoutBreaks(text) : undefined;
      const found = new Set<string>();
      for (const [secret, encodings] of known) {
        for (const [encoding, form, joinedForm] of encodings) {
          if (text.includes(form) || joined?.includes(joinedForm)) found.add(`${names.get(secret)} (${encoding})`);
        }
      }
      return [...found];
    },
  };
}

/** What a machine config must not let out: keys and tokens of every kind of document. */
export function secretsOfConfig(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(
    /^\s*(token|secret|key|bootstraptoken|secretboxEncryptionSecret|clusterSecret):\s*"?([^\s"|>]{12,})"?\s*$/gm,
  ))
    found.set(`${name} ${value.slice(0, 4)}…`, value);
  for (const [, body = ''] of text.matchAll(/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----\s*([\s\S]*?)-----END/g))
    found.set('private key', body.replaceAll(/\s+/g, ''));
  // Keys of the first document are base64 of PEM: what counts is the body of the PEM too.
  const values = [...found.values()];
  for (const value of values) {
    const plain = Buffer.from(value, 'base64').toString('latin1');
    const body = /PRIVATE KEY-----\s*([\s\S]*?)-----END/.exec(plain)?.[1]?.replaceAll(/\s+/g, '');
    if (body !== undefined) found.set(`body of ${value.slice(0, 4)}…`, body);
  }
  return found;
}
