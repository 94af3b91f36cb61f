import { simulatedCharts } from '../registry/pack-chart.ts';
import { isKnownChart, knownGroups } from '../registry/stand-in-kinds.ts';
import { ensureDefinition } from '../kube/operators.ts';
import { builtIn } from '../kube/kinds.ts';
import { listAt, type Obj, objAt, textAt } from '../kube/value.ts';
import type { FluxContext } from './context.ts';
import { fluxKind, group } from './flux-kinds.ts';

const definitions = builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
const mark = 'simulated.invalid/stand-in';

/**
 * Makes a definition for a kind that the API does not serve, when somebody who is already there could have brought it: a chart of which
 * the sandbox knows nothing but the name, or a place outside that it does not fetch. False when nobody could, so that a definition that
 * a repository forgot is missing here too.
 */
export function standInForKind(context: FluxContext, object: Obj): boolean {
  const { state } = context;
  const [itsGroup = '', version = ''] = textAt(object, 'apiVersion').split('/');
  const kind = textAt(object, 'kind');
  if (!itsGroup.includes('.') || version === '' || itsGroup.endsWith('.toolkit.fluxcd.io') || !/^[A-Z][A-Za-z0-9]*$/.test(kind))
    return false;
  const kinds = state.allKinds().filter((one) => one.group === itsGroup);
  if (kinds.some((one) => one.definition === undefined)) return false;
  const known = kinds.find((one) => one.kind === kind);
  if (known !== undefined) return addVersion(context, known.definition as string, version);
  if (kinds.length === 0 && !couldBeBrought(context, itsGroup)) return false;
  const scope = /^Cluster[A-Z]/.test(kind) ? 'Cluster' : 'Namespaced';
  const plural = pluralOf(kind.toLowerCase());
  ensureDefinition(state, { group: itsGroup, kind, plural, versions: [version], scope });
  const made = state.get(definitions, undefined, `${plural}.${itsGroup}`);
  if (made) state.put(definitions, { ...made, metadata: { ...objAt(made, 'metadata'), annotations: { [mark]: 'true' } } });
  context.standIns.add(`${kind}.${itsGroup}`);
  return true;
}

/** Only definitions of ours get versions that somebody asks for; those of charts have the ones that they have. */
function addVersion({ state }: FluxContext, name: string, version: string): boolean {
  const definition = state.get(definitions, undefined, name);
  if (definition === undefined || textAt(definition, 'metadata', 'annotations', mark) !== 'true') return false;
  const versions = listAt(definition, 'spec', 'versions');
  const [first] = versions;
  // It is there, and not served yet.
  if (first === undefined || versions.some((one) => textAt(one, 'name') === version)) return true;
  const more: Obj = { ...objAt(first), name: version, storage: false };
  const { generation } = objAt(definition, 'metadata');
  state.put(definitions, {
    ...definition,
    metadata: { ...objAt(definition, 'metadata'), generation: Number(generation) + 1 },
    spec: { ...objAt(definition, 'spec'), versions: [...versions, more] },
  });
  return true;
}

function couldBeBrought(context: FluxContext, itsGroup: string): boolean {
  if (context.absent.size > 0) return true;
  const releases = fluxKind(context.state, group.helm, 'HelmRelease');
  if (releases === undefined) return false;
  const installed = context.state.list(releases).map((one) => textAt(listAt(one, 'status', 'history')[0], 'chartName'));
  return [...installed, ...(context.standInCharts?.() ?? [])].some(
    (chart) =>
      chart !== '' &&
      !simulatedCharts.has(chart) &&
      !isKnownChart(chart) &&
      // Kinds of charts that are known come with these, or with a chart of definitions alone.
      (!knownGroups.has(itsGroup) || /(?:^|-)crds?(?:-|$)/.test(chart)),
  );
}

const pluralOf = (word: string): string =>
  /(?:s|x|z|ch|sh)$/.test(word) ? `${word}es` : /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
