/** Where a chart comes from. */
export type ChartSource =
  /** `repository` without scheme: `ghcr.io/org/charts/cilium`. A digest wins over a tag, a tag over a range. */
  | {
      readonly kind: 'oci';
      readonly repository: string;
      readonly tag?: string;
      readonly range?: string;
      readonly digest?: string;
      readonly isPlainHttp?: boolean;
    }
  /** A classic repository: `url` is the folder of its index.yaml; `version` is exact or a range, absent: the newest. */
  | { readonly kind: 'index'; readonly url: string; readonly chart: string; readonly version?: string }
  /** An absolute path to an unpacked chart. */
  | { readonly kind: 'folder'; readonly path: string };

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
      return 'folder';
    default:
      return source satisfies never;
  }
}
