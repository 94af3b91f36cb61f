import { type Clock, Secret, type ServerTls } from '../../base/index.ts';
import { createCertificateAuthority, hours, issue, type PemPair, relabelKey } from '../../pki/index.ts';
import type { SimKernel } from '../kernel.ts';
import { type Authority, type ConfigView, viewConfig } from './config-view.ts';
import type { Machine } from './machine.ts';

/** Real TLS stacks compare with the real clock, which may lag behind the virtual one: what we issue is valid from an hour ago. */
const backdateMs = hours(1);
const validityMs = hours(24 * 365);

type Stored = { readonly boot: string; readonly certificate: string; readonly key: string; readonly clientCa?: string };

export interface MachineTls {
  /** Of the API on port 50000, as the machine is now. The same for the whole boot, also after tk was killed. */
  api(machine: Machine): Promise<ServerTls>;
  /** Of the API server, also under the floating address. */
  kubernetes(machine: Machine, names: { readonly addresses: readonly string[]; readonly dnsNames: readonly string[] }): Promise<ServerTls>;
}

export function createMachineTls(kernel: SimKernel): MachineTls {
  const pending = new Map<string, Promise<Stored>>();
  const world = (machine: Machine) => ({ random: kernel.random(`pki/${machine.name}`), clock: kernel.clock satisfies Clock });

  /** Two callers at once must not make two certificates. */
  const once = async (machine: Machine, use: string, make: () => Promise<Omit<Stored, 'boot'>>): Promise<ServerTls> => {
    const boot = machine.get('boot')?.id ?? '';
    const key = `talos/${machine.name}/tls/${use}`;
    const stored = kernel.store.get<Stored>(key);
    if (stored?.boot === boot) return serverTls(stored, use);
    const name = `${key}/${boot}`;
    let making = pending.get(name);
    if (!making) {
      making = kernel.clock.whileBusy(make).then((made) => {
        const record = { boot, ...made };
        kernel.store.set(key, record);
        pending.delete(name);
        return record;
      });
      pending.set(name, making);
    }
    return serverTls(await making, use);
  };

  const leaf = (machine: Machine, ca: PemPair, addresses: readonly string[], dnsNames: readonly string[]) =>
    issue(world(machine), ca, {
      commonName: machine.hostname(),
      extendedKeyUsages: ['serverAuth'],
      ipAddresses: [...new Set([...addresses, '127.0.0.1'])],
      dnsNames: [...new Set([...dnsNames, 'localhost'])],
      validityMs,
      backdateMs,
    });

  return {
    api(machine) {
      const config = machine.get('api') === 'configured' ? machine.config() : undefined;
      if (config === undefined) {
        return once(machine, 'maintenance', async () => {
          const ca = await createCertificateAuthority(world(machine), { kind: 'ed25519', organization: 'talos' });
          return plain(await leaf(machine, ca, [machine.spec.address], [machine.name]));
        });
      }
      // A worker has no key of the authority: trustd on a control plane signs for it. Here any machine's configuration will do.
      return once(machine, 'configured', async () => {
        const ca = signer(config.osCa, kernel, (view) => view.osCa.certificate === config.osCa.certificate);
        const addresses = [machine.spec.address, ...config.certSans.filter(isAddress), ...config.vips];
        const names = [machine.hostname(), ...config.certSans.filter((name) => !isAddress(name))];
        const pair = ca ? await leaf(machine, ca, addresses, names) : await selfSigned(machine);
        return { ...plain(pair), clientCa: config.osCa.certificate };
      });
    },
    kubernetes(machine, { addresses, dnsNames }) {
      return once(machine, 'kubernetes', async () => {
        const ca = machine.config()?.kubernetesCa;
        const pair = ca?.key ? await leaf(machine, pemPair(ca, ca.key), addresses, dnsNames) : await selfSigned(machine);
        return { ...plain(pair), ...(ca ? { clientCa: ca.certificate } : {}) };
      });
    },
  };

  async function selfSigned(machine: Machine): Promise<PemPair> {
    return leaf(
      machine,
      await createCertificateAuthority(world(machine), { kind: 'ed25519', organization: 'talos' }),
      [machine.spec.address],
      [],
    );
  }
}

/** The authority with its key, from this machine's configuration or from another's that trusts the same one. */
function signer(own: Authority, kernel: SimKernel, fits: (view: ConfigView) => boolean): PemPair | undefined {
  if (own.key) return pemPair(own, own.key);
  for (const key of kernel.store.keys('talos/')) {
    if (!key.endsWith('/config/active')) continue;
    const view = viewConfig(kernel.store.get<string>(key) ?? '');
    if (view?.osCa.key && fits(view)) return pemPair(view.osCa, view.osCa.key);
  }
  return undefined;
}

const pemPair = (authority: Authority, key: string): PemPair => ({ certificate: authority.certificate, key: new Secret(key) });
const plain = (pair: PemPair) => ({ certificate: pair.certificate, key: relabelKey(pair.key.reveal()) });
const isAddress = (text: string): boolean => /^[0-9.]+$/.test(text) || text.includes(':');

function serverTls(stored: Stored, use: string): ServerTls {
  return {
    certificate: stored.certificate,
    key: new Secret(stored.key),
    ...(stored.clientCa === undefined
      ? {}
      : { clientCa: stored.clientCa, clientCertificates: use === 'configured' ? ('require' as const) : ('request' as const) }),
  };
}
