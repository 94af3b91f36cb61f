import type { Failure } from '../base/index.ts';
import { type SchemaProblem, wasmFailure } from './failures.ts';

/** What the module says when something failed: the stage of its own work, and Helm's words. */
export interface EngineFailure {
  readonly stage: string;
  readonly message: string;
}

/** Helm's words, taken apart. `during` names the operation for what should never happen. */
export function failureFrom({ stage, message }: EngineFailure, during: string): Failure {
  switch (stage) {
    case 'archive':
      return wasmFailure('chart/archive', { reason: message });
    case 'chart':
      return wasmFailure('chart/invalid', { reason: message });
    case 'dependencies':
      return wasmFailure('chart/dependency', { reason: message });
    case 'release':
      return wasmFailure('chart/release-name', { reason: message });
    case 'values':
      return wasmFailure('chart/values', { reason: message });
    case 'values-layer': {
      const [, layer = '0', reason = message] = /^(\d+) (.*)$/s.exec(message) ?? [];
      return wasmFailure('chart/values-layer', { layer: Number(layer), reason });
    }
    case 'record':
      return wasmFailure('chart/record', { reason: message });
    case 'schema':
      return schemaFailure(message);
    case 'template':
      return templateFailure(message);
    case 'manifest': {
      const [, file = '', problem = message] = /^YAML parse error on (.+?): (.*)$/s.exec(message) ?? [];
      return wasmFailure('chart/manifest', { file, problem });
    }
    case 'kubernetes-version': {
      const [, needs = '', has = ''] = /kubeVersion: (.+) which is incompatible with Kubernetes (\S+)$/.exec(message) ?? [];
      return wasmFailure('chart/kubernetes-version', { needs, has });
    }
    default:
      return wasmFailure('chart/engine', { during, reason: message });
  }
}

/** Helm's order of schema problems is random (it walks Go maps), so they are sorted. */
function schemaFailure(message: string): Failure {
  const problems: { chart: string; pointer: string; problem: string }[] = [];
  let chart = '';
  for (const line of message.split('\n').slice(1)) {
    const [, pointer, problem] = /^- at '(.*?)': (.*)$/.exec(line) ?? [];
    if (pointer !== undefined && problem !== undefined) problems.push({ chart, pointer, problem });
    else if (/^[^\s-].*:$/.test(line)) chart = line.slice(0, -1);
    else if (line.trim() !== '') {
      const last = problems.at(-1);
      // Alternatives of `anyOf` stand indented below the problem that they belong to.
      if (last !== undefined && line.startsWith(' ')) last.problem += `; ${line.trim().replace(/^- /, '')}`;
      else problems.push({ chart, pointer: '', problem: withoutNetwork(line.trim()) });
    }
  }
  const key = ({ chart: of, pointer, problem }: SchemaProblem) => `${of}\n${pointer}\n${problem}`;
  return wasmFailure('chart/values-schema', { problems: problems.sort((a, b) => (key(a) < key(b) ? -1 : 1)) });
}

/** A schema may refer to another one on the web, which nothing in here can fetch; Go words that as a failed look-up of a name. */
const withoutNetwork = (problem: string): string =>
  problem.replace(/^failing loading "(https?:[^"]+)".*$/s, 'the schema refers to $1, which is not fetched');

const place = /^(?:template: )?([^\s:()]+(?:\/[^:()\n]*)?):(\d+)(?::(\d+))?$/;

/**
 * Shapes, by Helm's pkg/engine/engine.go: `execution error at (f:1:2): text`, `parse error at (f:1): text`, a chain of
 * `f:1:2`, `  executing "f" at <…>:`, `    text`, and text/template's own `template: f:1:2: text`.
 */
function templateFailure(message: string): Failure {
  const [, at = '', text] = /^(?:execution|parse) error (?:at|in) \((.+?)\): (.*)$/s.exec(message) ?? [];
  if (text !== undefined) return located([at], text);
  const [, direct, rest] = /^template: (\S+?:\d+(?::\d+)?): (.*)$/s.exec(message) ?? [];
  if (direct !== undefined && rest !== undefined) return located([direct], rest.replace(/^executing "[^"]*" at /, ''));
  const lines = message.split('\n');
  const places = lines.filter((line) => place.test(line));
  const words = lines.filter((line) => !place.test(line) && !/^\s*executing "/.test(line)).map((line) => line.trim());
  return located(places, words.at(-1) ?? message);
}

function located(places: readonly string[], problem: string): Failure {
  const [, file = places.at(-1) ?? '', line, column] = place.exec(places.at(-1) ?? '') ?? [];
  return wasmFailure('chart/template', {
    file,
    ...(line === undefined ? {} : { line: Number(line) }),
    ...(column === undefined ? {} : { column: Number(column) }),
    problem,
    through: places.slice(0, -1),
  });
}

/** For a template that is not part of a chart: `template: name:1:2: executing "name" at <x>: text`. */
export function goTemplateFailure(name: string, message: string): Failure {
  const [, line, column, problem = message] = /^template: [^\n]*?:(\d+)(?::(\d+))?: (?:executing "[^"]*" at )?(.*)$/s.exec(message) ?? [];
  return wasmFailure('go-template/failed', {
    name,
    ...(line === undefined ? {} : { line: Number(line) }),
    ...(column === undefined ? {} : { column: Number(column) }),
    problem,
  });
}
