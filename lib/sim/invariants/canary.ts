import { remembered } from '../../base/index.ts';

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

/** Forms are known by so many characters at their beginning. */
const windowLength = 4;
/** Windows of a text are told apart by 16 bits: four bits for each place, the higher ones of a character in its neighbours'. */
const slots = 1 << 16;
const nextSlot = (slot: number, code: number): number => ((slot << 4) ^ code) & (slots - 1);

/** Any number of texts, looked for in one walk. */
interface Needles {
  add(form: string, what: string): void;
  isEmpty(): boolean;
  /** Calls `hit` with each that stands in the text, at least once. */
  findIn(text: string, hit: (what: string) => void): void;
}

function createNeedles(): Needles {
  const bySlot: ({ readonly form: string; readonly what: string }[] | undefined)[] = [];
  const isTaken = new Uint8Array(slots);
  return {
    isEmpty: () => bySlot.length === 0,
    add(form, what) {
      let slot = 0;
      for (let index = 0; index < windowLength; index += 1) slot = nextSlot(slot, form.charCodeAt(index));
      isTaken[slot] = 1;
      (bySlot[slot] ??= []).push({ form, what });
    },
    findIn(text, hit) {
      let slot = 0;
      for (let index = 0; index < text.length; index += 1) {
        slot = nextSlot(slot, text.charCodeAt(index));
        if (isTaken[slot] === 0) continue;
        const from = index - windowLength + 1;
        for (const { form, what } of bySlot[slot] ?? []) if (text.startsWith(form, from)) hit(what);
      }
    },
  };
}

const encodedBefore = remembered(encodingsOf, { keyOf: (secret) => secret, limit: 500 });

export function createCanaries(): Canaries {
  const known = new Set<string>();
  /** As they are, and without line breaks for texts that are looked at without theirs. */
  const [forms, joinedForms, brokenForms] = [createNeedles(), createNeedles(), createNeedles()];
  return {
    add(name, secret) {
      if (secret.length < shortest || known.has(secret)) return;
      known.add(secret);
      for (const [encoding, form] of encodedBefore(secret)) {
        const joined = withoutBreaks(form);
        forms.add(form, `${name} (${encoding})`);
        joinedForms.add(joined, `${name} (${encoding})`);
        if (joined !== form) brokenForms.add(joined, `${name} (${encoding})`);
      }
    },
    findIn(text) {
      if (known.size === 0) return [];
      const found = new Set<string>();
      forms.findIn(text, (what) => found.add(what));
      const firstBreak = text.indexOf('\n');
      // In one line that ends nothing is joined: what has no break itself was found above.
      if (firstBreak >= 0 && firstBreak === text.length - 1) {
        if (!brokenForms.isEmpty()) brokenForms.findIn(text.trimEnd(), (what) => found.add(what));
      } else if (firstBreak >= 0) joinedForms.findIn(withoutBreaks(text), (what) => found.add(what));
      return [...found];
    },
  };
}

/** What a machine config must not let out: keys and tokens of every kind of document. */
export const secretsOfConfig = remembered(readSecrets, { keyOf: (text) => text, limit: 100 });

function readSecrets(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  // Numbered: all keys of one kind begin alike.
  const add = (name: string, value: string) => found.set(`${name} ${found.size + 1}`, value);
  for (const [, name = '', value = ''] of text.matchAll(
    /^\s*(token|secret|key|bootstraptoken|secretboxEncryptionSecret|clusterSecret):\s*"?([^\s"|>]{12,})"?\s*$/gm,
  ))
    add(name, value);
  for (const [, body = ''] of text.matchAll(/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----\s*([\s\S]*?)-----END/g))
    add('private key', body.replaceAll(/\s+/g, ''));
  // Keys of the first document are base64 of PEM: what counts is the body of the PEM too.
  for (const [name, value] of Array.from(found)) {
    const plain = Buffer.from(value, 'base64').toString('latin1');
    const body = /PRIVATE KEY-----\s*([\s\S]*?)-----END/.exec(plain)?.[1]?.replaceAll(/\s+/g, '');
    if (body !== undefined) add(`body of ${name}`, body);
  }
  return found;
}
