import { expect, test } from 'vitest';
import { type Exec, TkError } from '../../../../lib/base/index.ts';
import { loadRegistryCredentials, pullRelease, type ReleasePlan } from '../../../../lib/kube/index.ts';
import { createMemoryFiles, createRegistry } from '../../../../lib/sim/index.ts';
import { renderFailure } from '../../../../lib/ui/index.ts';
import { dialTo, pullPorts, quickClock, signal } from './rig.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const env = { get: () => undefined, home: '/home/x', platform: 'linux' } as const;
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof TkError ? renderFailure(error.failure) : String(error)),
  );

/** Programs by name: what they answer for each server, or undefined for "nobody is logged in there". */
function programs(known: Readonly<Record<string, Readonly<Record<string, string | undefined>>>>, ran: string[] = []): Exec {
  return {
    run([command], { stdin }) {
      ran.push(`${command} ${String(stdin)}`);
      const answers = known[command];
      if (answers === undefined) throw new TkError({ code: 'host/command-not-found', facts: { command } });
      const answer = answers[String(stdin)];
      const [exitCode, text] =
        answer === undefined ? [1, 'credentials not found in native keychain'] : [answer === 'broken' ? 2 : 0, answer];
      return Promise.resolve({ exitCode, stdout: Buffer.from(text), stderr: '' });
    },
  };
}

const loginsOf = (config: object, exec?: Exec) =>
  loadRegistryCredentials({
    files: createMemoryFiles(() => 0, { '/home/x/.docker/config.json': JSON.stringify(config) }),
    env,
    ...(exec === undefined ? {} : { exec }),
  });

test('logins come from the file, from the program of a host and from the store, each program asked once', async () => {
  const ran: string[] = [];
  const exec = programs(
    {
      'docker-credential-desktop': { 'https://index.docker.io/v1/': '{"Username":"dock","Secret":"one"}' },
      'docker-credential-gcloud': { 'eu.gcr.io': '{"Username":"oauth","Secret":"two"}' },
    },
    ran,
  );
  const config = {
    auths: { 'ghcr.io': { auth: base64('git:pat:x') }, 'https://index.docker.io/v1/': {} },
    credsStore: 'desktop',
    credHelpers: { 'eu.gcr.io': 'gcloud' },
  };
  const logins = await loginsOf(config, exec);
  const of = async (host: string) => {
    const found = await logins.of(host, signal);
    return found && [found.username, found.password.reveal(), found.from];
  };
  expect(await of('ghcr.io')).toEqual(['git', 'pat:x', '/home/x/.docker/config.json']);
  expect(await of('docker.io')).toEqual(['dock', 'one', 'docker-credential-desktop']);
  expect(await of('docker.io')).toEqual(['dock', 'one', 'docker-credential-desktop']);
  expect(await of('eu.gcr.io')).toEqual(['oauth', 'two', 'docker-credential-gcloud']);
  expect(await of('quay.io')).toBeUndefined();
  expect(ran).toEqual([
    'docker-credential-desktop ghcr.io',
    'docker-credential-desktop https://index.docker.io/v1/',
    'docker-credential-gcloud eu.gcr.io',
    'docker-credential-desktop quay.io',
  ]);
});

test('a program that the file names for a host and that fails is told; a store that is not installed hides nothing', async () => {
  const named = {
    credHelpers: { 'ghcr.io': 'gone', 'quay.io': 'pass', 'x.io': '../bad' },
    auths: { 'listed.io': {} },
    credsStore: 'osxkeychain',
  };
  const logins = await loginsOf(named, programs({ 'docker-credential-pass': { 'quay.io': 'broken' } }));
  expect(await logins.of('unlisted.io', signal)).toBeUndefined();
  const told = await Promise.all(['ghcr.io', 'quay.io', 'x.io', 'listed.io'].map((host) => failureOf(logins.of(host, signal))));
  expect(told.join('\n\n')).toMatchInlineSnapshot(`
    "error[chart/credential-program]: \`docker-credential-gone\` keeps the login for \`ghcr.io\` and did not give it
    because: it is not installed
    help: install it, or log in again with \`helm registry login ghcr.io\`

    error[chart/credential-program]: \`docker-credential-pass\` keeps the login for \`quay.io\` and did not give it
    because: it ended with 2
    help: install it, or log in again with \`helm registry login quay.io\`

    error[chart/credential-program]: \`docker-credential-../bad\` keeps the login for \`x.io\` and did not give it
    because: its name cannot be one
    help: install it, or log in again with \`helm registry login x.io\`

    error[chart/credential-program]: \`docker-credential-osxkeychain\` keeps the login for \`listed.io\` and did not give it
    because: it is not installed
    help: install it, or log in again with \`helm registry login listed.io\`"
  `);
});

const planOf = (source: ReleasePlan['source']): ReleasePlan => ({
  name: 'web',
  namespace: 'apps',
  storageNamespace: 'apps',
  source,
  chart: 'web',
  version: '1.2.3',
  needs: [],
  role: 'release',
  isBootstrap: false,
  values: [],
  crds: 'create',
  areHooksDisabled: false,
  timeoutMs: 60_000,
  place: { kind: 'file', path: 'kubernetes/apps/web/helmrelease.yaml', line: 1, column: 1 },
  hooks: [],
});

test('a source of Flux brings its own login and certificate authority, and the login goes to no other host', async () => {
  const clock = quickClock();
  const seen: string[] = [];
  const targets: object[] = [];
  const registry = createRegistry({ clock, credential: { username: 'robot', password: 'hunter22' } });
  const inner = dialTo(registry.handler, seen);
  const pull = pullPorts(
    registry.handler,
    createMemoryFiles(() => 0),
    {
      clock,
      dial: {
        ...inner,
        http(request) {
          targets.push(request.target.tls ?? {});
          return inner.http(request);
        },
      },
    },
  );
  const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'apps/basic': { username: 'robot', password: 'hunter22' },
    'apps/docker': { '.dockerconfigjson': JSON.stringify({ auths: { 'registry.example': { auth: base64('robot:hunter22') } } }) },
    'apps/ca': { 'ca.crt': 'PEM', 'tls.crt': 'CERT', 'tls.key': 'KEY' },
    'apps/half': { username: 'robot' },
  };
  const ports = {
    pull,
    readReference: ({ namespace, name }: { namespace: string; name: string }) => Promise.resolve(secrets[`${namespace}/${name}`]),
  };
  const login = (name: string) => ({ name, namespace: 'apps' });
  const oci = { kind: 'oci', repository: 'registry.example/x/web', tag: '1.2.3' } as const;
  const index = { kind: 'index', url: 'https://charts.example', chart: 'cilium', version: '1.19.6' } as const;

  expect((await pullRelease(planOf({ ...oci, access: { login: login('basic'), trust: login('ca') } }), ports, signal)).version).toBe(
    '1.2.3',
  );
  expect(targets.map((tls) => ({ ...tls, key: undefined }))).toEqual(
    targets.map(() => ({ ca: 'PEM', certificate: 'CERT', key: undefined })),
  );
  expect((await pullRelease(planOf({ ...oci, access: { login: login('docker') } }), ports, signal)).version).toBe('1.2.3');
  expect((await pullRelease(planOf({ ...index, access: { login: login('basic') } }), ports, signal)).version).toBe('1.19.6');
  const told = [
    await failureOf(pullRelease(planOf({ ...oci, access: { login: login('gone') } }), ports, signal)),
    await failureOf(pullRelease(planOf({ ...oci, access: { login: login('half') } }), ports, signal)),
    await failureOf(
      pullRelease(planOf({ ...oci, repository: 'open.example/x/web', access: { login: login('gone'), isOptional: true } }), ports, signal),
    ),
    await failureOf(pullRelease(planOf({ ...oci, repository: 'other.example/x/web', access: { login: login('docker') } }), ports, signal)),
  ];
  expect(told.join('\n\n')).toMatchInlineSnapshot(`
    "error[release/login-missing]: the source of \`web\` takes its login from Secret \`apps/gone\`, which is not there
     ——▶ kubernetes/apps/web/helmrelease.yaml:1:1
    help: add the secret to the tree, or correct \`secretRef\` and \`certSecretRef\`

    error[release/login-missing]: the source of \`web\` takes its login from key \`password\` of Secret \`apps/half\`, which is not there
     ——▶ kubernetes/apps/web/helmrelease.yaml:1:1
    help: add the secret to the tree, or correct \`secretRef\` and \`certSecretRef\`

    error[chart/unauthorized]: \`open.example\` refuses to give out \`oci://open.example/x/web:1.2.3\` (401)
    because: no credentials for it were found
    help: log in with \`docker login open.example\` or \`helm registry login open.example\`

    error[chart/unauthorized]: \`other.example\` refuses to give out \`oci://other.example/x/web:1.2.3\` (401)
    because: no credentials for it were found
    help: log in with \`docker login other.example\` or \`helm registry login other.example\`"
  `);
});
