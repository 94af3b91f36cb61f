import { type Failure, type Json, stripControl, withoutMiddle } from '../base/index.ts';
import { kubeFailure, type RequestFacts } from './failures.ts';
import { fieldsAt, isFields, listAt, numberAt, textAt } from './object.ts';

const readable = (text: string | undefined): string => stripControl(text ?? '').trim();

/** The answer of a failed request as a failure. `body` is the parsed `Status`, or the text when it was none. */
export function failureOfStatus(request: RequestFacts, status: number, body: Json | string): Failure {
  if (!isFields(body) || body.kind !== 'Status')
    return failureOfText(request, status, typeof body === 'string' ? body : JSON.stringify(body));
  const message = readable(textAt(body, 'message'));
  const reason = textAt(body, 'reason') ?? '';
  const causes = listAt(body, 'details', 'causes').map((cause) => {
    const fields = fieldsAt(cause);
    return { reason: textAt(fields, 'reason') ?? '', message: readable(textAt(fields, 'message')), field: textAt(fields, 'field') ?? '' };
  });

  const webhook = webhookFailure(request, message);
  if (webhook) return webhook;
  switch (status) {
    case 401:
      return kubeFailure('kube/unauthorized', { ...request, message });
    case 403:
      return kubeFailure('kube/forbidden', { ...request, message });
    case 404:
      return kubeFailure('kube/not-found', { ...request, message });
    case 409:
      if (reason === 'AlreadyExists') return kubeFailure('kube/exists', { ...request });
      if (causes.some((cause) => cause.reason === 'FieldManagerConflict')) {
        return kubeFailure('kube/conflict', {
          ...request,
          conflicts: causes.map((cause) => ({ manager: managerOf(cause.message), field: cause.field })),
        });
      }
      return kubeFailure('kube/stale', { ...request, message });
    case 410:
      return kubeFailure('kube/expired', { ...request, message });
    case 422:
      return kubeFailure('kube/invalid', { ...request, message, problems: causes.map(({ field, ...cause }) => ({ field, ...cause })) });
    case 429:
      return causes.some((cause) => cause.reason === 'DisruptionBudget') || message.includes('disruption budget')
        ? kubeFailure('kube/eviction-blocked', { ...request, message, ...budgetOf(causes) })
        : kubeFailure('kube/busy', { ...request, status, message });
    default:
      // Without quorum the API server answers 500 with etcd's words in it.
      return status === 503 || status === 504 || (status === 500 && /etcdserver|context deadline exceeded|leader changed/.test(message))
        ? kubeFailure('kube/busy', { ...request, status, message })
        : kubeFailure('kube/refused', { ...request, status, reason, message });
  }
}

/** Seconds after which the server wants to be asked again. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, body: Json | string): number | undefined {
  const seconds = Number(headers['retry-after'] ?? numberAt(fieldsAt(isFields(body) ? body : null, 'details'), 'retryAfterSeconds'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** The path itself is unknown: the mux answers in plain text, not with a Status. */
export const isUnknownPath = (status: number, body: Json | string): boolean =>
  status === 404 &&
  (!isFields(body) ||
    body.kind !== 'Status' ||
    (textAt(fieldsAt(body, 'details'), 'name') === undefined &&
      readable(textAt(body, 'message')) === 'the server could not find the requested resource'));

function failureOfText(request: RequestFacts, status: number, text: string): Failure {
  const message = withoutMiddle(readable(text), 500);
  switch (status) {
    case 401:
      return kubeFailure('kube/unauthorized', { ...request, message });
    case 403:
      return kubeFailure('kube/forbidden', { ...request, message });
    case 404:
      return kubeFailure('kube/not-found', { ...request, message });
    case 429:
    case 502:
    case 503:
    case 504:
      return kubeFailure('kube/busy', { ...request, status, message });
    case 500:
      return message.includes('[-]')
        ? kubeFailure('kube/busy', { ...request, status, message })
        : kubeFailure('kube/refused', { ...request, status, reason: '', message });
    default:
      return kubeFailure('kube/refused', { ...request, status, reason: '', message });
  }
}

/** Source: apiserver pkg/admission/plugin/webhook/errors/statuserror.go and …/generic/webhook.go */
function webhookFailure(request: RequestFacts, message: string): Failure | undefined {
  const unreachable = /failed calling webhook "([^"]+)": (.*)/s.exec(message);
  if (unreachable)
    return kubeFailure('kube/webhook-unreachable', { ...request, webhook: unreachable[1] as string, message: unreachable[2] as string });
  const denied = /admission webhook "([^"]+)" denied the request(?:: | without explanation)?(.*)/s.exec(message);
  if (denied) return kubeFailure('kube/denied', { ...request, webhook: denied[1] as string, message: denied[2] as string });
  const policy = /ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: (.*)/s.exec(message);
  return policy ? kubeFailure('kube/denied', { ...request, webhook: policy[1] as string, message: policy[2] as string }) : undefined;
}

/** Source: kubernetes pkg/registry/core/pod/storage/eviction.go: "The disruption budget web needs 2 healthy pods and has 2 currently" */
function budgetOf(causes: readonly { readonly reason: string; readonly message: string }[]): {
  readonly budget?: string;
  readonly needs?: string;
} {
  const needs = causes.find((cause) => cause.reason === 'DisruptionBudget')?.message;
  if (needs === undefined) return {};
  const budget = /disruption budget (\S+) /.exec(needs)?.[1];
  return { needs, ...(budget === undefined ? {} : { budget }) };
}

/** `conflict with "helm-controller" using apps/v1` */
const managerOf = (message: string): string => /conflict with "([^"]*)"/.exec(message)?.[1] ?? message;
