import type { Clock, Dial, World } from '../base/index.ts';
import { parseYaml, stringifyYaml } from '../format/index.ts';
import { createKernel } from './create-kernel.ts';
import { openLog } from './log.ts';
import { dialRefused } from './memory-dial.ts';
import { createNetwork } from './network.ts';
import { endpointsPath, lockDirectory, type SandboxEndpoint, type SandboxTime, statePath, statusHost } from './sandbox.ts';
import type { SandboxSpec } from './spec.ts';
import { type SandboxStatus, statusOf } from './status.ts';
import { createTalosModel } from './talos/model.ts';

/** A sandbox that another process keeps listening (`tk sim:up`), seen from this one. Time is real. */
export interface AttachedSandbox {
  readonly world: World;
  readonly endpoints: readonly SandboxEndpoint[];
  status(signal: AbortSignal): Promise<SandboxStatus>;
}

const statusDeadlineMs = 10_000;

/** Undefined when no process keeps the sandbox listening. */
export async function attachSandbox(world: World, directory: string): Promise<AttachedSandbox | undefined> {
  const endpoints = await readEndpoints(world, directory);
  if (!endpoints || !(await isHeld(world, directory))) return undefined;
  const dial = await attachedDial(world, directory);
  const status = async (signal: AbortSignal): Promise<SandboxStatus & SandboxTime> => {
    const target = { protocol: 'http', host: statusHost, port: 80 } as const;
    const response = await dial.http({ target, method: 'GET', path: '/', headers: {}, signal });
    let text = '';
    for await (const chunk of response.body) text += Buffer.from(chunk).toString('utf8');
    return JSON.parse(text) as SandboxStatus & SandboxTime;
  };
  const { nowMs, speed } = await status(AbortSignal.timeout(statusDeadlineMs));
  const attachedMs = world.clock.monotonicMs();
  // The machines live in a time of their own; compared with ours every one of their clocks would be wrong.
  const clock: Clock = { ...world.clock, now: () => nowMs + (world.clock.monotonicMs() - attachedMs) * speed };
  return { world: { ...world, clock, dial }, endpoints, status };
}

/** What lies in the directory, without starting anything. Undefined when there is no sandbox. Failure: `sim/in-use`. */
export async function readSandbox(world: World, directory: string): Promise<SandboxStatus | undefined> {
  if (!(await world.files.stat(statePath(directory)))) return undefined;
  const lock = await lockDirectory(world, directory);
  try {
    const { log, entries, atMs } = await openLog(world.files, statePath(directory));
    await log.close();
    const kernel = createKernel({ seed: 'status', epochMs: 0, startMs: atMs, entries });
    const spec = kernel.store.get('sandbox/spec') as unknown as SandboxSpec | undefined;
    if (!spec) return undefined;
    return statusOf(kernel, createTalosModel({ kernel, network: createNetwork(), spec }));
  } finally {
    await lock.release();
  }
}

/** Throws the sandbox away. Failure: `sim/in-use`. */
export async function resetSandbox(world: World, directory: string): Promise<void> {
  if (!(await world.files.stat(directory))) return;
  const lock = await lockDirectory(world, directory);
  await lock.release();
  await world.files.removeTree(directory);
}

/** A talosconfig of the sandbox for tools outside of it: endpoints are where the machines listen in truth, nodes stay. */
export function talosconfigOutside(text: string, endpoints: readonly SandboxEndpoint[]): string {
  const config = parse(text) as { contexts: Record<string, { endpoints?: string[] }> };
  for (const context of Object.values(config.contexts)) {
    context.endpoints = (context.endpoints ?? []).flatMap((host) => {
      const found = endpoints.find((endpoint) => endpoint.host === host && endpoint.port === 50_000);
      return found ? [`${found.listensOn.host}:${found.listensOn.port}`] : [];
    });
  }
  return stringifyYaml(config);
}

/** The same for a kubeconfig; undefined while its server does not listen. */
export function kubeconfigOutside(text: string, endpoints: readonly SandboxEndpoint[]): string | undefined {
  const config = parse(text) as { clusters: { cluster: { server: string } }[] };
  for (const { cluster } of config.clusters) {
    const url = new URL(cluster.server);
    const found = endpoints.find((endpoint) => endpoint.host === url.hostname && endpoint.port === Number(url.port));
    if (!found) return undefined;
    cluster.server = `https://${found.listensOn.host}:${found.listensOn.port}`;
  }
  return stringifyYaml(config);
}

/** A copy: what the parser gives is shared and frozen. */
const parse = (text: string): unknown => structuredClone(parseYaml({ path: 'config', text }, { confidential: true }).documents[0]?.value);

async function readEndpoints(world: World, directory: string): Promise<readonly SandboxEndpoint[] | undefined> {
  const text = await world.files.readText(endpointsPath(directory));
  return text === undefined ? undefined : (JSON.parse(text) as readonly SandboxEndpoint[]);
}

/** A file that a killed process left behind names ports that nobody listens on. */
async function isHeld(world: World, directory: string): Promise<boolean> {
  const lock = await world.files.lock(`${directory}/lock`, 'tk');
  if ('heldBy' in lock) return true;
  await lock.release();
  return false;
}

async function attachedDial(world: World, directory: string): Promise<Dial> {
  const find = async (target: { readonly host: string; readonly port: number }) => {
    // Asked anew each time: API servers appear while the cluster boots.
    const endpoints = (await readEndpoints(world, directory)) ?? [];
    const found = endpoints.find(({ host, port }) => host === target.host && port === target.port);
    if (found) return found.listensOn;
    throw dialRefused(target, endpoints.some(({ host }) => host === target.host) ? 'refused' : 'not-allowed');
  };
  return {
    talos: async (target, signal) => world.dial.talos({ ...target, ...(await find(target)) }, signal),
    async http(request) {
      const inside = { ...request.target, ...(await find(request.target)) };
      const target = request.target.port === 6443 ? inside : { protocol: 'http' as const, host: inside.host, port: inside.port };
      return world.dial.http({ ...request, target, headers: { host: request.target.host, ...request.headers } });
    },
  };
}
