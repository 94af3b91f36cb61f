import { TkError } from '../../../base/index.ts';
import type { NodeModel } from '../../../config/index.ts';
import { parseCertificate } from '../../../pki/index.ts';
import { operationFailure } from '../failures.ts';
import { clockToleranceMs, type DoctorParts, type Note } from './finding.ts';

const dayMs = 86_400_000;
/** A certificate that ends within this time is told. */
const soonMs = 30 * dayMs;

export async function examineCertificates(parts: DoctorParts, nodes: readonly NodeModel[], note: Note, signal: AbortSignal): Promise<void> {
  const { connections, access } = parts;
  const judge = (what: string, pem: string, mend: string, node?: string) => {
    const { notBeforeMs, notAfterMs } = parseCertificate(pem);
    const now = parts.now();
    const daysLeft = Math.floor((notAfterMs - now) / dayMs);
    const state = now > notAfterMs ? 'expired' : now < notBeforeMs - clockToleranceMs ? 'not-yet-valid' : 'ends-soon';
    // Those that machines renew by themselves live for a day.
    const isShort = notAfterMs - notBeforeMs < 2 * dayMs;
    if (state === 'ends-soon' && (isShort || notAfterMs - now > soonMs)) return;
    note(
      state === 'ends-soon' ? 'warning' : 'error',
      operationFailure('doctor/certificate', { what, state, daysLeft, ...(node === undefined ? {} : { node }) }),
      mend,
      node,
    );
  };
  const talos = await parts.talosCertificate();
  if (talos === undefined)
    note('warning', operationFailure('doctor/no-talosconfig', { path: shownPath(parts, 'talosconfig') }), 'npx tk talos:generate-config');
  else judge('talosconfig', talos, 'npx tk talos:talosconfig --rotate');
  for (const [name, pem] of await parts.authorities()) judge(`authority of ${name}`, pem, 'talosctl rotate-ca');
  try {
    const { certificatePem } = await access.kubeconfig();
    if (certificatePem !== undefined) judge('kubeconfig', certificatePem, 'npx tk talos:kubeconfig');
  } catch (error) {
    // That there is none, or another cluster's, is told where Kubernetes is looked at.
    if (!(error instanceof TkError)) throw error;
  }
  await Promise.all(
    nodes.map(async (node) => {
      try {
        const { certificatePem } = await connections.read(node, (machine) => machine.peer(signal));
        judge('its API', certificatePem, `npx tk talos:reboot NODE=${node.name}`, node.name);
      } catch (error) {
        if (!(error instanceof TkError)) throw error;
      }
    }),
  );
}

const shownPath = ({ cluster: { model } }: DoctorParts, which: 'talosconfig' | 'kubeconfig'): string =>
  model.paths[which].slice(model.paths.root.length + 1);
