import type { TalosApiMinor } from './api/services.ts';
import { resourceDefinitionRows } from './resource-definitions.gen.ts';

/** How a machine describes one type of its resources. */
export interface ResourceDefinition {
  /** `Disks.block.talos.dev` */
  readonly type: string;
  /** `Disk` */
  readonly displayType: string;
  /** Where its resources lie unless said otherwise. */
  readonly namespace: string;
  /** Short names that upstream gives it; `allAliases` holds these and the ones that follow from the type. */
  readonly aliases: readonly string[];
  readonly allAliases: readonly string[];
  /** Columns of a table, as JSON paths into the resource. */
  readonly columns: readonly { readonly name: string; readonly jsonPath: string }[];
  /** Only os:admin may read it. */
  readonly sensitive: boolean;
}

export interface ResourceDefinitionRow extends ResourceDefinition {
  readonly minors: readonly TalosApiMinor[];
}

/** Every type that a machine of that generation registers, by type. Source: upstream's own packages, run. */
export function resourceDefinitions(minor: TalosApiMinor): readonly ResourceDefinition[] {
  return resourceDefinitionRows.filter((row) => row.minors.includes(minor)).map(({ minors: _minors, ...definition }) => definition);
}
