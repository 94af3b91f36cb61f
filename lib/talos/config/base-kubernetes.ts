import type { ConfigMap } from './value.ts';

/** Source: pkg/machinery/config/types/k8s/admission_control.go */
export function podSecurity(): ConfigMap {
  return {
    apiVersion: 'pod-security.admission.config.k8s.io/v1alpha1',
    defaults: {
      audit: 'restricted',
      'audit-version': 'latest',
      enforce: 'baseline',
      'enforce-version': 'latest',
      warn: 'restricted',
      'warn-version': 'latest',
    },
    exemptions: { namespaces: ['kube-system'], runtimeClasses: [], usernames: [] },
    kind: 'PodSecurityConfiguration',
  };
}

export function admission(): ConfigMap {
  return { name: 'PodSecurity', configuration: podSecurity() };
}

/** Source: pkg/machinery/config/types/k8s/audit_policy.go */
export function auditPolicy(): ConfigMap {
  return { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'Metadata' }] };
}

/** Source: pkg/machinery/config/types/k8s/authentication.go */
export function authentication(): ConfigMap {
  return { anonymous: { conditions: [{ path: '/livez' }, { path: '/readyz' }, { path: '/healthz' }], enabled: true }, jwt: [] };
}
