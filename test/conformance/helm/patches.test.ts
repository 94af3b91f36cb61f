import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseYaml } from '../../../lib/format/index.ts';
import type { Json } from '../../../lib/base/index.ts';
import { applyPostRenderers, readPostRenderers } from '../../../lib/kube/charts/post-render.ts';
import { patchCases } from '../../oracle/helm/patch-cases.ts';

interface Recorded {
  readonly outputs: Readonly<Record<string, { readonly objects?: readonly { kind: string }[]; readonly error?: string }>>;
}

const { outputs } = JSON.parse(readFileSync(new URL('./patches.json', import.meta.url), 'utf8')) as Recorded;
/** Ports are told apart by number and protocol together, and kustomize sorts them by the way in which it found them. */
const withSortedPorts = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withSortedPorts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'ports' && Array.isArray(inner)
        ? inner.toSorted((a, b) => (a.containerPort ?? a.port) - (b.containerPort ?? b.port))
        : withSortedPorts(inner),
    ]),
  );
};
const byKind = <T extends { readonly kind?: unknown }>(objects: readonly T[]) =>
  objects.toSorted((a, b) => (String(a.kind) < String(b.kind) ? -1 : 1));

test.each(patchCases)('post-rendering: $name, as kustomize does it', ({ name, objects, kustomize }) => {
  const renderers = readPostRenderers({ postRenderers: [{ kustomize: kustomize as Json }] });
  const before = objects.map(
    (text) => parseYaml({ path: name, text }, { version: 'kubernetes' }).documents[0]?.value as { readonly kind: string },
  );
  const work = () => before.flatMap((object) => applyPostRenderers(object as never, renderers, 'apps') ?? []);
  const expected = outputs[name];
  if (expected?.objects === undefined) expect(work).toThrow();
  else expect(withSortedPorts(byKind(work() as never))).toEqual(withSortedPorts(byKind(expected.objects)));
});
