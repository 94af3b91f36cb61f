import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kubeRig, never } from '../../unit/sim/kube/rig.ts';

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly singularName: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const { lists } = JSON.parse(readFileSync(new URL('./discovery.json', import.meta.url), 'utf8')) as {
  lists: readonly { readonly groupVersion: string; readonly resources: readonly Resource[] }[];
};
const rig = await kubeRig();

const listOf = async (groupVersion: string): Promise<readonly Resource[]> =>
  (
    JSON.parse(await rig.client.read(groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`, never)) as {
      resources: readonly Resource[];
    }
  ).resources;

/** Verbs of subresources differ between kinds in ways that no client asks about. */
const shown = ({ name, kind, namespaced, singularName, shortNames, categories, verbs }: Resource): string =>
  JSON.stringify(name.includes('/') ? { name, kind, namespaced } : { name, kind, namespaced, singularName, shortNames, categories, verbs });

/** Resources of the real server that the model does not have; each has a line in known-gaps.txt. */
const absent = new Set(
  readFileSync(new URL('../known-gaps.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('kube/discovery: '))
    .map((line) => line.slice('kube/discovery: '.length).split(' — ')[0] as string),
);

for (const { groupVersion, resources } of lists) {
  test(`${groupVersion} lists the resources of a real API server`, async () => {
    const wanted = resources.filter(({ name }) => !absent.has(`${groupVersion} ${name}`)).map(shown);
    expect((await listOf(groupVersion)).map(shown)).toEqual(wanted);
  });
}

test('capabilities are every group, version and kind of the two discovery documents, aggregated or not', async () => {
  const { apiVersions, kubeVersion } = await rig.client.capabilities(never);
  expect(kubeVersion).toEqual({ major: '1', minor: '37', gitVersion: 'v1.37.0' });
  const wanted = new Set<string>();
  for (const { groupVersion } of lists) {
    wanted.add(groupVersion);
    for (const { name, kind } of await listOf(groupVersion)) if (!name.includes('/')) wanted.add(`${groupVersion}/${kind}`);
  }
  expect(apiVersions).toEqual([...wanted].sort());
  const versions = lists.map(({ groupVersion }) => groupVersion).filter((groupVersion) => groupVersion !== 'v1');
  expect([...(await rig.client.groupVersions(never))].sort()).toEqual(versions.sort());
});
