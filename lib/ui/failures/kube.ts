import { allOf, count, oneOf } from '../../base/index.ts';
import type { KubeFailures } from '../../kube/index.ts';
import type { Printers } from './printer.ts';

const object = ({ kind, name, namespace }: { kind: string; name?: string; namespace?: string }): string =>
  name === undefined ? `${kind} objects` : `${kind} \`${namespace === undefined ? name : `${namespace}/${name}`}\``;

const reasons: Readonly<Record<string, string>> = {
  refused: 'connection refused',
  timeout: 'no answer to the connection',
  unreachable: 'no route, or the machine is off',
  'certificate-required': 'the server demands a client certificate',
  'unknown-authority': 'the certificate of the server is signed by another CA',
  reset: 'the connection broke',
  'not-allowed': 'the sandbox dials only its own machines',
};

const kubeconfigReasons: Readonly<Record<string, string>> = {
  'not-yaml': 'it is not YAML',
  'not-a-kubeconfig': 'it has no contexts',
  'no-cluster': 'its context names a cluster that it does not have',
  'no-user': 'its context names a user that it does not have',
  'no-server': 'its cluster has no server URL',
};

const fetchAgain = 'fetch it again with `npx tk bootstrap:kubeconfig`';

export const kubePrinters: Printers<KubeFailures> = {
  'kube/unreachable': (f) => ({
    title: `the API server at ${f.server} could not be reached to ${f.verb} ${object(f)}`,
    because: reasons[f.reason] ?? f.reason,
    help: 'see what the control planes say with `npx tk talos:health`',
  }),
  'kube/no-answer': (f) => ({
    title: `the API server at ${f.server} did not answer within ${f.timeoutMs / 1000} s`,
    because: `whether it did ${f.verb} ${object(f)} is not known`,
    help: 'run the same command again: it looks before it changes anything',
  }),
  'kube/busy': (f) => ({
    title: `the API server at ${f.server} could not ${f.verb} ${object(f)} now`,
    because: `status ${f.status}${f.message === '' ? '' : `: ${f.message}`}`,
    help: 'see what the control planes say with `npx tk talos:health`',
  }),
  'kube/unauthorized': (f) => ({
    title: `the API server at ${f.server} does not know who asks`,
    because: f.message,
    help: `the kubeconfig is of another cluster or has expired; ${fetchAgain}`,
  }),
  'kube/forbidden': (f) => ({ title: `not allowed to ${f.verb} ${object(f)}`, because: f.message }),
  'kube/not-found': (f) => ({ title: `${object(f)} does not exist`, because: f.message }),
  'kube/exists': (f) => ({ title: `${object(f)} exists already` }),
  'kube/stale': (f) => ({
    title: `${object(f)} was changed by somebody else meanwhile`,
    because: f.message,
    help: 'run the same command again',
  }),
  'kube/conflict': (f) => ({
    title: `${count(f.conflicts.length, 'field')} of ${object(f)} ${f.conflicts.length === 1 ? 'belongs' : 'belong'} to another manager`,
    because: allOf(f.conflicts.map(({ manager, field }) => `\`${field}\` to \`${manager}\``)),
    help: `see them with \`kubectl get ${f.kind.toLowerCase()} ${f.name ?? ''} --show-managed-fields -o yaml\``,
  }),
  'kube/invalid': (f) => ({
    title: `${object(f)} is not valid`,
    because: f.problems.length === 0 ? f.message : allOf(f.problems.map(({ field, message }) => `\`${field}\`: ${message}`)),
  }),
  'kube/denied': (f) => ({ title: `\`${f.webhook}\` does not accept ${object(f)}`, because: f.message }),
  'kube/webhook-unreachable': (f) => ({
    title: `${object(f)} has to pass webhook \`${f.webhook}\`, which cannot be asked`,
    because: f.message,
    help: 'see whether its pods run: `kubectl get pods --all-namespaces`',
  }),
  'kube/eviction-blocked': (f) => ({
    title: `${object(f)} cannot be evicted now`,
    because: f.message,
    help: 'see `kubectl get poddisruptionbudgets --all-namespaces`',
  }),
  'kube/expired': (f) => ({ title: `the API server at ${f.server} has forgotten the state to ${f.verb} from`, because: f.message }),
  'kube/kind-not-served': (f) => ({
    title: `the API server at ${f.server} does not serve ${f.kind} of \`${f.apiVersion}\``,
    help: 'its CustomResourceDefinition is missing or not yet established: `npx tk bootstrap:crds`',
  }),
  'kube/refused': (f) => ({
    title: `the API server at ${f.server} refused to ${f.verb} ${object(f)}`,
    because: [`status ${f.status}`, f.reason, f.message].filter((part) => part !== '').join(': '),
  }),
  'kube/malformed-answer': (f) => ({
    title: `what answers at ${f.server} is not an API server`,
    because: `${f.reason} (status ${f.status}, \`${f.path}\`)`,
  }),
  'kube/workload-failed': (f) => ({
    title: `${object(f)} failed`,
    because: [f.reason, f.message].filter((part) => part !== '').join(': '),
    help: `see \`kubectl ${f.namespace === undefined ? '' : `-n ${f.namespace} `}describe ${f.kind.toLowerCase()} ${f.name}\``,
  }),
  'kube/kubeconfig-malformed': (f) => ({
    title: `the kubeconfig${f.path === undefined ? '' : ` \`${f.path}\``} cannot be used`,
    because: kubeconfigReasons[f.reason] ?? `\`${f.reason}\` is not PEM in base64`,
    help: fetchAgain,
  }),
  'kube/kubeconfig-unsupported': (f) => ({
    title: `the kubeconfig's user \`${f.user}\` is authenticated by \`${f.what}\`, which tk cannot do`,
    help: fetchAgain,
  }),
  'kube/kubeconfig-no-context': (f) => ({
    title: f.context === '' ? 'the kubeconfig has no current context' : `the kubeconfig has no context \`${f.context}\``,
    ...(f.contexts.length === 0 ? {} : { because: `it has ${oneOf(f.contexts)}` }),
    help: fetchAgain,
  }),
};
