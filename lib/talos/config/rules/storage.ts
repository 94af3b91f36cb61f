import type { ConfigMap, ConfigValue } from '../value.ts';
import {
  badExpression,
  isEmpty,
  map,
  maps,
  named,
  number,
  quoted,
  type Rule,
  type RuleContext,
  saysNothing,
  seconds,
  since,
  sizeOf,
  text,
  when,
} from './rule.ts';

const selectorOf = (holder: ConfigValue | undefined, field: string): string => text(map(map(holder)[field])['match']);

const encryption: Rule = (value) => {
  const spec = map(value['encryption']);
  const provider = text(spec['provider']) || 'none';
  const keys = maps(spec['keys']);
  if (provider === 'none' && keys.length === 0) return [];
  const sentences = [
    ...when(provider !== 'luks2', `unsupported encryption provider: ${provider}`),
    ...when(keys.length === 0, 'encryption keys are required'),
  ];
  const slots = new Set<number>();
  for (const key of keys) {
    const slot = number(key['slot']);
    if (slots.has(slot)) sentences.push(`duplicate key slot ${slot}`);
    slots.add(slot);
    if (!['static', 'nodeID', 'kms', 'tpm'].some((kind) => key[kind] !== undefined))
      sentences.push(`at least one encryption key type must be specified for slot ${slot}`);
    const registers = map(map(key['tpm'])['options'])['pcrs'];
    for (const register of Array.isArray(registers) ? registers.map(number) : [])
      if (register < 0 || register > 23) sentences.push(`TPM PCR ${register} is out of range (0-23)`);
  }
  return sentences;
};

/** Selectors and sizes of a volume that somebody asks for. */
function provisioning(value: ConfigMap, isRequired: boolean, context: RuleContext, hasSize = true): string[] {
  const spec = map(value['provisioning']);
  const [minimum, maximum] = [text(spec['minSize']), text(spec['maxSize'])];
  const selector = selectorOf(spec, 'diskSelector');
  const sentences = [
    ...badExpression('disk selector is invalid', selector, 'disk', context),
    ...when(isRequired && selector === '', 'disk selector is required'),
  ];
  // 1.12 cannot even read them.
  if (!since(context, '1.13') && `${minimum}${maximum}`.includes('-')) return ['sizes cannot be negative'];
  if (!hasSize)
    return [
      ...sentences,
      ...when(minimum !== '' || maximum !== '' || spec['grow'] !== undefined, 'min size, max size and grow are not supported'),
    ];
  const isOpen = maximum.includes('%') || (maximum.startsWith('-') && since(context, '1.13'));
  if (minimum !== '' && maximum !== '' && !isOpen)
    sentences.push(...when(sizeOf(minimum) > sizeOf(maximum), 'min size is greater than max size'));
  else sentences.push(...when(isRequired && minimum === '' && maximum === '', 'min size or max size is required'));
  return [...sentences, ...when(minimum.startsWith('-') && since(context, '1.13'), 'min size cannot be negative')];
}

function volumeName(value: ConfigMap, longest: number, marks = '-'): string[] {
  const name = text(value['name']);
  const isLvm = marks !== '-';
  return [
    ...named(value, 'name is required'),
    ...when(name.length < 1 || name.length > longest, `name must be between 1 and ${longest} characters long`),
    ...when(
      new RegExp(`[^A-Za-z0-9${marks}]`).test(name),
      isLvm
        ? 'name can only contain ASCII letters, digits, hyphens and underscores'
        : 'name can only contain lowercase and uppercase ASCII letters, digits, and hyphens',
    ),
  ];
}

/** Source: TrimConfig.Validate, ScrubConfig.Validate */
const upkeep = (value: ConfigMap): string[] => {
  const scrub = seconds(map(value['scrub'])['interval']);
  return [
    ...when(seconds(map(value['trim'])['interval']) < 0, 'trim interval cannot be negative'),
    ...when(scrub !== 0 && scrub < 10, 'scrub interval: minimum value is 10s'),
  ];
};

const filesystem: Rule = (value) => {
  const spec = map(value['filesystem']);
  const type = text(spec['type']);
  if (type !== '' && !['none', 'xfs', 'ext4', 'btrfs'].includes(type)) return [`unsupported filesystem type: ${type}`];
  const isXfs = type === '' || type === 'none' || type === 'xfs';
  if (spec['projectQuotaSupport'] === true && !isXfs) return ['project quota support is only available for xfs filesystem'];
  return when(spec['xfs'] !== undefined && !isXfs, 'xfs options are only available for xfs filesystem');
};

const userVolume: Rule = (value, context) => {
  const type = text(value['volumeType']) || 'partition';
  const sentences = volumeName(value, 34);
  const mount = map(value['mount']);
  if (type === 'directory')
    sentences.push(
      ...when(!saysNothing(value['provisioning']), 'provisioning spec is invalid for volumeType directory'),
      ...when(encryptionSays(value), 'encryption spec is invalid for volumeType directory'),
      ...when(filesystemSays(value), 'filesystem spec is invalid for volumeType directory'),
      ...(since(context, '1.14')
        ? when(mount['disableAccessTime'] !== undefined, 'mount.disableAccessTime is invalid for volumeType directory')
        : when(!saysNothing(mount), 'mount spec is invalid for volumeType directory')),
    );
  else if (type === 'disk' || type === 'partition')
    sentences.push(
      ...provisioning(value, true, context, type === 'partition'),
      ...filesystem(value, context),
      ...encryption(value, context),
    );
  else sentences.push(`unsupported volume type ${quoted(type)}`);
  return [...sentences, ...upkeep(value)];
};

/** Source: EncryptionSpec.IsZero, FilesystemSpec.IsZero */
const isNamed = (value: ConfigValue | undefined): boolean => text(value) !== '' && text(value) !== 'none';
const encryptionSays = (value: ConfigMap): boolean => {
  const { provider, keys } = map(value['encryption']);
  return isNamed(provider) || !saysNothing(keys);
};
const filesystemSays = (value: ConfigMap): boolean => {
  const { type, projectQuotaSupport, xfs } = map(value['filesystem']);
  return isNamed(type) || projectQuotaSupport !== undefined || xfs !== undefined;
};

const oldVolumes = ['STATE', 'EPHEMERAL', 'IMAGECACHE'];
const ownVolumes = ['ETCD', 'CRI', 'KUBELET', 'LOG'];

const systemVolume: Rule = (value, context) => {
  const name = text(value['name']);
  const allowed = since(context, '1.14') ? [...oldVolumes, ...ownVolumes] : oldVolumes;
  if (!allowed.includes(name)) return [`only [${allowed.map(quoted).join(' ')}] volumes are supported`];
  const isNew = since(context, '1.14');
  const mountSays = !isEmpty(value['mount']);
  const isProvisioned = !saysNothing(value['provisioning']);
  const sentences: string[] = [];
  if (name === 'STATE')
    sentences.push(
      ...when(isProvisioned, 'provisioning config is not allowed for the "STATE" volume'),
      ...maps(map(value['encryption'])['keys']).flatMap((key) =>
        when(key['lockToState'] === true, 'state-locked key is not allowed for the "STATE" volume'),
      ),
    );
  if (isNew && ['STATE', 'IMAGECACHE'].includes(name))
    sentences.push(...when(mountSays, `mount config is not allowed for the ${quoted(name)} volume`));
  if (isNew && name === 'IMAGECACHE')
    sentences.push(...when(!saysNothing(value['filesystem']), 'filesystem config is not allowed for the "IMAGECACHE" volume'));
  if (isNew && ownVolumes.includes(name))
    sentences.push(
      ...when(
        mountSays && !isProvisioned,
        `mount config for the ${quoted(name)} volume is only supported when it is provisioned onto a dedicated partition`,
      ),
    );
  return [...sentences, ...provisioning(value, false, context), ...encryption(value, context), ...upkeep(value)];
};

function memberSelector(value: ConfigMap, context: RuleContext): string[] {
  const selector = selectorOf(value['provisioning'], 'volumeSelector');
  return [
    ...badExpression('provisioning.volumeSelector.match', selector, 'member', context),
    ...when(selector === '', 'provisioning.volumeSelector.match is required'),
  ];
}

const logicalVolume: Rule = (value) => {
  const type = text(value['type']) || 'linear';
  const spec = map(value['provisioning']);
  const [minimum, maximum] = [text(spec['minSize']), text(spec['maxSize'])];
  const [mirrors, stripes] = [value['mirrors'], value['stripes']];
  return [
    ...volumeName(value, 63, '_-'),
    ...(mirrors === undefined
      ? []
      : ['raid1', 'raid10'].includes(type)
        ? when(number(mirrors) < 1, 'mirrors must be at least 1')
        : [`mirrors is only valid for raid1/raid10, not ${type}`]),
    ...(stripes === undefined
      ? []
      : ['raid0', 'raid10'].includes(type)
        ? when(number(stripes) < 2, 'stripes must be at least 2')
        : [`stripes is only valid for raid0/raid10, not ${type}`]),
    ...when(text(spec['volumeGroup']) === '', 'provisioning.volumeGroup is required'),
    ...when(maximum === '', 'provisioning.maxSize is required'),
    ...when(maximum.startsWith('-'), 'provisioning.maxSize must not be negative'),
    ...when(
      minimum !== '' && !maximum.includes('%') && sizeOf(minimum) > sizeOf(maximum),
      'provisioning.minSize must not exceed provisioning.maxSize',
    ),
  ];
};

const raw: Rule = (value, context) => [...volumeName(value, 34), ...provisioning(value, true, context), ...encryption(value, context)];

/** Source: the Validate methods of pkg/machinery/config/types/block and storage */
export const storageRules: Readonly<Record<string, Rule>> = {
  ExistingVolumeConfig: (value, context) => {
    const name = text(value['name']);
    const selector = selectorOf(value['discovery'], 'volumeSelector');
    return [
      ...named(value, 'name is required'),
      ...when(/[^A-Za-z0-9-]/.test(name), 'name can only contain lowercase and uppercase ASCII letters, digits, and hyphens'),
      ...badExpression('volume selector is invalid', selector, 'volume', context),
      ...when(selector === '', 'volume selector is required'),
      ...upkeep(value),
    ];
  },
  ExternalVolumeConfig: (value) => {
    const type = text(value['filesystemType']) || 'none';
    const virtiofs = map(value['mount'])['virtiofs'];
    return [
      ...volumeName(value, 34),
      ...(type !== 'virtiofs'
        ? [`invalid filesystem type: ${type}`]
        : virtiofs === undefined
          ? ['virtiofs mount spec is required']
          : when(text(map(virtiofs)['tag']) === '', 'virtiofs tag is required')),
    ];
  },
  FilesystemScrubConfig: (value) => {
    const interval = seconds(value['interval']);
    return when(interval !== 0 && interval < 10, 'scrub interval: minimum value is 10s');
  },
  FilesystemTrimConfig: (value) => when(seconds(value['interval']) < 0, 'interval cannot be negative'),
  LVMLogicalVolumeConfig: logicalVolume,
  LVMVolumeGroupConfig: (value, context) => [...volumeName(value, 63, '_-'), ...memberSelector(value, context)],
  RAIDArrayConfig: (value, context) => [...volumeName(value, 32, '_-'), ...memberSelector(value, context)],
  RawVolumeConfig: raw,
  SwapVolumeConfig: raw,
  UserVolumeConfig: userVolume,
  VolumeConfig: systemVolume,
  ZswapConfig: (value) =>
    when(number(value['maxPoolPercent']) < 0 || number(value['maxPoolPercent']) > 100, 'maxPoolPercent must be between 0 and 100'),
};
