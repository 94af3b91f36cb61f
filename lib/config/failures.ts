import { failuresOf } from '../base/index.ts';

/** What a text was expected to be. */
export type Expected =
  | 'address'
  | 'network'
  | 'mac-address'
  | 'node-name'
  | 'dns-name'
  | 'url'
  | 'version'
  | 'schematic-id'
  | 'repository-name'
  | 'extension'
  | 'vlan-tag'
  | 'asn'
  | 'label'
  | 'age-recipient';

export type DataKind = 'text' | 'boolean' | 'number' | 'list' | 'mapping' | 'nothing';

export type ConfigFailures = {
  // --- finding the repository
  /** `elsewhere`: talconfigs below `from`, relative to it. */
  'config/no-repository': { from: string; elsewhere: readonly string[] };
  /** A repository whose machine configs another program makes, of inputs that tk does not read. */
  'config/other-inputs': { path: string; program: string };
  /** Two files that both describe the cluster of one place. */
  'config/ambiguous-cluster': { first: string; second: string };
  /** `cluster.yaml` and a talconfig that was not rendered from it tell different things about one node. */
  'config/sources-disagree': { node: string; fact: 'presence' | 'address' | 'role'; first: string; second: string };
  'config/missing-file': { path: string; neededBy?: string };
  'config/empty-file': { path: string };
  /** Only the first would count. */
  'config/several-documents': { path: string };

  // --- one value; `of` is the node whose key it is
  'config/unsupported-version': { found: number; newest: number };
  'config/unknown-key': { key: string; suggestion?: string; known: readonly string[] };
  /** A warning: the old name still counts. */
  'config/renamed-key': { key: string; replacement: string };
  /** A warning: it changes nothing any more. */
  'config/removed-key': { key: string };
  /** The old and the new name of one key. */
  'config/named-twice': { key: string; replacement: string };
  'config/missing-key': { key: string; of?: string; example?: string };
  'config/wrong-type': { key: string; of?: string; expected: DataKind; found: DataKind };
  'config/not-one-of': { key: string; of?: string; value: string; allowed: readonly string[]; suggestion?: string };
  'config/out-of-range': { key: string; of?: string; value: number; min?: number; max?: number };
  'config/malformed': { key: string; of?: string; value: string; expected: Expected; suggestion?: string };
  'config/too-many': { key: string; of?: string; most: number; found: number };
  'config/reserved-node-name': { node: string };
  'config/reserved-data-name': { key: string };

  // --- several values
  'config/duplicate-node-name': { node: string };
  /** `first` and `second` are node names or keys of cluster.yaml. */
  'config/duplicate-address': {
    address: string;
    first: string;
    second: string;
    secondIsNode: boolean;
    network?: string;
    suggestion?: string;
  };
  'config/duplicate-mac-address': { mac: string; first: string; second: string };
  'config/duplicate-disk': { serial: string; first: string; second: string };
  'config/address-outside-network': { owner: string; ownerIsNode: boolean; address: string; network: string; suggestion?: string };
  /** The network's own or its broadcast address. */
  'config/unusable-address': { owner: string; address: string; network: string; suggestion?: string };
  'config/overlapping-networks': { first: string; firstNetwork: string; second: string; secondNetwork: string };
  'config/non-canonical-network': { key: string; network: string; canonical: string };
  'config/network-too-small': { key: string; network: string; needed: number; holds: number; of: 'service addresses' | 'node networks' };
  'config/network-too-large': { key: string; network: string; smallestPrefix: number };
  'config/incomplete-group': { group: 'BGP' | 'backup'; missing: readonly string[]; present: readonly string[] };
  'config/exclude-each-other': { node: string; first: string; second: string };
  'config/no-control-plane': { nodes: number };
  /** A warning. */
  'config/even-control-planes': { count: number; tolerated: number };
  'config/unsupported-talos': { version: string; known: readonly string[] };
  'config/incompatible-kubernetes': { talos: string; kubernetes: string; lowest: string; highest: string };
  /** An ssh:// URL of a host whose key nobody told us. */
  'config/missing-known-hosts': { host: string };
  /** `neededBy` is the key of cluster.yaml that asks for what needs the secret. */
  'config/missing-secret': { key: string; what: string; neededBy: string; secretsPath: string };
  /** An encrypted file has to be made of secrets that nobody here can read. */
  'config/secrets-locked': { path: string; secretsPath: string };
  'config/secret-in-committed-input': { key: string; path: string; secretsPath: string };

  // --- the rendered result
  'config/kube-prism-disagrees': { port: number; clientPort: number; clientHost: string };
};

export const configFailure = failuresOf<ConfigFailures>();
