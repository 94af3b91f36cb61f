import { gunzipSync, gzipSync } from 'node:zlib';
import { parseYamlBulk } from '../../format/index.ts';
import { builtIn } from '../kube/kinds.ts';
import { isObj, listAt, objAt, type Obj, textAt, type Value } from '../kube/value.ts';
import { apply, configMapData, decoded, type FluxContext, isRunning, say, secretData, unmetDependency } from './context.ts';
import { durationMs, readyOf, setReady } from './conditions.ts';
import { openKeys } from './external-secrets.ts';
import { fluxKind, group, kindFor } from './flux-kinds.ts';
import { standInObjects } from './stand-in.ts';

const manager = 'helm-controller';
const secrets = builtIn('v1', 'Secret');
const dependencyMs = 5000;

/**
 * Adopts what is there and installs what is not: a release record without status history is upgraded, no record is installed.
 * An adopted release is not rendered again: what its record holds is applied once more.
 *
 * Source: fluxcd/helm-controller internal/reconcile/state.go, atomic_release.go, internal/action/install.go
 */
export async function reconcileHelmRelease(context: FluxContext, namespace: string, name: string): Promise<void> {
  const { state } = context;
  const kind = fluxKind(state, group.helm, 'HelmRelease');
  const object = kind && state.get(kind, namespace, name);
  if (!kind || !object || objAt(object, 'spec').suspend === true) return;
  const again = (inMs: number) => context.requeue('HelmRelease', namespace, name, inMs);
  if (!isRunning(context, manager)) return again(2000);
  const spec = objAt(object, 'spec');
  const fail = (reason: string, message: string, inMs: number) => {
    setReady(state, kind, object, { status: 'False', reason, message });
    say(context, 'flux/release-failed', { name, reason });
    again(inMs);
  };

  const unmet = unmetDependency(context, kind, object, readyOf);
  if (unmet !== undefined) return fail('DependencyNotReady', unmet, dependencyMs);
  const source = sourceOf(context, object);
  if (typeof source === 'string') return fail('SourceNotReady', source, dependencyMs);
  const missing = missingValues(context, namespace, spec);
  if (missing !== undefined) return fail('ValuesError', missing, 30_000);

  const release =
    textAt(spec, 'releaseName') || (textAt(spec, 'targetNamespace') === '' ? name : `${textAt(spec, 'targetNamespace')}-${name}`);
  const storage = textAt(spec, 'storageNamespace') || namespace;
  const target = textAt(spec, 'targetNamespace') || namespace;
  const chart = chartOf(object, source);
  const records = recordsOf(context, storage, release);
  const latest = records.at(-1);
  const knows = listAt(object, 'status', 'history').length > 0;
  const digest = `${chart.name}@${chart.version}`;
  if (
    knows &&
    textAt(objAt(object, 'status'), 'simulatedChart') === digest &&
    latest &&
    textAt(latest, 'metadata', 'labels', 'status') === 'deployed' &&
    textAt(objAt(object, 'status'), 'lastAttemptedGeneration') === String(objAt(object, 'metadata').generation)
  )
    return again(durationMs(textAt(spec, 'interval'), 3_600_000));

  try {
    const isAdopted = latest !== undefined;
    const { revision, changed } = isAdopted
      ? adopt(context, object, latest)
      : { revision: await install(context, object, source, storage, target, release, chart), changed: 0 };
    const verb = isAdopted ? 'upgrade' : 'install';
    setReady(
      state,
      kind,
      object,
      {
        status: 'True',
        reason: isAdopted ? 'UpgradeSucceeded' : 'InstallSucceeded',
        message: `Helm ${verb} succeeded for release ${target}/${release}.v${revision} with chart ${digest}`,
      },
      {
        history: [
          {
            chartName: chart.name,
            chartVersion: chart.version,
            name: release,
            namespace: target,
            status: 'deployed',
            version: revision,
            firstDeployed: state.timestamp(),
            lastDeployed: state.timestamp(),
          },
        ],
        lastAttemptedGeneration: String(objAt(object, 'metadata').generation),
        lastAttemptedReleaseAction: verb,
        lastAttemptedRevision: chart.version,
        storageNamespace: storage,
        simulatedChart: digest,
      },
    );
    say(context, isAdopted ? 'flux/release-adopted' : 'flux/release-installed', { namespace: target, name: release, revision, changed });
    again(durationMs(textAt(spec, 'interval'), 3_600_000));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    fail(
      latest ? 'UpgradeFailed' : 'InstallFailed',
      `Helm ${latest ? 'upgrade' : 'install'} failed for release ${target}/${release} with chart ${digest}: ${error.message}`,
      30_000,
    );
  }
}

/** Its source with an artifact, or what is said while there is none. */
function sourceOf({ state }: FluxContext, release: Obj): Obj | string {
  const spec = objAt(release, 'spec');
  const reference = isObj(spec.chartRef) ? spec.chartRef : objAt(spec, 'chart', 'spec', 'sourceRef');
  const namespace = textAt(reference, 'namespace') || textAt(release, 'metadata', 'namespace');
  const kindName = textAt(reference, 'kind');
  const kind = fluxKind(state, group.source, kindName);
  const name = textAt(reference, 'name');
  const source = kind && state.get(kind, namespace, name);
  if (!source) return `could not get Source object: ${kindName.toLowerCase()}s.${group.source} "${name}" not found`;
  const isRegistry = kindName === 'HelmRepository' && textAt(source, 'spec', 'type') === 'oci';
  return isRegistry || readyOf(source)
    ? source
    : `${kindName} '${namespace}/${name}' is not ready: latest generation of object has not been reconciled`;
}

function chartOf(release: Obj, source: Obj): { readonly name: string; readonly version: string } {
  const named = objAt(release, 'spec', 'chart', 'spec');
  if (textAt(named, 'chart') !== '') return { name: textAt(named, 'chart'), version: textAt(named, 'version') || '*' };
  return {
    name: textAt(source, 'spec', 'url').split('/').at(-1) ?? '',
    version: textAt(source, 'spec', 'ref', 'tag') || textAt(source, 'spec', 'ref', 'semver') || 'latest',
  };
}

function missingValues(context: FluxContext, namespace: string, spec: Obj): string | undefined {
  for (const reference of listAt(spec, 'valuesFrom')) {
    if (objAt(reference).optional === true) continue;
    const kind = textAt(reference, 'kind');
    const name = textAt(reference, 'name');
    const key = textAt(reference, 'valuesKey') || 'values.yaml';
    const found = kind === 'Secret' ? secretData(context.state, namespace, name) : configMapData(context.state, namespace, name);
    if (!found)
      return `could not resolve ${kind} chart values reference '${namespace}/${name}' with key '${key}': ${kind === 'Secret' ? 'secrets' : 'configmaps'} "${name}" not found`;
    if (objAt(found, 'data')[key] === undefined && textAt(found, 'metadata', 'annotations', openKeys) !== 'true')
      return `could not resolve ${kind} chart values reference '${namespace}/${name}' with key '${key}': key not found`;
  }
  return undefined;
}

/** By revision, lowest first. */
function recordsOf({ state }: FluxContext, namespace: string, release: string): Obj[] {
  const revisionOf = (record: Obj) => Number(textAt(record, 'metadata', 'labels', 'version'));
  return state
    .list(secrets, namespace)
    .filter((secret) => textAt(secret, 'type') === 'helm.sh/release.v1' && textAt(secret, 'metadata', 'labels', 'name') === release)
    .sort((a, b) => revisionOf(a) - revisionOf(b));
}

/**
 * What is in the record is applied once more, as an upgrade does it. `changed` counts the objects that this made anew or gave a new
 * generation: 0 when whoever installed them did it as helm-controller does.
 */
function adopt(context: FluxContext, object: Obj, latest: Obj): { readonly revision: number; readonly changed: number } {
  const { state } = context;
  const labels = objAt(latest, 'metadata', 'labels');
  const revision = Number(labels.version) + 1;
  const record = JSON.parse(gunzipSync(Buffer.from(decoded(latest, 'release'), 'base64')).toString('utf8')) as Obj;
  let changed = 0;
  for (const one of parseYamlBulk(textAt(record, 'manifest')) as Value[]) {
    if (!isObj(one)) continue;
    const owned = withOwner(one, object, String(labels.name), textAt(record, 'namespace'));
    const kind = kindFor(state, textAt(owned, 'apiVersion'), textAt(owned, 'kind'));
    const before = kind && state.get(kind, textAt(owned, 'metadata', 'namespace'), textAt(owned, 'metadata', 'name'));
    const after = apply(context, owned, manager);
    const isSame =
      before !== undefined && ['uid', 'generation'].every((key) => objAt(before, 'metadata')[key] === objAt(after, 'metadata')[key]);
    if (!isSame) changed += 1;
  }
  const next: Obj = {
    ...record,
    version: revision,
    info: { ...objAt(record, 'info'), status: 'deployed', last_deployed: state.timestamp(), description: 'Upgrade complete' },
  };
  state.put(secrets, { ...latest, metadata: { ...objAt(latest, 'metadata'), labels: { ...labels, status: 'superseded' } } });
  writeRecord(context, textAt(latest, 'metadata', 'namespace'), String(labels.name), revision, next);
  return { revision, changed };
}

/** Ownership as Helm writes it, and where helm-controller took it from. Source: fluxcd/helm-controller internal/postrender/origin_labels.go */
function withOwner(object: Obj, helmRelease: Obj, release: string, target: string): Obj {
  const metadata = objAt(object, 'metadata');
  return {
    ...object,
    metadata: {
      ...metadata,
      namespace: textAt(metadata, 'namespace') || target,
      labels: {
        ...objAt(metadata, 'labels'),
        'app.kubernetes.io/managed-by': 'Helm',
        [`${group.helm}/name`]: textAt(helmRelease, 'metadata', 'name'),
        [`${group.helm}/namespace`]: textAt(helmRelease, 'metadata', 'namespace'),
      },
      annotations: { ...objAt(metadata, 'annotations'), 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': target },
    },
  };
}

async function install(
  context: FluxContext,
  object: Obj,
  source: Obj,
  storage: string,
  target: string,
  release: string,
  chart: { readonly name: string; readonly version: string },
): Promise<number> {
  const objects = context.renderChart ? await context.renderChart(object, source) : standInObjects(chart.name, release, target);
  for (const one of objects) apply(context, withOwner(one, object, release, target), manager);
  const now = context.state.timestamp();
  writeRecord(context, storage, release, 1, {
    name: release,
    info: { first_deployed: now, last_deployed: now, description: 'Install complete', status: 'deployed' },
    chart: { metadata: { ...chart, apiVersion: 'v2' } },
    config: (objAt(object, 'spec').values as Value | undefined) ?? {},
    manifest: '',
    version: 1,
    namespace: target,
    apply_method: 'ssa',
  });
  return 1;
}

function writeRecord(context: FluxContext, namespace: string, release: string, revision: number, record: Obj): void {
  const encoded = gzipSync(JSON.stringify(record), { level: 9 }).toString('base64');
  const { state } = context;
  state.put(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `sh.helm.release.v1.${release}.v${revision}`,
      namespace,
      uid: state.newUid(),
      creationTimestamp: state.timestamp(),
      labels: {
        createdAt: String(Math.floor(context.kernel.clock.now() / 1000)),
        name: release,
        owner: 'helm',
        status: 'deployed',
        version: String(revision),
      },
    },
    data: { release: Buffer.from(encoded).toString('base64') },
    type: 'helm.sh/release.v1',
  });
}
