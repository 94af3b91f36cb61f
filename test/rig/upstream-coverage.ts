import { readdirSync, readFileSync } from 'node:fs';
import { applyMethods } from '../../lib/sim/talos/api/apply.ts';
import { checkMethods } from '../../lib/sim/talos/api/checks.ts';
import { cosiMethods } from '../../lib/sim/talos/api/cosi.ts';
import { etcdMethods } from '../../lib/sim/talos/api/etcd.ts';
import { kubeconfigMethods } from '../../lib/sim/talos/api/kubeconfig.ts';
import { machineMethods } from '../../lib/sim/talos/api/machine.ts';
import { powerMethods } from '../../lib/sim/talos/api/power.ts';
import { systemMethods } from '../../lib/sim/talos/api/system.ts';
import { methodPath } from '../../lib/upstream/index.ts';
import type { Recording } from '../oracle/talos-api/recording.ts';
import type { Transcript } from '../oracle/talosctl/transcript.ts';
import { knownGaps } from './known-gaps.ts';

export interface CallCoverage {
  readonly path: string;
  /** Our client says it; the generations of upstream's Go API that answered. */
  readonly client: readonly string[];
  /** The simulator serves it. */
  readonly isServed: boolean;
  /** Stock talosctl said it to the simulator, and how often it was answered with which status. */
  readonly talosctl: ReadonlyMap<number, number>;
  /** Why there is no recording, where there is none. */
  readonly gap?: string;
}

const conformance = new URL('../conformance/', import.meta.url);
const recordings = <T>(subject: string): readonly (readonly [name: string, T])[] =>
  readdirSync(new URL(`${subject}/`, conformance))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => [name.replace('.json', ''), JSON.parse(readFileSync(new URL(`${subject}/${name}`, conformance), 'utf8')) as T]);

/** Which calls were held against upstream: the client's against its Go API, the simulator's against its talosctl. */
export function callCoverage(): readonly CallCoverage[] {
  const client = new Map<string, string[]>();
  for (const [minor, { exchanges }] of recordings<Recording>('talos-api')) {
    for (const { path } of exchanges) {
      const minors = client.get(path) ?? [];
      if (!minors.includes(minor)) client.set(path, [...minors, minor]);
    }
  }
  const talosctl = new Map<string, Map<number, number>>();
  for (const [, { commands }] of [...recordings<Transcript>('talosctl'), ...recordings<Transcript>('talosctl-upkeep')]) {
    for (const { path, status } of commands.flatMap(({ calls }) => calls)) {
      const counts = talosctl.get(path) ?? new Map<number, number>();
      const code = status?.code ?? 0;
      talosctl.set(path, counts.set(code, (counts.get(code) ?? 0) + 1));
    }
  }
  const served = new Set(
    [
      ...applyMethods,
      ...checkMethods,
      ...cosiMethods,
      ...etcdMethods,
      ...kubeconfigMethods,
      ...machineMethods,
      ...powerMethods,
      ...systemMethods,
    ].map(({ method }) => methodPath(method)),
  );
  const gaps = knownGaps('rpc');
  return [...new Set([...client.keys(), ...served, ...talosctl.keys()])].sort().map((path) => {
    const gap = gaps.get(path);
    return {
      path,
      client: client.get(path) ?? [],
      isServed: served.has(path),
      talosctl: talosctl.get(path) ?? new Map<number, number>(),
      ...(gap === undefined ? {} : { gap }),
    };
  });
}

/** A call that somebody relies on and nobody compared. */
export function isUncovered({ client, isServed, talosctl, gap }: CallCoverage): boolean {
  return isServed && talosctl.size === 0 && client.length === 0 && gap === undefined;
}

/** Files of the simulated machines, and how many of their rules name the upstream file that they follow. */
export function modelSources(): readonly { readonly file: string; readonly sources: number }[] {
  const root = new URL('../../lib/sim/', import.meta.url);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && /^(?:talos|kube)\//.test(name))
    .sort()
    .map((file) => ({ file, sources: readFileSync(new URL(file, root), 'utf8').match(/Source:/g)?.length ?? 0 }));
}
