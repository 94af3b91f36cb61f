import { type Failure, lineColumnAt, type Place, TkError } from '../../base/index.ts';
import { formatPath, parseYaml } from '../../format/index.ts';
import { releaseFailure } from './failures.ts';
import type { ReleasePlan } from './release-plan.ts';

interface Problem {
  readonly chart: string;
  readonly pointer: string;
  readonly problem: string;
}

/** Each problem of a values schema with the line of the HelmRelease that set the value, where it was set there. */
export function describeSchemaProblems(failure: Failure, plan: ReleasePlan): TkError {
  const problems = (failure.facts.problems ?? []) as unknown as readonly Problem[];
  const described = problems.map(({ chart, pointer, problem }) => {
    const path = pointer
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    const inRelease = chart === plan.chart || chart === '' ? path : [chart, ...path];
    const found = placeOfValue(plan, inRelease);
    return releaseFailure(
      'release/values-schema',
      { release: plan.name, chart, path: formatPath(inRelease), problem, ...(found?.value === undefined ? {} : { value: found.value }) },
      { where: found?.place ?? plan.place },
    );
  });
  const [first = failure, ...rest] = described;
  return new TkError(first, ...rest);
}

/** Values from Secrets are never shown: only what stands in the HelmRelease itself is. */
function placeOfValue(
  plan: ReleasePlan,
  path: readonly (string | number)[],
): { readonly place: Place; readonly value?: string } | undefined {
  const layer = plan.values.find((candidate) => candidate.kind === 'helm-release');
  if (layer?.kind !== 'helm-release' || layer.place.kind !== 'file') return undefined;
  const [document] = parseYaml({ path: layer.place.path, text: layer.text }, { version: 'kubernetes' }).documents;
  const full = ['spec', 'values', ...path];
  if (document === undefined || !document.has(full)) return undefined;
  const span = document.spanOf(full);
  const { line, column } = lineColumnAt(document.file.text, span.start);
  const value = document.scalarAt(full)?.text;
  // The layer's text begins where its document does in the file.
  const place: Place = { kind: 'file', path: layer.place.path, line: line + layer.firstLine - 1, column };
  return { place, ...(value === undefined || layer.substitution !== undefined ? {} : { value }) };
}
