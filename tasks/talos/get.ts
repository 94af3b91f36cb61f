import {
  askEach,
  defineTask,
  nodesParams,
  resourceYaml,
  type ShownResource,
  type ShownResourceEvent,
  tableText,
  throwIfAny,
  z,
} from 'talos-tk';

export default defineTask({
  summary: 'Show resources of the machines',
  description:
    'Any type by its name or an alias, as `talosctl get` knows them: disks, members, links, machinestatus, rd for the types themselves. What holds keys is redacted unless --show-secrets is given.',
  params: z.object({
    type: z.string().describe('disks, members, machinestatus, …; rd lists the types'),
    id: z.string().optional().describe('this one; absent: all'),
    ...nodesParams,
    namespace: z.string().optional().describe("default: where the type's resources lie"),
    as: z.enum(['table', 'yaml', 'json']).default('table').describe('how the resources are printed'),
    watch: z.boolean().default(false).describe('what is there, then every change, until Ctrl-C'),
    showSecrets: z.boolean().default(false).describe('print keys too'),
  }),
  positional: ['type', 'id'],
  examples: ['talos:get members', 'talos:get machinestatus NODE=cp-1 --as yaml', 'talos:get members --watch', 'talos:get rd'],
  effect: 'read',
  async run({ params, cluster, each, print, log, signal, stopping }) {
    const { resources } = cluster.operations;
    const nodes = cluster.operations.nodes(params);
    const [first] = nodes;
    if (first === undefined) return { resources: [] };
    const query = { type: params.type, id: params.id, namespace: params.namespace, showsSecrets: params.showSecrets };
    const definitions = await askEach({ each }, nodes, (node) => resources.definition(node, params.type, signal));
    const [known] = definitions.answers;
    // A word that means nothing means nothing on every machine: said once.
    if (known === undefined)
      throwIfAny(definitions.failures.slice(0, definitions.failures[0]?.code.startsWith('resource/') ? 1 : undefined));
    const headings = ['NODE', 'NAMESPACE', 'TYPE', 'ID', 'VERSION', ...(known?.value.columns ?? []).map(({ name }) => name.toUpperCase())];
    const answering = definitions.answers.map(({ node, value }) => ({ node, definition: value }));

    if (params.watch) {
      const shown = printer(params.as, headings, print);
      await each(
        answering,
        async ({ node, definition }) => {
          const lost = (failure: Parameters<typeof log.warn>[0]) => log.warn(failure);
          for await (const event of resources.watch(node, definition, query, { lost }, stopping)) shown(event);
        },
        { parallel: nodes.length },
      );
      throwIfAny(definitions.failures);
      return { resources: [] };
    }

    const found = await askEach({ each }, answering, ({ node, definition }) => resources.list(node, definition, query, signal));
    const all = found.answers.flatMap(({ value }) => value);
    if (params.as === 'table') print(tableText([headings, ...all.map(rowOf)]));
    else for (const [index, resource] of all.entries()) print(documentOf(params.as, resource, index === 0));
    throwIfAny([...definitions.failures, ...found.failures]);
    return { resources: all };
  },
});

const rowOf = ({ node, namespace, type, id, version, columns }: ShownResource): string[] => [
  node,
  namespace,
  type,
  id,
  version,
  ...columns,
];

function documentOf(as: 'yaml' | 'json', { columns: _columns, ...resource }: ShownResource, isFirst: boolean): string {
  if (as === 'json') return `${JSON.stringify(resource, undefined, 4)}\n`;
  return `${isFirst ? '' : '---\n'}${resourceYaml({ ...resource, columns: [] })}`;
}

const marks = { created: '+', updated: ' ', destroyed: '-' } as const;

/** A table grows while one looks at it: each column is as wide as what has been in it so far. */
function printer(as: 'table' | 'yaml' | 'json', headings: readonly string[], print: (text: string) => void) {
  const widths = headings.map((heading) => heading.length);
  const line = (cells: readonly string[]) => {
    for (const [column, cell] of cells.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
    return cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  };
  let isFirst = true;
  return (event: ShownResourceEvent): void => {
    if (event.kind === 'bootstrapped') return;
    const { resource, kind } = event;
    if (as === 'table') {
      if (isFirst) print(`*  ${line(headings).trimEnd()}\n`);
      print(`${marks[kind]}  ${line(rowOf(resource)).trimEnd()}\n`);
    } else if (as === 'json') print(`${JSON.stringify({ event: kind, ...resource })}\n`);
    else print(`${isFirst ? '' : '---\n'}event: ${kind}\n${resourceYaml(resource)}`);
    isFirst = false;
  };
}
