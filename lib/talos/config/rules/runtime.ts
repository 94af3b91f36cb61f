import { Buffer } from 'node:buffer';
import { bytesOf } from '../scalars.ts';
import type { ConfigMap, ConfigValue } from '../value.ts';
import { pairError, pemError } from './kubernetes.ts';
import { qualifiedNameError } from './labels.ts';
import { badExpression, count, map, maps, named, number, quoted, type Rule, seconds, since, text, texts, urlParts, when } from './rule.ts';

const managedFiles = ['resolv.conf', 'hosts', 'machine-id', 'extensions.yaml', 'localtime', 'os-release', 'xattr.conf'];
const managedFolders = [
  'apparmor.d/',
  'apparmor/',
  'ca-certificates/',
  'cni/',
  'cri/',
  'iscsi/',
  'kubernetes/',
  'lvm/',
  'nvme/',
  'pki/',
  'selinux/',
  'ssl/',
];

/** Source: validateEtcFilePath */
const etcFile: Rule = (value) => {
  const path = text(value['name']);
  if (path === '') return ['user etc file name cannot be empty'];
  const depths = path.split('/').reduce<number[]>((seen, part) => {
    const before = seen.at(-1) ?? 0;
    return [...seen, part === '..' ? before - 1 : part === '.' || part === '' ? before : before + 1];
  }, []);
  if (path.startsWith('/') || path.startsWith('.') || depths.some((depth) => depth < 0))
    return [`user etc file ${quoted(path)} must be a local path`];
  const isManaged = managedFiles.includes(path) || managedFolders.some((folder) => `${path}/` === folder || path.startsWith(folder));
  return when(isManaged, `user etc file ${quoted(path)} is managed by Talos`);
};

/** Source: net.SplitHostPort */
function hostPortError(endpoint: string): string | undefined {
  const last = endpoint.lastIndexOf(':');
  const address = endpoint === '' ? '' : `address ${endpoint}: `;
  if (last === -1) return `${address}missing port in address`;
  if (endpoint.startsWith('[')) {
    const end = endpoint.indexOf(']');
    if (end === -1) return `${address}missing ']' in address`;
    return end + 1 === last
      ? undefined
      : `${address}${end + 1 === endpoint.length ? 'missing port in address' : 'too many colons in address'}`;
  }
  return endpoint.indexOf(':') === last ? undefined : `${address}too many colons in address`;
}

const environment: Rule = (value) =>
  Object.keys(map(value['variables'])).flatMap((name) =>
    when(!/^[A-Za-z_]\w*$/.test(name), `invalid environment variable name: ${quoted(name)}`),
  );

const extensionService: Rule = (value) => {
  const name = text(value['name']);
  if (name === '') return ['name is required'];
  if (count(value['configFiles']) === 0 && count(value['environment']) === 0)
    return [`no config files found for extension ${quoted(name)}`];
  for (const file of maps(value['configFiles'])) {
    if (text(file['content']) === '') return [`extension content is required for extension ${quoted(name)}`];
    if (text(file['mountPath']) === '') return [`extension mount path is required for extension ${quoted(name)}`];
  }
  return [];
};

const kmsgLog: Rule = (value) => {
  if (text(value['name']) === '') return ['name is required'];
  const url = text(value['url']);
  if (url === '') return ['url is required'];
  const { scheme, port, path } = urlParts(url);
  if (!['tcp', 'udp'].includes(scheme)) return ['url scheme must be tcp:// or udp://'];
  if (path !== '' && path !== '/') return ['url path must be empty'];
  return when(port === '', 'url port is required');
};

const sideroLink: Rule = (value) => {
  const url = text(value['apiUrl']);
  if (url === '') return ['apiUrl is required'];
  const { scheme, path } = urlParts(url);
  if (!['https', 'grpc'].includes(scheme)) return ['apiUrl scheme must be https:// or grpc://'];
  return when(path !== '' && path !== '/', 'apiUrl path must be empty');
};

const imageVerification: Rule = (value) =>
  maps(value['rules']).flatMap((rule, index) => {
    const [skip, deny] = [rule['skip'] === true, rule['deny'] === true];
    const [keyless, publicKey] = [rule['keyless'], rule['publicKey']];
    const hasVerifier = keyless !== undefined || publicKey !== undefined;
    const verifier = map(keyless);
    return [
      ...when(text(rule['image']) === '', 'imagePattern must be specified'),
      ...when(skip && deny, 'skip and deny cannot both be true'),
      ...when((skip || deny) && hasVerifier, 'verifiers cannot be configured if skip or deny is true'),
      ...when(!skip && !deny && !hasVerifier, 'at least one verifier must be configured'),
      ...when(keyless !== undefined && publicKey !== undefined, 'only one of keyless or publicKey verifier can be configured'),
      ...when(keyless !== undefined && text(verifier['issuer']) === '', 'verifier OIDC issuer must be specified'),
      ...when(
        keyless !== undefined && text(verifier['subject']) === '' && text(verifier['subjectRegex']) === '',
        'verifier subject or subjectRegex must be specified',
      ),
      ...when(publicKey !== undefined && text(map(publicKey)['certificate']) === '', 'verifier certificates must be specified'),
    ].map((sentence) => `rule ${index}: ${sentence}`);
  });

const registryTls: Rule = (value, context) => {
  const authority = text(value['ca']);
  const identity = value['clientIdentity'];
  const sentences = [
    ...named(value),
    ...when(authority !== '' && pemError(authority, 'CERTIFICATE') !== undefined, 'ca must be a valid PEM-encoded certificate'),
  ];
  if (identity === undefined) return sentences;
  if (since(context, '1.14')) {
    const wrong = pairError(identity);
    return [...sentences, ...when(wrong !== undefined, `client identity: ${wrong}`)];
  }
  const isPem = (part: string) => pemError(Buffer.from(text(map(identity)[part]), 'base64').toString()) === undefined;
  return [
    ...sentences,
    ...when(!isPem('crt'), 'client identity certificate is invalid: failed to parse PEM block'),
    ...when(!isPem('key'), 'client identity key is invalid: failed to parse PEM block'),
  ];
};

const registryAuth: Rule = (value) => {
  const [user, token, auth] = ['username', 'identityToken', 'auth'].map((key) => text(value[key]) !== '');
  return [
    ...named(value),
    ...when(user === true && token === true, 'only one of username/password or identityToken authentication can be specified'),
    ...when(
      auth === true && (user === true || token === true),
      'only one of auth, username/password or identityToken authentication can be specified',
    ),
  ];
};

/** Source: ValidateBase64WithLen */
export function base64SizeError(value: string, size: number): string | undefined {
  const bytes = Buffer.from(value, 'base64').length;
  const isStandard = /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0;
  if (!isStandard) return 'failed to decode from base64';
  return bytes === size ? undefined : `expected ${size} bytes, got ${bytes}`;
}

const absolutePath = (kind: string, path: string): string[] =>
  path === '' ? [`${kind} is required`] : when(!path.startsWith('/'), `${kind} ${quoted(path)} must be an absolute path`);

const mountOptions = (mount: ConfigMap): string[] => {
  const options = texts(mount['options']);
  const known = ['ro', 'rw', 'noexec', 'nosuid', 'nodev', 'noatime', 'rbind', 'rshared'];
  return [
    ...options.flatMap((option) => when(!known.includes(option), `unsupported mount option ${quoted(option)}`)),
    ...when(options.includes('ro') && options.includes('rw'), 'mount options ro and rw are mutually exclusive'),
  ];
};

function mounts(value: ConfigMap): string[] {
  const destinations = new Set<string>();
  return maps(value['mounts']).flatMap((mount, index) => {
    const kinds = ['userVolume', 'tmpfs', 'hostPath'].filter((kind) => mount[kind] !== undefined);
    const [kind = ''] = kinds;
    const spec = map(mount[kind]);
    const destination = text(spec['destination']);
    const sentences =
      kinds.length !== 1
        ? ['exactly one of userVolume, tmpfs or hostPath must be set']
        : [
            ...when(kind === 'userVolume' && text(spec['name']) === '', 'userVolume.name is required'),
            ...(kind === 'hostPath' ? absolutePath('hostPath.source', text(spec['source'])) : []),
            ...absolutePath(`${kind}.destination`, destination),
            ...mountOptions(spec),
          ];
    if (sentences.length > 0) return [`mounts[${index}]: ${sentences.join('\n')}`];
    const isTaken = destinations.has(destination);
    destinations.add(destination);
    return when(isTaken, `mounts[${index}]: duplicate destination ${quoted(destination)}`);
  });
}

/** Source: ValidateCapabilityName */
const capability = (field: string, name: string): string[] => {
  if (name === '') return [`${field}: capability name must not be empty`];
  if (name.startsWith('CAP_')) return [`${field}: capability ${quoted(name)} must be given without the CAP_ prefix`];
  if (name.toUpperCase() !== name) return [`${field}: capability ${quoted(name)} must be upper case`];
  return when(/[^A-Z_]/.test(name), `${field}: capability ${quoted(name)} may only contain upper case letters and underscores`);
};

function security(spec: ConfigMap): string[] {
  const profile = text(spec['profile']);
  const [add, drop] = [texts(map(spec['capabilities'])['add']), texts(map(spec['capabilities'])['drop'])];
  return [
    ...when(
      !['', 'restricted', 'privileged'].includes(profile),
      `unsupported security profile ${quoted(profile)}, expected restricted or privileged`,
    ),
    ...add.flatMap((name) =>
      name === 'ALL' ? ['capabilities.add does not accept ALL, use profile: privileged instead'] : capability('capabilities.add', name),
    ),
    ...drop.flatMap((name) => (name === 'ALL' ? [] : capability('capabilities.drop', name))),
    ...add.flatMap((name) => when(drop.includes(name), `capability ${quoted(name)} appears in both add and drop`)),
  ];
}

function limits(spec: ConfigValue | undefined): string[] {
  const [memory, cpu] = [text(map(spec)['memory']), text(map(spec)['cpu'])];
  const amount = /^(\d+)m$/.exec(cpu)?.[1];
  return [
    ...when(memory !== '' && bytesOf(memory) === undefined, `limits.memory ${quoted(memory)} is not a valid size`),
    ...(cpu === ''
      ? []
      : !cpu.endsWith('m')
        ? [`limits.cpu ${quoted(cpu)} must be expressed in millicores, e.g. 1500m`]
        : amount === undefined
          ? [`limits.cpu ${quoted(cpu)} is not a valid millicore quantity`]
          : when(Number(amount) === 0, `limits.cpu ${quoted(cpu)} must be greater than zero`)),
  ];
}

const container: Rule = (value) => {
  const name = text(value['name']);
  const after = map(value['dependsOn']);
  const mode = text(map(value['network'])['mode']);
  const runAs = map(value['runAs']);
  return [
    ...(name === ''
      ? ['name is required']
      : name.length > 63
        ? [`name ${quoted(name)} must be 63 characters or fewer`]
        : when(!/^[a-z0-9-]+$/.test(name), `name ${quoted(name)}: name can only contain lowercase ASCII letters, digits and hyphens`)),
    ...when(text(value['image']) === '', 'image is required'),
    ...texts(value['environment']).flatMap((one, index) =>
      when(!one.includes('='), `environment[${index}]: ${quoted(one)} must be in KEY=value form`),
    ),
    ...mounts(value),
    ...(value['security'] === undefined ? [] : security(map(value['security']))),
    ...when(!['', 'none', 'host'].includes(mode), `unsupported network mode ${quoted(mode)}, expected none or host`),
    ...limits(map(value['resources'])['limits']),
    ...texts(after['paths']).flatMap((path) => absolutePath('dependsOn.paths entry', path)),
    ...texts(after['networks']).flatMap((condition) =>
      when(
        !['addresses', 'connectivity', 'hostname', 'etcfiles'].includes(condition),
        `unsupported dependsOn.networks condition ${quoted(condition)}`,
      ),
    ),
    ...texts(after['containers']).flatMap((other) =>
      other === ''
        ? ['dependsOn.containers entry must not be empty']
        : when(other === name, `container ${quoted(name)} cannot depend on itself`),
    ),
    ...when(number(runAs['uid']) < 0, `runAs.uid must be non-negative, got ${number(runAs['uid'])}`),
    ...when(number(runAs['gid']) < 0, `runAs.gid must be non-negative, got ${number(runAs['gid'])}`),
  ];
};

const noEmptyKey =
  (what: string): Rule =>
  (value) =>
    when('' in map(value['params']), `${what} key cannot be empty`);

/** Source: the Validate methods of pkg/machinery/config/types: runtime, cri, cluster, siderolink, security, container */
export const runtimeRules: Readonly<Record<string, Rule>> = {
  CRICustomizationConfig: (value) => {
    const name = text(value['name']);
    const wrong = qualifiedNameError(name);
    return [
      ...when(wrong !== undefined, `invalid name: ${wrong}`),
      ...when(name === 'customization', `name ${quoted(name)} is reserved for the legacy CRI customization`),
    ];
  },
  ContainerConfig: container,
  DiscoveryIdentityConfig: (value) => {
    if (text(value['clusterID']) === '') return ['clusterID is required'];
    const secret = text(value['clusterSecret']);
    if (secret === '') return ['clusterSecret is required'];
    const wrong = base64SizeError(secret, 32);
    return when(wrong !== undefined, `invalid clusterSecret: ${wrong}`);
  },
  DiscoveryServiceConfig: (value) => {
    if (text(value['name']) === '') return ['name is required'];
    const url = text(value['endpoint']);
    if (url === '') return ['endpoint is required'];
    const { scheme, host } = urlParts(url);
    if (scheme === '') return ['endpoint scheme is required'];
    if (!['http', 'https', 'grpc'].includes(scheme)) return ['endpoint scheme must be http://, https:// or grpc://'];
    return when(host === '', 'endpoint host is required');
  },
  EnvironmentConfig: environment,
  EtcFileConfig: etcFile,
  EventSinkConfig: (value) => {
    const wrong = hostPortError(text(value['endpoint']));
    return when(wrong !== undefined, `event sink endpoint: ${wrong}`);
  },
  ExtensionServiceConfig: extensionService,
  ImageVerificationConfig: imageVerification,
  KernelModuleConfig: (value) => named(value, 'name is required'),
  KmsgLogConfig: kmsgLog,
  OOMConfig: (value, context) => [
    ...badExpression('OOM trigger expression is invalid', text(value['triggerExpression']), 'trigger', context),
    ...badExpression('OOM cgroup scoring expression is invalid', text(value['cgroupRankingExpression']), 'scoring', context),
    ...when(seconds(value['sampleInterval']) < 0, 'OOM sample interval must be longer than 0'),
  ],
  RegistryAuthConfig: registryAuth,
  RegistryMirrorConfig: (value) => [
    ...named(value),
    ...maps(value['endpoints']).flatMap(({ url }, index) => {
      const { scheme } = urlParts(text(url));
      if (text(url) === '') return [`endpoints[${index}].url must be specified`];
      return when(!['http', 'https'].includes(scheme), `endpoints[${index}].url has unsupported scheme: ${quoted(scheme)}`);
    }),
  ],
  RegistryTLSConfig: registryTls,
  SideroLinkConfig: sideroLink,
  SysctlConfig: noEmptyKey('sysctl'),
  SysfsConfig: noEmptyKey('sysfs'),
  UnattendedInstallConfig: (value, context) => {
    const selector = text(map(map(value['provisioning'])['diskSelector'])['match']);
    return [
      ...badExpression('provisioning.diskSelector.match', selector, 'disk', context),
      ...when(selector === '', 'provisioning.diskSelector.match is required'),
    ];
  },
  WatchdogTimerConfig: (value) => {
    if (text(value['device']) === '') return ['watchdog device: empty value'];
    const timeout = seconds(value['timeout']);
    return when(timeout !== 0 && timeout < 10, 'watchdog timeout: minimum value is 10s');
  },
};
