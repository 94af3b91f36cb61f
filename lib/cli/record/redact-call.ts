import type { Redactor } from '../../base/index.ts';
import type { DescMethod, Message } from '../../upstream/index.ts';
import { resourceDefinitions } from '../../upstream/tables.ts';

const machine = '/machine.MachineService/';

/** Contents that hold keys, or may: they go as a whole, whatever is in them. */
const opaqueReplies: ReadonlySet<string> = new Set(
  ['Kubeconfig', 'Copy', 'EtcdSnapshot', 'GenerateClientConfiguration', 'GenerateConfiguration', 'PacketCapture'].map(
    (name) => machine + name,
  ),
);
const opaqueRequests: ReadonlySet<string> = new Set(
  ['ApplyConfiguration', 'EtcdRecover', 'MetaWrite', 'GenerateConfiguration'].map((name) => machine + name),
);
/** Files that say nothing but which boot and which system this is. */
const openFiles: ReadonlySet<string> = new Set(['/proc/sys/kernel/random/boot_id', '/proc/version', '/etc/os-release']);

/** Types that some generation takes for sensitive are so in all of them; one that nobody knows may be. */
const openTypes: ReadonlySet<string> = (() => {
  const all = (['1.12', '1.13', '1.14'] as const).flatMap((minor) => resourceDefinitions(minor));
  const sensitive = new Set(all.filter((definition) => definition.sensitive).map(({ type }) => type.toLowerCase()));
  const known = all.map(({ type }) => type.toLowerCase()).filter((type) => !sensitive.has(type));
  return new Set([...known, 'resourcedefinitions.meta.cosi.dev', 'namespaces.meta.cosi.dev']);
})();

interface Tree {
  [key: string]: unknown;
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** How a message is taken apart: which side of which call it is. */
export interface CallPlace {
  readonly method: DescMethod;
  readonly path: string;
  readonly side: 'request' | 'reply';
  /** The request of a reply. */
  readonly request?: Message;
}

/**
 * Takes what may be a key out of a message, in place: by structure (configs, kubeconfigs, snapshots, sensitive resources, files) and by
 * value (every key of the cluster, wherever it stands). What is left still is a message of its type.
 */
export function redactMessage(message: Message, place: CallPlace, redactor: Redactor): void {
  const { path, side, request } = place;
  if (side === 'request' && opaqueRequests.has(path)) emptyContents(message as unknown as Tree);
  if (side === 'reply') {
    const file = request === undefined ? '' : String((request as unknown as Tree)['path'] ?? '');
    if (opaqueReplies.has(path) || (path === `${machine}Read` && !openFiles.has(file))) emptyContents(message as unknown as Tree);
    // A dry run quotes the config.
    if (path === `${machine}ApplyConfiguration`)
      for (const one of list(message, 'messages')) one['modeDetails'] = withoutDiff(one['modeDetails']);
    if (path.startsWith('/cosi.resource.State/')) for (const resource of resourcesOf(message)) hideSensitive(resource);
  }
  redactValues(message as unknown as Tree, redactor);
}

const list = (message: unknown, key: string): readonly Tree[] => {
  const value = isTree(message) ? message[key] : undefined;
  return Array.isArray(value) ? value.filter(isTree) : [];
};

const withoutDiff = (details: unknown): string => String(details ?? '').replace(/Config diff:[\s\S]*/, 'Config diff: [redacted]');

function resourcesOf(message: Message): readonly Tree[] {
  const found: Tree[] = [];
  const add = (value: unknown) => isTree(value) && found.push(value);
  add((message as unknown as Tree)['resource']);
  for (const event of list(message, 'event')) {
    add(event['resource']);
    add(event['old']);
  }
  return found;
}

function hideSensitive(resource: Tree): void {
  const metadata = resource['metadata'];
  const type = isTree(metadata) ? String(metadata['type'] ?? '') : '';
  const spec = resource['spec'];
  if (openTypes.has(type.toLowerCase()) || !isTree(spec)) return;
  spec['yamlSpec'] = '"[redacted]"\n';
  spec['protoSpec'] = new Uint8Array();
}

/** Bytes and texts become words that say how much there was. */
function emptyContents(tree: Tree): void {
  for (const [key, value] of Object.entries(tree)) {
    if (key.startsWith('$') || key === 'metadata') continue;
    if (value instanceof Uint8Array) tree[key] = Buffer.from(`[redacted ${value.length} bytes]`);
    else if (typeof value === 'string' && value !== '') tree[key] = `[redacted ${value.length} characters]`;
    else if (Array.isArray(value)) for (const item of value) if (isTree(item)) emptyContents(item);
    if (isTree(value) && !(value instanceof Uint8Array)) emptyContents(value);
  }
}

function redactValues(tree: Tree, redactor: Redactor): void {
  for (const [key, value] of Object.entries(tree)) {
    if (key === '$typeName' || key === '$unknown') continue;
    tree[key] = redacted(value, redactor);
  }
}

function redacted(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return cleaned(value, redactor);
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString('latin1');
    const clean = cleaned(text, redactor);
    return clean === text ? value : Buffer.from(clean, 'latin1');
  }
  if (Array.isArray(value)) return value.map((item) => redacted(item, redactor));
  if (isTree(value)) redactValues(value, redactor);
  return value;
}

const pemBlock = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g;

/** By value; and every private key, whosever it is. */
export const cleaned = (text: string, redactor: Redactor): string =>
  redactor
    .redact(text)
    .replace(pemBlock, '[redacted]')
    .replace(/\b(Bearer|Basic) [\w.~+/=-]{8,}/g, '$1 [redacted]');
