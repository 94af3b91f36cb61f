import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GrpcError, seconds } from '../../../lib/base/index.ts';
import { createMemoryWorld, startCluster } from '../../../lib/sim/index.ts';
import { create, machineApi, methodPath, methodShapes, talosServices, toBinary } from '../../../lib/upstream/index.ts';
import { reached, type RecordedCall, type RecordedCommand } from '../../conformance/sim/talosctl.ts';
import { adminTrust, configsOf, type Minor, silentKube, specOf } from './cluster-rig.ts';

const minors: readonly Minor[] = ['1.12', '1.13', '1.14'];
const { method } = machineApi.MachineService;
const streamed = new Set(
  methodShapes(talosServices('1.14'))
    .filter(({ responseStream }) => responseStream)
    .map(({ path }) => path),
);

/** Streams that end only when the caller goes; how long a stock client listened is no property of the machine. */
const endless = new Set(['/cosi.resource.State/Watch', methodPath(method.events), '/cluster.ClusterService/HealthCheck']);

function recording(minor: Minor): readonly RecordedCommand[] {
  const file = new URL(`../../conformance/sim/talosctl-${minor}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8').replaceAll('NET', `127.0.${minor.split('.')[1]}`)) as RecordedCommand[];
}

test.each(minors)('machines of %s answer in memory what stock talosctl got from them over sockets', async (minor) => {
  const { world, kernel, network } = createMemoryWorld();
  const spec = specOf(minor, 3, 1, `127.0.${minor.split('.')[1]}`);
  startCluster(kernel, network, spec, { kube: () => silentKube() });
  const { bundle, texts } = await configsOf(world, minor, spec);
  const trust = await adminTrust(world, bundle);
  const { signal } = new AbortController();

  const ask = async (recorded: RecordedCall, command: string) => {
    const target = / -n (\S+)/.exec(command)?.[1]?.split(',')[0] ?? '';
    const host = recorded.isInsecure ? target : (spec.machines[0]?.address ?? '');
    const connection = await world.dial.talos({ host, port: 50_000, trust: recorded.isInsecure ? { kind: 'insecure' } : trust }, signal);
    const stop = new AbortController();
    let messages = 0;
    try {
      const call = {
        path: recorded.path,
        metadata: {
          ...(recorded.node === undefined ? {} : { node: recorded.node }),
          ...(recorded.nodes === undefined ? {} : { nodes: recorded.nodes }),
        },
        requests: once(requestOf(recorded, command)),
        signal: stop.signal,
      };
      for await (const _ of connection.call(call)) {
        messages += 1;
        if (endless.has(recorded.path)) break;
      }
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      return { code: error.status.code, messages };
    } finally {
      stop.abort();
      connection.close();
    }
    return { code: 0, messages };
  };
  const requestOf = (recorded: RecordedCall, command: string): Uint8Array => {
    if (recorded.request !== 'config') return Buffer.from(recorded.request, 'base64');
    const name = / -f (\S+)\.yaml/.exec(command)?.[1] ?? '';
    const message = {
      data: Buffer.from(texts.get(name) ?? ''),
      mode: machineApi.ApplyConfigurationRequest_Mode.AUTO,
      dryRun: command.includes('--dry-run'),
    };
    return toBinary(method.applyConfiguration.input, create(method.applyConfiguration.input, message));
  };

  const differences: string[] = [];
  let asked = 0;
  for (const { when, command, calls } of recording(minor)) {
    while (!reached(when, spec, (key) => kernel.store.get(key))) await world.clock.sleep(seconds(1));
    for (const recorded of calls) {
      // A machine that is away answers nothing, and when it is away is a matter of time.
      if (recorded.code !== 0 && command.startsWith('reboot')) continue;
      const answer = await ask(recorded, command);
      asked += 1;
      const isCounted = !endless.has(recorded.path) && !(streamed.has(recorded.path) && recorded.path.endsWith('/Logs'));
      const expected = endless.has(recorded.path)
        ? { code: 0, messages: 1 }
        : { code: recorded.code, messages: isCounted ? recorded.messages : answer.messages };
      if (answer.code !== expected.code || answer.messages !== expected.messages) {
        differences.push(`${command}: ${recorded.path} answered ${JSON.stringify(answer)}, recorded ${JSON.stringify(expected)}`);
      }
    }
  }
  expect(differences).toEqual([]);
  expect(asked).toBeGreaterThan(70);
});

async function* once(message: Uint8Array): AsyncIterable<Uint8Array> {
  yield message;
}
