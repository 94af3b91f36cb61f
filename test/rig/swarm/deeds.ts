import { createMemoryWorld, type MemoryFiles } from '../../../lib/sim/index.ts';
import { createCertificateAuthority, hours, issue } from '../../../lib/pki/index.ts';
import { renderKubeconfig } from '../../../lib/kube/index.ts';
import type { Deed } from './schedule.ts';

const folder = '/home/user/home-ops';
const secrets = `${folder}/talos/talsecret.yaml`;
const elsewhere = `${folder}/talos/secrets-of-home.yaml`;

/** What a person does to the repository before a run, and takes back when it did not help. A bad sector does not stop a person. */
export function doneTo(files: MemoryFiles, deed: Deed | undefined): { do(): Promise<void>; undo(): Promise<void> } {
  const move = async (from: string, to: string) => {
    const file = files.copy()[from];
    if (file === undefined || typeof file === 'string') return;
    for (let tries = 0; tries < 20; tries += 1) {
      try {
        await files.write(to, file.content, { mode: file.mode });
        await files.remove(from);
        return;
      } catch {
        // Full for a moment.
      }
    }
  };
  switch (deed) {
    case undefined:
    // The disk is full while that run lasts: `site.ts`.
    case 'fill-disk':
      return { do: async () => {}, undo: async () => {} };
    case 'rename-secrets':
      return { do: () => move(secrets, elsewhere), undo: () => move(elsewhere, secrets) };
    case 'old-kubeconfig':
      return {
        async do() {
          // Without secrets there is no cluster yet, and a kubeconfig would be a trace of one that is lost.
          if (files.copy()[secrets] === undefined) return;
          await files.write(`${folder}/kubeconfig`, await foreignKubeconfig(), { mode: 0o600 }).catch(() => {});
        },
        undo: async () => {},
      };
  }
}

let foreign: Promise<string> | undefined;

/** Of a cluster of the same name that is no more. */
function foreignKubeconfig(): Promise<string> {
  foreign ??= (async () => {
    const { world } = createMemoryWorld({ seed: 'another cluster' });
    const ca = await createCertificateAuthority(world, { kind: 'p256', organization: 'kubernetes' });
    const admin = await issue(world, ca, {
      organizations: ['system:masters'],
      commonName: 'admin',
      extendedKeyUsages: ['clientAuth'],
      validityMs: hours(8760),
    });
    return renderKubeconfig({
      cluster: 'swarm',
      user: 'admin',
      server: 'https://192.168.42.120:6443',
      caPem: ca.certificate,
      certificatePem: admin.certificate,
      key: admin.key,
    }).reveal();
  })();
  return foreign;
}
