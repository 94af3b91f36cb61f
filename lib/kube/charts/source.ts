/** A Secret of the tree or the cluster. */
export interface SecretReference {
  readonly name: string;
  readonly namespace: string;
}

/** What a source of Flux names for logging in to it, and for knowing it. */
export interface SourceAccess {
  /** `username` and `password`, or a Docker config. */
  readonly login?: SecretReference;
  /** `ca.crt`, `tls.crt`, `tls.key`. */
  readonly trust?: SecretReference;
  /** The login is also sent to other hosts that the index names. Default: false. */
  readonly isLoginForAllHosts?: boolean;
  /** Secrets that are not there are done without: the registry may let anybody in, or knows the person. Default: false. */
  readonly isOptional?: boolean;
}

/** Where a chart comes from. */
export type ChartSource = ChartOrigin & { readonly access?: SourceAccess };

type ChartOrigin =
  /** `repository` without scheme: `ghcr.io/org/charts/cilium`. A digest wins over a tag, a tag over a range. */
  | {
      readonly kind: 'oci';
      readonly repository: string;
      readonly tag?: string;
      readonly range?: string;
      readonly digest?: string;
      readonly isPlainHttp?: boolean;
      /** Media type of the layer that is the chart. Default: Helm's own. */
      readonly layer?: string;
      /** Tags that a range may choose from: an expression. */
      readonly tagFilter?: string;
    }
  /** A classic repository: `url` is the folder of its index.yaml; `version` is exact or a range, absent: the newest. */
  | { readonly kind: 'index'; readonly url: string; readonly chart: string; readonly version?: string }
  /** Manifests that were rendered before, a file or a folder. They stand in for the chart of this name. */
  | (InRepository & { readonly kind: 'rendered'; readonly chart: string })
  /** An unpacked chart. */
  | (InRepository & { readonly kind: 'folder' });

/** What lies in the repository, and is named as people see it there. */
export interface InRepository {
  /** Absolute. */
  readonly root: string;
  /** Relative to `root`. */
  readonly path: string;
}

/** As people write it: `oci://ghcr.io/org/charts/cilium:1.19.6`. */
export function describeSource(source: ChartSource): string {
  switch (source.kind) {
    case 'oci': {
      const { digest, tag, range } = source;
      const suffix = digest === undefined ? (tag === undefined ? ` ${range ?? '*'}` : `:${tag}`) : `@${digest}`;
      return `oci://${source.repository}${suffix}`;
    }
    case 'index':
      return `${source.url.replace(/\/$/, '')}/${source.chart}${source.version === undefined ? '' : ` ${source.version}`}`;
    case 'folder':
    case 'rendered':
      return source.path;
    default:
      return source satisfies never;
  }
}

/** The version as the repository pins it, for people; the chart's own one is known only after it was pulled. */
export function versionOfSource(source: ChartSource): string {
  switch (source.kind) {
    case 'oci':
      return source.tag ?? source.range ?? source.digest ?? '*';
    case 'index':
      return source.version ?? '*';
    case 'folder':
    case 'rendered':
      return source.kind;
    default:
      return source satisfies never;
  }
}
