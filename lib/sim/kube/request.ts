import type { HttpServerRequest } from '../../base/index.ts';
import { parseYamlBulk } from '../../format/index.ts';
import { badRequest, unknownPatchType, unsupportedMediaType } from './errors.ts';
import { readProtobuf } from './protobuf.ts';
import { isObj, numberAt, type Obj, textAt, type Value } from './value.ts';
import type { Actor, PatchKind } from './writes.ts';

/** Which objects a path is about. */
export interface Route {
  readonly apiVersion: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly name: string;
  readonly subresource: string;
}

export const wantsTable = ({ headers }: HttpServerRequest): boolean => /as=Table/.test(headers.accept ?? '');
export const isTrue = (url: URL, name: string): boolean => ['1', 'true'].includes(url.searchParams.get(name) ?? '');
export const agentOf = ({ headers }: HttpServerRequest): string => (headers['user-agent'] ?? 'unknown').split('/')[0] as string;

export function decodeContinue(token: string): readonly [number, number] {
  try {
    const [from, revision] = JSON.parse(Buffer.from(token, 'base64').toString()) as [number, number];
    return [from, revision];
  } catch {
    throw badRequest('continue key is not valid: illegal base64 data');
  }
}

export function valueOf(request: HttpServerRequest): Value {
  const type = request.headers['content-type'] ?? '';
  if (/protobuf|cbor/.test(type)) {
    const found = /protobuf/.test(type) ? readProtobuf(request.body) : undefined;
    if (found) return found;
    throw unsupportedMediaType(['application/json', 'application/yaml']);
  }
  const text = Buffer.from(request.body).toString('utf8');
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as Value;
  } catch {
    const [first] = /yaml/.test(request.headers['content-type'] ?? '') ? parseYamlBulk(text) : [];
    if (first === undefined) throw badRequest('the object provided is unrecognized (must be of type JSON)');
    return first as Value;
  }
}

export function bodyOf(request: HttpServerRequest): Obj {
  const value = valueOf(request);
  if (isObj(value)) return value;
  throw badRequest('the object provided is unrecognized (must be of type JSON)');
}

export function actorOf(request: HttpServerRequest, url: URL, warnings: string[]): Actor {
  const validation = url.searchParams.get('fieldValidation');
  const given = url.searchParams.get('fieldManager') ?? '';
  return {
    fieldManager:
      given !== '' || (request.method === 'PATCH' && /apply-patch/.test(request.headers['content-type'] ?? '')) ? given : agentOf(request),
    isDryRun: url.searchParams.get('dryRun') === 'All',
    fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
    warnings,
  };
}

export function patchKindOf(contentType: string): PatchKind {
  const kinds: Readonly<Record<string, PatchKind>> = {
    'application/apply-patch+yaml': 'apply',
    'application/merge-patch+json': 'merge',
    'application/json-patch+json': 'json',
    'application/strategic-merge-patch+json': 'strategic',
  };
  const found = kinds[contentType.split(';')[0]?.trim() ?? ''];
  if (!found) throw unknownPatchType();
  return found;
}

export function deleteRequestOf(request: HttpServerRequest, url: URL) {
  const body = request.body.length === 0 ? {} : bodyOf(request);
  const uid = textAt(body, 'preconditions', 'uid');
  const grace =
    numberAt(body, 'gracePeriodSeconds') ??
    (url.searchParams.has('gracePeriodSeconds') ? Number(url.searchParams.get('gracePeriodSeconds')) : undefined);
  return {
    ...(uid === '' ? {} : { uid }),
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    propagation: textAt(body, 'propagationPolicy') || (url.searchParams.get('propagationPolicy') ?? 'Background'),
  };
}

/** `/api/v1/namespaces/x/pods/y/status`, `/apis/apps/v1/deployments`; namespaces themselves are of the whole cluster. */
export function parseRoute(pathname: string): Route | undefined {
  const parts = pathname.split('/').slice(1).map(decodeURIComponent);
  if (parts.at(-1) === '') parts.pop();
  const [root, group, version] = parts;
  if (root !== 'api' && root !== 'apis') return undefined;
  const apiVersion = root === 'api' ? (group ?? '') : `${group}/${version}`;
  const rest = parts.slice(root === 'api' ? 2 : 3);
  const isInNamespace = rest[0] === 'namespaces' && rest.length > 2 && !(root === 'api' && ['status', 'finalize'].includes(rest[2] ?? ''));
  const [plural = '', name = '', subresource = ''] = isInNamespace ? rest.slice(2) : rest;
  if (plural === '') return undefined;
  return { apiVersion, namespace: isInNamespace ? (rest[1] as string) : undefined, plural, name, subresource };
}
