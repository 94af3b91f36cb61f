import { TkError } from '../../base/index.ts';
import type { Answers, Prompter } from '../../core/index.ts';
import { addressOf, contains, networkOf, nthHost } from '../../format/index.ts';
import { cliFailure } from '../failures.ts';

/** What a new repository is made of; names as the inputs have them. */
export interface NewRepository {
  readonly cluster_name: string;
  readonly node_cidr: string;
  readonly cluster_api_addr: string;
  readonly repository_name: string;
  readonly nodes: readonly NewNode[];
}

export interface NewNode {
  readonly name: string;
  readonly address: string;
  readonly controller: boolean;
  readonly disk: string;
  readonly mac_addr: string;
}

export interface NewFacts {
  readonly defaultName: string;
  readonly answers: Answers;
  readonly isInteractive: boolean;
}

const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** In the order in which one thinks of them. Failure: `prompt/*`, `usage/bad-value`. */
export async function askRepository(prompter: Prompter, { defaultName, answers }: NewFacts): Promise<NewRepository> {
  const cluster_name = await prompter.text({
    name: 'cluster-name',
    message: 'What is the cluster called?',
    default: defaultName,
    validate: (text) => (namePattern.test(text) ? undefined : 'lower case letters, digits and dashes'),
  });
  const node_cidr = await prompter.text({
    name: 'node-cidr',
    message: 'The network of the nodes',
    default: '192.168.1.0/24',
    validate: (text) => (networkOf(text) ? undefined : 'a network like 192.168.1.0/24'),
  });
  const network = networkOf(node_cidr);
  const inside = (text: string) => {
    const address = addressOf(text);
    return address && network && contains(network, address) ? undefined : `an address inside of ${node_cidr}`;
  };
  const suggestion = network && nthHost(network, 250)?.text;
  const cluster_api_addr = await prompter.text({
    name: 'api-address',
    message: 'A free address that the control planes share for the Kubernetes API',
    ...(suggestion && inside(suggestion) === undefined ? { default: suggestion } : {}),
    validate: inside,
  });
  const repository_name = await prompter.text({
    name: 'repository-name',
    message: 'The repository at GitHub that Flux reads, as owner/name',
    validate: (text) => (/^[\w.-]+\/[\w.-]+$/.test(text) ? undefined : 'owner/name'),
  });
  const given = answers('nodes');
  const nodes = given === undefined ? await askNodes(prompter, inside) : nodesIn(given.value, given.from);
  return { cluster_name, node_cidr, cluster_api_addr, repository_name, nodes };
}

async function askNodes(prompter: Prompter, inside: (text: string) => string | undefined): Promise<readonly NewNode[]> {
  const nodes: NewNode[] = [];
  for (;;) {
    const number = nodes.length + 1;
    const controller = await prompter.confirm({
      name: 'controller',
      message: `Node ${number}: is it a control plane?`,
      default: nodes.filter((node) => node.controller).length < 3,
    });
    const count = nodes.filter((node) => node.controller === controller).length + 1;
    const name = await prompter.text({
      name: 'name',
      message: 'Its name',
      default: `${controller ? 'cp' : 'worker'}-${count}`,
      validate: (text) =>
        !namePattern.test(text)
          ? 'lower case letters, digits and dashes'
          : nodes.some((node) => node.name === text)
            ? 'it is taken'
            : undefined,
    });
    const address = await prompter.text({
      name: 'address',
      message: 'Its address',
      validate: (text) => inside(text) ?? (nodes.some((node) => node.address === text) ? 'it is taken' : undefined),
    });
    const disk = await prompter.text({ name: 'disk', message: 'Its install disk: a path, or a serial number', default: '/dev/nvme0n1' });
    const mac_addr = await prompter.text({
      name: 'mac-addr',
      message: 'The MAC address of its network card',
      validate: (text) => (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? undefined : 'six pairs like 00:11:22:33:44:55'),
    });
    nodes.push({ name, address, controller, disk, mac_addr: mac_addr.toLowerCase() });
    if (!(await prompter.confirm({ name: 'more-nodes', message: 'Another node?', default: nodes.length < 3 }))) return nodes;
  }
}

/** Failure: `usage/bad-value`; what is wrong inside of an entry the inputs' own check says. */
function nodesIn(value: unknown, from: string): readonly NewNode[] {
  if (Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'object' && entry !== null))
    return value as NewNode[];
  throw new TkError(
    cliFailure('usage/bad-value', { flag: `nodes in ${from}`, value: JSON.stringify(value), expected: 'a list as nodes.yaml has it' }),
  );
}

/** A cluster to look at: the addresses are nobody's until somebody makes them his. */
export function sampleRepository(clusterName: string): NewRepository {
  const node = (name: string, controller: boolean, last: number): NewNode => ({
    name,
    address: `192.168.42.${last}`,
    controller,
    disk: '/dev/nvme0n1',
    mac_addr: `02:00:00:00:42:${last}`,
  });
  return {
    cluster_name: clusterName,
    node_cidr: '192.168.42.0/24',
    cluster_api_addr: '192.168.42.120',
    repository_name: `owner/${clusterName}`,
    nodes: [...[1, 2, 3].map((n) => node(`cp-${n}`, true, 9 + n)), ...[1, 2, 3].map((n) => node(`worker-${n}`, false, 20 + n))],
  };
}
