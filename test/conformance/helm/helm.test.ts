import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { packTar } from '../../../lib/format/index.ts';
import { manifestText } from '../../../lib/kube/index.ts';
import type { Rendering } from '../../../lib/wasm/index.ts';
import { corpus } from '../../oracle/helm/corpus.ts';
import { ask } from '../../unit/wasm/engine.ts';

interface Recorded {
  readonly helm: string;
  readonly outputs: Readonly<Record<string, { readonly stdout: string; readonly stderr?: string }>>;
}

const json = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as T;
const recorded = json<Recorded>('./outputs.json');

test('the recordings are of the version that the module pins', () => {
  expect(recorded.helm).toBe(json<{ helm: string }>('../../../lib/wasm/helm.wasm.json').helm);
  expect(corpus.map(({ name }) => name)).toEqual(Object.keys(recorded.outputs));
});

/** Helm walks Go maps when it tells what a schema refuses, so its order is random. */
const sorted = (message: string): string => (message.includes('schema(s)') ? message.split('\n').toSorted().join('\n') : message);

test.each(corpus)('$name renders as helm renders it', async (chart) => {
  const expected = recorded.outputs[chart.name];
  const archive = gzipSync(packTar(Object.entries(chart.files).map(([path, content]) => ({ path: `c/${path}`, content }))));
  const { name, namespace } = chart.release ?? { name: 'rel', namespace: 'default' };
  const answer = await ask<Rendering>(
    {
      op: 'render',
      render: {
        release: { name, namespace, isUpgrade: chart.isUpgrade ?? false },
        valuesTexts: chart.values === undefined ? [] : [chart.values],
        values: {},
        capabilities: { kubeVersion: chart.kubeVersion ?? '', apiVersions: chart.apiVersions ?? [] },
        includeCrds: chart.includeCrds ?? false,
        folder: true,
      },
    },
    archive,
  );
  if (expected?.stderr === undefined) {
    expect(answer.failure).toBeUndefined();
    expect(manifestText(answer.result)).toBe(expected?.stdout);
    return;
  }
  const said = expected.stderr.replace(/\n\nUse --debug flag to render out invalid YAML$/, '').trim();
  // The command puts its own words in front of what the engine says: which file it read, what to type.
  const commandsWords =
    /^Error: (?:an error occurred while checking for chart dependencies\. .*?missing dependencies: |failed to parse FOLDER\/values\.yaml: |release name check failed: )?/;
  expect(sorted((answer.failure?.message ?? '').trim())).toBe(sorted(said.replace(commandsWords, '')));
});
