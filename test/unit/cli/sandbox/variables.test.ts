import { expect, test } from 'vitest';
import { type Env, failuresOf, TkError } from '../../../../lib/base/index.ts';
import { withMadeUpVariables } from '../../../../lib/cli/sandbox/variables.ts';

const env: Env = { get: (name) => ({ SET: 'own' })[name], home: '/home/x', platform: 'linux' };
const failure = failuresOf<Record<string, { name: string }>>();
const unset = (...names: readonly string[]) =>
  new TkError(...(names.map((name) => failure('talconfig/variable-not-set', { name })) as [never]));
const loading =
  (names: readonly string[], accepts: (value: string) => boolean = () => true) =>
  async (from: Env) => {
    const missing = names.filter((name) => from.get(name) === undefined);
    if (missing.length > 0) throw unset(...missing);
    const values = names.map((name) => from.get(name) ?? '');
    const wrong = values.find((value) => !accepts(value));
    if (wrong !== undefined) throw new TkError(failure('talconfig/invalid', { name: wrong }));
    return values;
  };

test('variables that nobody set get values of the kind that their names speak of, the same each time', async () => {
  const names = ['SET', 'TS_AUTHKEY', 'NODE_CIDR', 'MASTER1IP', 'CLUSTER_DOMAIN', 'REGISTRY_URL'];
  const { value, env: furnished, names: made } = await withMadeUpVariables(env, loading(names));
  expect(value).toEqual([
    'own',
    'sandbox-ts-authkey',
    '192.0.2.0/24',
    expect.stringMatching(/^192\.0\.2\.\d+$/),
    'cluster-domain.example.invalid',
    'https://registry-url.example.invalid',
  ]);
  expect(made).toEqual(names.slice(1));
  expect([furnished.get('TS_AUTHKEY'), furnished.get('OTHER')]).toEqual(['sandbox-ts-authkey', undefined]);
  expect((await withMadeUpVariables(env, loading(names))).value).toEqual(value);
});

test('where made-up values do not help, or something else is wrong, the variables are told as they were', async () => {
  await expect(
    withMadeUpVariables(
      env,
      loading(['TALOS_VERSION'], (value) => value.startsWith('v')),
    ),
  ).rejects.toMatchObject({
    failures: [{ code: 'talconfig/variable-not-set', facts: { name: 'TALOS_VERSION' } }],
  });
  const later = async (from: Env) => {
    if (from.get('A') === undefined) throw unset('A');
    throw new TkError(
      failure('talconfig/invalid', { name: from.get('A') ?? '' }),
      failure('talconfig/required', { name: 'kubernetesVersion' }),
    );
  };
  await expect(withMadeUpVariables(env, later)).rejects.toMatchObject({
    failures: [{ facts: { name: 'A' } }, { code: 'talconfig/required', facts: { name: 'kubernetesVersion' } }],
  });
  const both = async () => {
    throw new TkError(failure('talconfig/variable-not-set', { name: 'A' }), failure('talconfig/invalid', { name: 'x' }));
  };
  await expect(withMadeUpVariables(env, both)).rejects.toMatchObject({ failures: [{ facts: { name: 'A' } }, { facts: { name: 'x' } }] });
});
