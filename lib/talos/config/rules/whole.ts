import type { ConfigDocument } from '../document.ts';
import { controlPlaneKinds } from './kubernetes.ts';
import { isEmpty, map, maps, quoted, type RuleContext, since, text, texts, when } from './rule.ts';

/**
 * What a node says of a configuration as a whole, where no document is wrong by itself. From 1.14 on.
 *
 * Source: validateContainer of pkg/machinery/config/container/validate.go
 */
export function wholeErrors(documents: readonly ConfigDocument[], context: RuleContext): string[] {
  if (!since(context, '1.14')) return [];
  const of = (kind: string) => documents.filter((document) => document.kind === kind).map(({ value }) => value);
  const [legacy = {}] = of('v1alpha1');
  const [machine, cluster] = [map(legacy['machine']), map(legacy['cluster'])];
  const [resolver] = of('ResolverConfig');
  const legacyDns = map(machine['features'])['hostDNS'];
  const dns = resolver && !isEmpty(resolver['hostDNS']) ? map(resolver['hostDNS']) : map(legacyDns);
  const needsDns = maps(resolver?.['nameservers']).some(({ protocol }) => text(protocol) !== '' && text(protocol) !== 'Do53');

  const [identity] = of('DiscoveryIdentityConfig');
  const id = identity ? text(identity['clusterID']) : text(cluster['id']);
  const secret = identity ? text(identity['clusterSecret']) : text(cluster['secret']);
  const legacyDiscovery = map(cluster['discovery']);
  const hasService = map(map(legacyDiscovery['registries'])['service'])['disabled'] !== true;
  const discovers = of('DiscoveryServiceConfig').length > 0 || (legacyDiscovery['enabled'] === true && hasService);
  const at = 'should be set when cluster discovery (DiscoveryServiceConfig) is enabled';

  const [kubeSpan] = of('KubeSpanConfig');
  const spans = kubeSpan ? kubeSpan['enabled'] === true : map(map(machine['network'])['kubespan'])['enabled'] === true;

  const hasAuthority = of('KubeAPIServerCAConfig').length > 0 || cluster['ca'] !== undefined || cluster['acceptedCAs'] !== undefined;
  const hasKey = text(cluster['secretboxEncryptionSecret']) !== '' || text(cluster['aescbcEncryptionSecret']) !== '';
  const hasEndpoint = of('KubeClusterConfig').length > 0 || text(map(cluster['controlPlane'])['endpoint']) !== '';
  const kinds = [...new Set(documents.map(({ kind }) => kind).filter((kind) => controlPlaneKinds.has(kind)))].sort();
  return [
    ...when(needsDns && dns['enabled'] !== true, 'hostDNS must be enabled when using non-default DNS protocols'),
    ...when(discovers && id === '', `cluster ID (.cluster.id or DiscoveryIdentityConfig) ${at}`),
    ...when(discovers && secret === '', `cluster secret (.cluster.secret or DiscoveryIdentityConfig) ${at}`),
    ...containerErrors(documents),
    ...when(spans && !discovers, 'KubeSpan requires cluster discovery to be enabled'),
    ...when(
      context.isControlPlane && hasAuthority && !hasKey && of('KubeEtcdEncryptionConfig').length === 0,
      'etcd encryption config is required for control plane machines running kube-apiserver',
    ),
    ...when(
      hasAuthority && !hasEndpoint,
      'cluster name and endpoint are required when Kubernetes is configured: either .cluster.clusterName/.cluster.controlPlane.endpoint or the KubeClusterConfig document',
    ),
    ...when(
      kinds.length > 0 && !context.isControlPlane,
      `the following document kinds are only allowed on control plane machines: [${kinds.join(' ')}]`,
    ),
  ];
}

/** Containers may wait for each other, not in a circle. Source: container_deps.go */
function containerErrors(documents: readonly ConfigDocument[]): string[] {
  const edges = new Map(
    documents.flatMap(({ kind, name, value }) =>
      kind === 'ContainerConfig' ? [[name, texts(map(value['dependsOn'])['containers'])] as const] : [],
    ),
  );
  const unknown = [...edges].flatMap(([name, others]) =>
    others.flatMap((other) =>
      when(!edges.has(other), `container ${quoted(name)} depends on container ${quoted(other)}, which is not configured`),
    ),
  );
  const cycles: string[] = [];
  const settled = new Set<string>();
  const walk = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start !== -1) return void cycles.push([...path.slice(start), name].join(' -> '));
    if (settled.has(name)) return;
    for (const other of edges.get(name) ?? []) if (edges.has(other)) walk(other, [...path, name]);
    settled.add(name);
  };
  for (const name of [...edges.keys()].sort()) walk(name, []);
  return [...unknown, ...when(cycles.length > 0, `container dependsOn cycle detected: ${cycles.join(', ')}`)];
}
