import { type TalosMinor, talosMinors } from './machine-config-schema.ts';
import { expressionMessages } from './schema/expressions.gen.ts';

const units = 'KiB MiB GiB TiB PiB EiB kB MB GB TB PB EB'.split(' ').map((unit) => `${unit} uint`);
const glob = 'glob string string: bool';
const disk = 'disk talos.resource.definitions.block.DiskSpec';
const volume = 'volume talos.resource.definitions.block.DiscoveredVolumeSpec';
const pressures = ['some', 'full'].flatMap((who) => ['avg10', 'avg60', 'avg300', 'total'].map((when) => `memory_${who}_${when}`));
const totals = ['current', 'peak', 'max'].map((what) => `memory_${what}`);
const classes = ['Besteffort', 'Burstable', 'Guaranteed', 'Podruntime', 'System'].map((name) => `${name} int`);

/** What selectors and conditions may speak of: names with their types, and functions. Source: pkg/machinery/cel/celenv */
export const expressionEnvironments = {
  disk: { variables: [disk, 'system_disk bool', ...units], functions: glob, hasOptionals: false },
  volume: { variables: [volume, disk, ...units], functions: '', hasOptionals: false },
  member: { variables: [volume, disk, 'volume_id string', 'system_disk bool', ...units], functions: glob, hasOptionals: false },
  link: {
    variables: ['link talos.resource.definitions.network.LinkStatusSpec'],
    functions: `${glob}\nmac bytes: string`,
    hasOptionals: false,
  },
  trigger: {
    variables: [
      ...['', 'd_'].flatMap((delta) => [
        ...pressures.map((name) => `${delta}${name} double`),
        ...[...pressures, ...totals].map((name) => `${delta}qos_${name} map(int,double)`),
      ]),
      'time_since_trigger duration',
      ...units,
      ...classes,
    ],
    functions: 'multiply_qos_vectors map(dyn,double) map(dyn,double): double',
    hasOptionals: true,
  },
  scoring: {
    variables: [...totals.map((name) => `${name} optional(uint)`), 'path string', 'class int', ...units, ...classes],
    functions: '',
    hasOptionals: true,
  },
} as const satisfies Readonly<
  Record<string, { readonly variables: readonly string[]; readonly functions: string; readonly hasOptionals: boolean }>
>;

export type ExpressionSubject = keyof typeof expressionEnvironments;

/** Fields of the messages, with their types. What is older than the oldest table is as that is. */
export function expressionFields(minor: TalosMinor): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const messages: Record<string, Record<string, string>> = {};
  let fields: Record<string, string> = {};
  for (const line of expressionMessages.split('\n')) {
    const [, indent = '', name = '', type = '', since] = /^( *)(\S+)(?: (\S+))?(?: (\S+))?$/.exec(line) ?? [];
    if (name === '') continue;
    if (indent === '') {
      fields = {};
      messages[name] = fields;
    } else if (since === undefined || talosMinors.indexOf(since as TalosMinor) <= talosMinors.indexOf(minor)) fields[name] = type;
  }
  return messages;
}
