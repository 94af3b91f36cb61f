import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Json } from '../../../lib/base/index.ts';
import { retryRuleOf } from '../../../lib/kube/index.ts';
import { failureOfStatus } from '../../../lib/kube/status.ts';

const { exchanges } = JSON.parse(readFileSync(new URL('../../conformance/kube/exchanges.json', import.meta.url), 'utf8')) as {
  exchanges: readonly { readonly id: string; readonly status: number; readonly body: Json }[];
};

test('every refusal of a real API server has its code', () => {
  const codes = exchanges
    .filter(({ status }) => status >= 400)
    .map(({ id, status, body }) => {
      const failure = failureOfStatus({ verb: 'apply', kind: 'ConfigMap', name: 'one', server: 'https://10.0.0.1:6443' }, status, body);
      return `${id}: ${failure.code}${retryRuleOf(failure) ? ' (again)' : ''}`;
    });
  expect(codes).toMatchInlineSnapshot(`
    [
      "namespace exists: kube/exists",
      "namespace bad name: kube/invalid",
      "map exists: kube/exists",
      "map missing: kube/not-found",
      "map in missing namespace: kube/not-found",
      "map bad name: kube/invalid",
      "map bad key: kube/invalid",
      "map without name: kube/invalid",
      "map of another namespace: kube/refused",
      "map after dry run: kube/not-found",
      "list by bad field: kube/refused",
      "replace stale: kube/stale (again)",
      "replace other name: kube/refused",
      "replace missing: kube/not-found",
      "json patch failed test: kube/invalid",
      "patch missing: kube/not-found",
      "patch of unknown type: kube/refused",
      "get released: kube/not-found",
      "delete wrong uid: kube/stale (again)",
      "delete missing: kube/not-found",
      "unknown path: kube/not-found",
      "unknown resource: kube/not-found",
      "not allowed: kube/refused",
      "forbidden list: kube/forbidden",
      "forbidden get: kube/forbidden",
      "secret type is fixed: kube/invalid",
      "apply conflict: kube/conflict",
      "apply two conflicts: kube/conflict",
      "apply conflicts with two: kube/conflict",
      "apply conflicts with update: kube/conflict",
      "apply without manager: kube/invalid",
      "apply with managed fields: kube/refused",
      "apply in missing namespace: kube/not-found",
      "kind before definition: kube/not-found",
      "definition bad name: kube/invalid",
      "widget without size: kube/invalid",
      "widget of wrong type: kube/invalid",
      "widget too small: kube/invalid",
      "widget of wrong colour: kube/invalid",
      "widget unknown field strict: kube/refused",
      "widget list conflict: kube/conflict",
      "widget strategic patch: kube/refused",
      "widget unknown subresource: kube/not-found",
      "deployment replicas conflict: kube/conflict",
      "deployment image conflict: kube/conflict",
      "deployment selector is fixed: kube/invalid",
      "deployment without containers: kube/invalid",
      "deployment of other labels: kube/invalid",
      "service port conflict: kube/conflict",
      "service selector conflict: kube/conflict",
      "service without ports: kube/invalid",
      "still forbidden: kube/forbidden",
      "webhook service is missing: kube/webhook-unreachable (again)",
      "evict missing: kube/not-found",
      "evict refused by budget: kube/eviction-blocked",
      "evict with two budgets: kube/refused",
      "lease stale: kube/stale (again)",
      "lease again: kube/exists",
      "lease applied: kube/conflict",
      "create in ending namespace: kube/forbidden",
    ]
  `);
});

test.each([
  [401, 'Unauthorized\n', 'kube/unauthorized'],
  [429, '', 'kube/busy'],
  [500, '[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n', 'kube/busy'],
  [502, '<html>Bad Gateway</html>', 'kube/busy'],
  [404, '404 page not found\n', 'kube/not-found'],
  [400, '400 Bad Request', 'kube/refused'],
  [503, { kind: 'Status', reason: 'ServiceUnavailable', message: 'apiserver not ready', code: 503 }, 'kube/busy'],
  [
    500,
    { kind: 'Status', reason: 'InternalError', message: 'Internal error occurred: etcdserver: leader changed', code: 500 },
    'kube/busy',
  ],
  [410, { kind: 'Status', reason: 'Expired', message: 'too old resource version: 1 (2)', code: 410 }, 'kube/expired'],
  [400, { kind: 'Status', message: 'admission webhook "policy.example.org" denied the request: no root', code: 400 }, 'kube/denied'],
  [
    422,
    {
      kind: 'Status',
      reason: 'Invalid',
      message: "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
      code: 422,
    },
    'kube/denied',
  ],
] as const)('an answer %i %s is %s', (status, body, code) => {
  expect(failureOfStatus({ verb: 'get', kind: 'Pod', server: 'https://10.0.0.1:6443' }, status, body).code).toBe(code);
});
