import { z } from 'zod';
import { clusterSchema, nodesSchema, secretKeys } from './schema.ts';

/** JSON Schemas (draft 2020-12) for editors, by the name of the file that they describe. */
export function inputSchemas(): Readonly<Record<string, object>> {
  const asWritten = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input' });
  const secrets = z.strictObject(
    Object.fromEntries(Object.entries(secretKeys).map(([key, description]) => [key, z.string().optional().meta({ description })])),
  );
  return {
    'cluster.schema.json': asWritten(clusterSchema),
    'nodes.schema.json': asWritten(nodesSchema),
    'cluster.secrets.schema.json': asWritten(secrets.loose().meta({ title: 'cluster.secrets.sops.yaml of tk' })),
  };
}
