import { type Kind, resourceName } from './kinds.ts';
import type { Obj, Value } from './value.ts';

/**
 * Thrown by the model; the API server writes it as a `Status`.
 * Source: apimachinery pkg/api/errors/errors.go, pkg/util/validation/field/errors.go
 */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Obj | undefined;

  constructor(code: number, reason: string, message: string, details?: Obj) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

export const statusOf = (error: ApiError): Obj => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: error.message,
  ...(error.reason === '' ? {} : { reason: error.reason }),
  ...(error.details === undefined ? {} : { details: error.details }),
  code: error.code,
});

const detailsOf = (kind: Kind, name: string, more: Obj = {}): Obj => ({
  ...(name === '' ? {} : { name }),
  ...(kind.group === '' ? {} : { group: kind.group }),
  kind: kind.plural,
  ...more,
});

export const notFound = (kind: Kind, name: string) =>
  new ApiError(404, 'NotFound', `${resourceName(kind)} "${name}" not found`, detailsOf(kind, name));

export const alreadyExists = (kind: Kind, name: string) =>
  new ApiError(409, 'AlreadyExists', `${resourceName(kind)} "${name}" already exists`, detailsOf(kind, name));

export const staleObject = (kind: Kind, name: string) =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resourceName(kind)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    detailsOf(kind, name),
  );

export const preconditionFailed = (kind: Kind, name: string, wanted: string, found: string) =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${kind.kind}${kind.group === '' ? '' : `.${kind.group}`} "${name}": the UID in the precondition (${wanted}) does not match the UID in record (${found}). The object might have been deleted and then recreated`,
    { ...detailsOf(kind, name), kind: kind.kind },
  );

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** 422. The causes in the order in which they were found. */
export function invalid(kind: Kind, name: string, causes: readonly Cause[]) {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  return new ApiError(
    422,
    'Invalid',
    `${kind.kind}${kind.group === '' ? '' : `.${kind.group}`} "${name}" is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`,
    {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: causes.map((cause): Obj => ({ ...cause })),
    },
  );
}

export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message);
export const forbidden = (message: string, kind?: Kind, name = '') =>
  new ApiError(403, 'Forbidden', message, kind && detailsOf(kind, name));
/** A query parameter of the request itself is wrong. */
export const invalidOptions = (kind: string, cause: Cause) =>
  new ApiError(422, 'Invalid', `${kind}.meta.k8s.io "" is invalid: ${cause.field}: ${cause.message}`, {
    group: 'meta.k8s.io',
    kind,
    causes: [{ ...cause }],
  });
export const unknownResource = () => new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
export const unauthorized = () => new ApiError(401, 'Unauthorized', 'Unauthorized');
export const methodNotAllowed = () =>
  new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
export const expired = (message: string) => new ApiError(410, 'Expired', message);
/** What the patch handler says of a type that no kind takes. */
export const unknownPatchType = () => new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
export const unsupportedMediaType = (accepted: readonly string[]) =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
export const internalError = (message: string, causes: readonly Value[] = [{ message }]) =>
  new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [...causes] });
