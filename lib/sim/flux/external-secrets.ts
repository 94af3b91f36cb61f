import { createHash } from 'node:crypto';
import { builtIn } from '../kube/kinds.ts';
import { makeObject } from '../kube/make-object.ts';
import { isObj, listAt, numberAt, type Obj, objAt, textAt, type Value } from '../kube/value.ts';
import type { FluxContext } from './context.ts';

const secrets = builtIn('v1', 'Secret');
const deployments = builtIn('apps/v1', 'Deployment');
const waitMs = 10_000;

/** On a Secret of which nobody knows all keys: they come from a place outside. */
export const openKeys = 'simulated.invalid/open-keys';

/**
 * The operator of external-secrets, without any place outside: the Secret that an ExternalSecret asks for, with its keys and made-up
 * values. Only while the operator runs, so that a chain of dependencies that forgot it does not come up here either.
 *
 * Source: external-secrets pkg/controllers/externalsecret/externalsecret_controller.go
 */
export async function reconcileExternalSecret(context: FluxContext, namespace: string, name: string): Promise<void> {
  const { state } = context;
  const kind = state.allKinds().find((one) => one.group === 'external-secrets.io' && one.kind === 'ExternalSecret');
  const object = kind && state.get(kind, namespace, name);
  if (!kind || !object) return;
  if (!isRunning(context)) return context.requeue('ExternalSecret', namespace, name, waitMs);
  const spec = objAt(object, 'spec');
  const target = textAt(spec, 'target', 'name') || name;
  if (!state.get(secrets, namespace, target)) {
    const keys = [
      ...listAt(spec, 'data').map((entry) => textAt(entry, 'secretKey')),
      ...Object.keys(objAt(spec, 'target', 'template', 'data')),
    ];
    const isOpen = listAt(spec, 'dataFrom').length > 0 || listAt(spec, 'target', 'template', 'templateFrom').length > 0;
    const data = Object.fromEntries(
      [...new Set(keys)]
        .filter((key) => key !== '')
        .map((key) => [key, Buffer.from(madeUp(`${namespace}/${target}`, key)).toString('base64')]),
    );
    makeObject(
      state,
      secrets,
      { name: target, namespace, ...(isOpen ? { annotations: { [openKeys]: 'true' } } : {}) },
      { type: textAt(spec, 'target', 'template', 'type') || 'Opaque', data },
    );
  }
  const ready: Obj = {
    type: 'Ready',
    status: 'True',
    reason: 'SecretSynced',
    message: 'secret synced',
    lastTransitionTime: state.timestamp(),
  };
  if (listAt(object, 'status', 'conditions').length === 0)
    state.put(kind, { ...object, status: { ...objAt(object, 'status'), conditions: [ready] } });
}

/** A name of the chart's or of the release's own. */
function isRunning({ state }: FluxContext): boolean {
  const named = (value: Value | undefined) => typeof value === 'string' && value.startsWith('external-secrets');
  return state
    .list(deployments)
    .some(
      (one) =>
        (named(objAt(one, 'metadata').name) || named(objAt(one, 'metadata', 'labels')['app.kubernetes.io/name'])) &&
        (numberAt(one, 'status', 'readyReplicas') ?? 0) > 0,
    );
}

/** Recognised by the key's name, as people name them; always the same. */
function madeUp(secret: string, key: string): string {
  const name = key.toLowerCase();
  const text = createHash('sha256').update(`${secret}/${key}`).digest('hex').slice(0, 16);
  if (/(?:domain|host|hostname)\d*$/.test(name)) return `d${text.slice(0, 7)}.example.invalid`;
  if (/(?:url|uri|endpoint|webhook)$/.test(name)) return `https://d${text.slice(0, 7)}.example.invalid/`;
  if (/e-?mail$/.test(name)) return `${text.slice(0, 8)}@example.invalid`;
  if (name.endsWith('cidr')) return '192.0.2.0/24';
  if (/(?:^|_)(?:ip|addr|address|lb|vip)\d*$/.test(name)) return '192.0.2.10';
  if (name.endsWith('port')) return '8080';
  return `s${text}`;
}

export const isExternalSecret = (object: unknown): boolean =>
  isObj(object) && textAt(object, 'kind') === 'ExternalSecret' && textAt(object, 'apiVersion').startsWith('external-secrets.io/');
