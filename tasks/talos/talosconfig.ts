import { defineTask, z } from 'talos-tk';

const hourMs = 3_600_000;
const unitMs = { h: hourMs, d: 24 * hourMs, y: 365 * 24 * hourMs };
const validityMsOf = (text: string): number => Number.parseInt(text, 10) * (unitMs[text.at(-1) as keyof typeof unitMs] ?? 0);

export default defineTask({
  summary: 'Write the talosconfig anew',
  description:
    'Its certificate is kept while it is valid, of this cluster and for the same roles; --rotate and --validity make a new one. The old one stays good until it ends by itself. A talosconfig for fewer roles than os:admin cannot apply configs.',
  params: z.object({
    rotate: z.boolean().default(false).describe('make a new certificate'),
    roles: z
      .array(z.enum(['os:admin', 'os:operator', 'os:reader', 'os:etcd:backup']))
      .min(1)
      .default(['os:admin'])
      .describe('what its owner may do; may be given again'),
    validity: z
      .string()
      .regex(/^[1-9]\d{0,5}[hdy]$/, 'expected hours, days or years, as in 12h, 90d, 1y')
      // A certificate has four digits for its year.
      .refine((text) => validityMsOf(text) <= 100 * unitMs.y, 'expected no more than 100y')
      .optional()
      .describe('how long a new certificate is valid: 12h, 90d, 1y (default 1y)'),
  }),
  examples: ['talos:talosconfig', 'talos:talosconfig --rotate --validity 90d'],
  effect: 'write',
  probe: ({ params, cluster }) => cluster.machineConfigs.talosconfig(requestOf(params)),
  plan: (_context, facts) => {
    if (facts === undefined) return [{ decision: 'unknown', title: 'write talosconfig', reason: 'not worked out with --offline' }];
    if (facts.isEqual) return [{ decision: 'skip', title: facts.path, reason: 'equal' }];
    return [{ decision: 'run', title: facts.path, calls: [{ target: facts.path, call: 'write file' }] }];
  },
  async run({ params, cluster, step, skip, detail }) {
    const made = await step.pure('generate', () => cluster.machineConfigs.talosconfig(requestOf(params)));
    const validUntil = new Intl.DateTimeFormat('en-CA', { timeZone: 'UTC' }).format(made.notAfterMs);
    const result = { path: made.path, changed: !made.isEqual, certificateKept: made.certificateKept, validUntil };
    if (made.isEqual) {
      skip(`equal; its certificate is valid until ${validUntil}`);
      return result;
    }
    await step('write', async (handle) => {
      await cluster.machineConfigs.write(made.generated, handle.signal);
      handle.detail(made.path);
    });
    detail(`${made.certificateKept ? 'certificate kept' : 'new certificate'}, valid until ${validUntil}`);
    return result;
  },
});

interface Asked {
  readonly rotate: boolean;
  readonly roles: readonly string[];
  readonly validity?: string | undefined;
}

function requestOf({ rotate, roles, validity }: Asked) {
  // A validity that is asked for is meant for a certificate, so one is made.
  return {
    roles,
    rotate: rotate || validity !== undefined,
    ...(validity === undefined ? {} : { validityMs: validityMsOf(validity) }),
  };
}
