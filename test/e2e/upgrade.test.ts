import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRecording } from '../../lib/cli/record/recording.ts';
import { replay } from '../contract/recorded-run.ts';
import { type ForeignFolder, foreignFolder } from '../rig/packed.ts';
import { runTk } from '../rig/process.ts';
import { repositoryIn } from '../rig/repository.ts';

/** A process has to start, and the machine may be busy with something else. */
const patience = 120_000;

let foreign: ForeignFolder;
beforeAll(() => {
  foreign = foreignFolder();
}, patience);
afterAll(() => foreign[Symbol.dispose]());

const node = (name: string, isControlPlane: boolean, last: number) => `  - hostname: ${name}
    controlPlane: ${isControlPlane}
    ipAddress: 192.168.42.${last}
    installDisk: /dev/nvme0n1
    networkInterfaces:
      - deviceSelector: { hardwareAddr: "02:00:00:00:42:${last}" }
        dhcp: true
`;
const talconfig = `# a comment
clusterName: simulated
talosVersion: v1.14.1
kubernetesVersion: v1.36.3 # pinned
endpoint: https://192.168.42.10:6443
nodes:
${node('cp-1', true, 10)}${node('worker-1', false, 20)}`;

test(
  'a plan from what the machines say, Kubernetes one minor further, the version in the repository, and nothing left to do',
  async () => {
    const root = repositoryIn(foreign.path, 'upgrade', { from: foreign.path, copies: [], files: { 'talos/talconfig.yaml': talconfig } });
    const tk = (...words: string[]) => runTk([...words, '--sim'], { cwd: root, launcher: foreign.launcher });
    expect(await tk('bootstrap')).toMatchObject({ exitCode: 0 });

    const planned = await tk('upgrade:plan', '--to-kubernetes=v1.37.0', '--json');
    expect(JSON.parse(planned.stdout)).toMatchObject({
      schema: 1,
      from: { talos: 'v1.14.1', kubernetes: 'v1.36.3' },
      to: { talos: 'v1.14.1', kubernetes: 'v1.37.0' },
      nodes: [
        { node: 'cp-1', talos: 'v1.14.1', kubernetes: { 'kube-apiserver': 'v1.36.3', 'kube-proxy': 'v1.36.3', kubelet: 'v1.36.3' } },
        { node: 'worker-1', talos: 'v1.14.1', kubernetes: { kubelet: 'v1.36.3' } },
      ],
      hops: [{ what: 'kubernetes', from: 'v1.36.3', to: 'v1.37.0', nodes: ['cp-1', 'worker-1'], because: 'the version asked for' }],
    });

    const recordings = join(foreign.path, 'recordings');
    expect(await tk('run', '--record', recordings, 'talos:upgrade-k8s', 'TO=v1.38.0', '--yes')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('error[upgrade-k8s/path]'),
    });
    // What was heard behind real sockets is what the same models say in memory.
    const [name = ''] = readdirSync(recordings);
    const recording = parseRecording(readFileSync(join(recordings, name), 'utf8'));
    expect(recording.exchanges.filter(({ kind }) => kind === 'talos').length).toBeGreaterThan(10);
    expect(await replay(recording)).toEqual([]);
    const upgraded = await tk('talos:upgrade-k8s', 'TO=v1.37.0', '--yes');
    expect(upgraded).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('v1.36.3 → v1.37.0, 6 parts') });
    const kept = readFileSync(join(root, '.tk/sim/repo/files/talos/talconfig.yaml'), 'utf8');
    expect(kept).toBe(talconfig.replace('v1.36.3 #', 'v1.37.0 #'));
    expect(readFileSync(join(root, 'talos/talconfig.yaml'), 'utf8')).toBe(talconfig);

    expect(await tk('upgrade', '--plan')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Nothing would change.') });
    expect(await tk('upgrade:plan')).toMatchObject({ exitCode: 0, stdout: 'Nothing to do: Talos v1.14.1, Kubernetes v1.37.0\n' });
  },
  patience,
);
