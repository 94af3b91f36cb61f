import { posix } from 'node:path';
import type { EngineOptions } from './engine.ts';
import type { Data, TemplateFunction } from './python/convert.ts';

/** What the functions of cluster-template's plugin read from files; a fact that is absent makes its function fail by name. */
export interface PluginFacts {
  readonly ageKey?: { readonly public: string; readonly private: string };
  /** Without its secret only `cloudflare_tunnel_id` is there. */
  readonly cloudflareTunnel?: { readonly AccountTag: string; readonly TunnelID: string; readonly TunnelSecret?: string };
  readonly deployKey?: string;
  readonly webhookToken?: string;
  /** Sorted `*.yaml.j2` paths per folder of `talos/patches`. */
  readonly talosPatches?: Readonly<Record<string, readonly string[]>>;
  readonly environment: Readonly<Record<string, string>>;
  /** The n-th address of a network, false when it is outside of it. */
  readonly nthHost: (cidr: string, n: number) => string | false;
}

/** The functions and filters that templates of cluster-template use, over facts that were read before. */
export function makejinjaPlugin(facts: PluginFacts): Pick<EngineOptions, 'globals' | 'filters'> {
  const tunnel = facts.cloudflareTunnel;
  const functions: Record<string, TemplateFunction | undefined> = {
    age_key: facts.ageKey && (([kind]) => (kind === 'private' ? facts.ageKey?.private : facts.ageKey?.public)),
    cloudflare_tunnel_id: tunnel && (() => tunnel.TunnelID),
    cloudflare_tunnel_secret:
      tunnel?.TunnelSecret === undefined
        ? undefined
        : () => Buffer.from(JSON.stringify({ a: tunnel.AccountTag, t: tunnel.TunnelID, s: tunnel.TunnelSecret })).toString('base64'),
    deploy_key: facts.deployKey === undefined ? undefined : () => facts.deployKey,
    github_deploy_key: facts.deployKey === undefined ? undefined : () => facts.deployKey,
    github_push_token: facts.webhookToken === undefined ? undefined : () => facts.webhookToken,
    webhook_token: facts.webhookToken === undefined ? undefined : () => facts.webhookToken,
    talos_patches: ([folder]) => [...(facts.talosPatches?.[String(folder)] ?? [])],
  };
  const globals: Record<string, Data> = { env: facts.environment };
  for (const [name, run] of Object.entries(functions)) if (run) globals[name] = run;
  return {
    globals,
    filters: {
      // The stem of the path: `a/b.yaml.j2` is `b.yaml`.
      basename: ([path]) => posix.parse(String(path)).name,
      nthhost: ([cidr, n]) => facts.nthHost(String(cidr), Number(n)),
    },
  };
}
