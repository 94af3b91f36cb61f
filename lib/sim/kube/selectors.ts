import { badRequest } from './errors.ts';
import { canonical, listAt, type Obj, objAt, textAt, type Value } from './value.ts';

export type Labels = { readonly [key: string]: Value };

/**
 * `a=b,c!=d,e in (f,g),!h,i`
 * Source: apimachinery pkg/labels/selector.go
 */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  const tests = splitTop(text).map((part): ((labels: Labels) => boolean) => {
    const term = part.trim();
    const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
    if (set) {
      const [, key = '', operator, list = ''] = set;
      const values = list.split(',').map((value) => value.trim());
      return (labels) => (key in labels && values.includes(String(labels[key]))) === (operator === 'in');
    }
    const comparison = /^([^=!\s]+)\s*(!=|==?)\s*(\S*)$/.exec(term);
    if (comparison) {
      const [, key = '', operator, value = ''] = comparison;
      return (labels) => (key in labels && String(labels[key]) === value) === (operator !== '!=');
    }
    if (term.startsWith('!')) return (labels) => !(term.slice(1).trim() in labels);
    if (/^[^\s=!,()]+$/.test(term)) return (labels) => term in labels;
    throw badRequest(`unable to parse requirement: found '${term}', expected: valid label selector`);
  });
  return (labels) => tests.every((test) => test(labels));
}

function splitTop(text: string): string[] {
  if (text.trim() === '') return [];
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const character of text) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(current);
      current = '';
    } else current += character;
  }
  return [...parts, current];
}

/** A LabelSelector object; an empty one selects everything, an absent one nothing. */
export function matchesSelector(selector: Value | undefined, labels: Labels): boolean {
  if (selector === undefined || selector === null) return false;
  for (const [key, value] of Object.entries(objAt(selector, 'matchLabels'))) if (labels[key] !== value) return false;
  return listAt(selector, 'matchExpressions').every((term) => matchesExpression(term, labels));
}

export function matchesExpression(term: Value, labels: Labels): boolean {
  const key = textAt(term, 'key');
  const values = listAt(term, 'values');
  const own = labels[key];
  switch (textAt(term, 'operator')) {
    case 'In':
      return own !== undefined && values.includes(own);
    case 'NotIn':
      return own === undefined || !values.includes(own);
    case 'Exists':
      return own !== undefined;
    case 'DoesNotExist':
      return own === undefined;
    case 'Gt':
      return own !== undefined && Number(own) > Number(values[0]);
    case 'Lt':
      return own !== undefined && Number(own) < Number(values[0]);
    default:
      return false;
  }
}

const fieldNames: Readonly<Record<string, readonly string[]>> = {
  Pod: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  Event: ['involvedObject.kind', 'involvedObject.namespace', 'involvedObject.name', 'involvedObject.uid', 'reason', 'type', 'source'],
  Secret: ['type'],
  Namespace: ['status.phase'],
  Node: ['spec.unschedulable'],
  Job: ['status.successful'],
  ResourceSlice: ['spec.nodeName', 'spec.driver'],
};

const isBuiltInFree = (kind: string): boolean => fieldNames[kind] === undefined;

/** `metadata.name=x,spec.nodeName!=y`. Failure: 400 for fields that the kind cannot be selected by. */
export function parseFieldSelector(text: string, kind: string): (object: Obj) => boolean {
  const tests = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [, path = '', operator, value = ''] = /^([^=!]+)(!=|==?)(.*)$/.exec(part.trim()) ?? [];
      if (path !== 'metadata.name' && path !== 'metadata.namespace' && !fieldNames[kind]?.includes(path))
        throw badRequest(
          isBuiltInFree(kind)
            ? `"${path}" is not a known field selector: only "metadata.name", "metadata.namespace"`
            : `field label not supported: ${path}`,
        );
      const keys = path.split('.');
      return (object: Obj) => {
        const found = objAt(object, ...keys.slice(0, -1))[keys.at(-1) as string];
        return ((found === undefined ? '' : typeof found === 'string' ? found : canonical(found)) === value) !== (operator === '!=');
      };
    });
  return (object) => tests.every((test) => test(object));
}
