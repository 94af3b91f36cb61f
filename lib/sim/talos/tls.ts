import { Secret, type ServerTls } from '../../base/index.ts';
import { createCertificateAuthority, hours, issue, type PemPair, relabelKey } from '../../pki/index.ts';
import type { SimKernel } from '../kernel.ts';
import type { Issuer } from './certificates.ts';
import { type Authority, type ConfigView, viewConfig } from './config-view.ts';
import type { Machine } from './machine.ts';

/** Real TLS stacks compare with the real clock, which may lag behind the virtual one: what we issue is valid from an hour ago. */
const backdateMs = hours(1);
const validityMs = hours(24 * 365);

type Stored = {
  readonly boot: string;
  readonly certificate: string;
  readonly key: string;
  readonly clientCa?: string;
  /** No control plane was up to sign it: asked for again. Source: Talos internal/app/machined/pkg/controllers/secrets/api.go */
  readonly isUnsigned?: true;
};

export interface MachineTls {
  /** Of the API on port 50000, as the machine is now. The same for the whole boot, also after tk was killed. */
  api(machine: Machine): Promise<ServerTls>;
  /** Of the API server, also under the floating address. */
  kubernetes(machine: Machine, names: { readonly addresses: readonly string[]; readonly dnsNames: readonly string[] }): Promise<ServerTls>;
}

type Made = Omit<Stored, 'boot'>;
type PkiWorld = Parameters<typeof issue>[0];

export function createMachineTls(kernel: SimKernel, issuer: Issuer): MachineTls {
  const pending = new Map<string, Promise<Stored>>();

  /** Two callers at once must not make two certificates. */
  const once = async (
    machine: Machine,
    use: string,
    /** Everything that is written in it but the time, whoever signs it included. */
    names: () => readonly unknown[],
    make: (world: PkiWorld) => Promise<Made>,
  ): Promise<ServerTls> => {
    const boot = machine.get('boot')?.id ?? '';
    const key = `talos/${machine.name}/tls/${use}`;
    const stored = kernel.store.get<Stored>(key);
    if (stored?.boot === boot && stored.isUnsigned !== true) return serverTls(stored, use);
    const name = `${key}/${boot}`;
    let making = pending.get(name);
    if (!making) {
      making = issuer.issue(machine.name, [use, machine.get('boot')?.number, names()], make).then((made) => {
        const record = { boot, ...made };
        kernel.store.set(key, record);
        pending.delete(name);
        return record;
      });
      pending.set(name, making);
    }
    return serverTls(await making, use);
  };

  const leaf = (world: PkiWorld, commonName: string, ca: PemPair, addresses: readonly string[], dnsNames: readonly string[]) =>
    issue(world, ca, {
      commonName,
      extendedKeyUsages: ['serverAuth'],
      ipAddresses: [...new Set([...addresses, '127.0.0.1'])],
      dnsNames: [...new Set([...dnsNames, 'localhost'])],
      validityMs,
      backdateMs,
    });
  const selfSigned = async (world: PkiWorld, name: string, addresses: readonly string[]) =>
    leaf(world, name, await createCertificateAuthority(world, { kind: 'ed25519', organization: 'talos' }), addresses, [name]);

  return {
    api(machine) {
      const config = machine.get('api') === 'configured' ? machine.config() : undefined;
      const name = machine.hostname();
      const own = [machine.spec.address];
      if (config === undefined) {
        return once(
          machine,
          'maintenance',
          () => own,
          async (world) => plain(await selfSigned(world, name, own)),
        );
      }
      const addresses = [...own, ...config.certSans.filter(isAddress), ...config.vips];
      const names = [name, ...config.certSans.filter((one) => !isAddress(one))];
      const clientCa = config.osCa.certificate;
      // A worker has no key of the authority: trustd on a control plane signs for it. Any configuration that holds it will do.
      const authority = () => signer(config.osCa, kernel, (view) => view.osCa.certificate === clientCa);
      const written = () => [clientCa, addresses, names, authority() !== undefined];
      return once(machine, 'configured', written, async (world) => {
        const ca = authority();
        if (ca === undefined) return { ...plain(await selfSigned(world, name, own)), clientCa, isUnsigned: true };
        return { ...plain(await leaf(world, name, ca, addresses, names)), clientCa };
      });
    },
    kubernetes(machine, { addresses, dnsNames }) {
      const ca = machine.config()?.kubernetesCa;
      const name = machine.hostname();
      const written = () => [ca?.certificate, addresses, dnsNames, ca?.key !== undefined];
      return once(machine, 'kubernetes', written, async (world) => {
        const pair = ca?.key ? await leaf(world, name, pemPair(ca, ca.key), addresses, dnsNames) : await selfSigned(world, name, addresses);
        return { ...plain(pair), ...(ca ? { clientCa: ca.certificate } : {}) };
      });
    },
  };
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
